package transformer

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Tape is a run through which Backward goes. Activations that were recorded for
// another purpose make one as they are.
type Tape struct {
	*Activations
	Tokens [][]int          // [B,T]
	Pad    Padding          //
	Pre    []*tensor.Tensor // by layer, mlp.hook_pre [B·T,F], or [B·T,2F] of gated MLPs; nil to be computed again, a third of a forward pass
}

// check panics unless the tape is a run of a model of a configuration.
func (t *Tape) check(c Config) {
	if t == nil || t.Activations == nil || len(t.Tokens) == 0 || len(t.Layers) != c.Layers || t.Pre != nil && len(t.Pre) != c.Layers {
		panic("transformer: Backward through a tape that is no run of the model")
	}
	n := len(t.Tokens) * len(t.Tokens[0])
	wanted := t.table(c, false)
	for l := range t.Pre {
		wanted = append(wanted, recorded{HookPoint{HookMLPPre, l}, c.MLPWidth(), &t.Pre[l]})
	}
	for _, r := range wanted {
		if x := *r.into; r.at.Point != HookMLPOut && (x == nil || x.Rows() != n || x.Cols() != r.cols) { // what an MLP gave, none needs
			panic(fmt.Sprintf("transformer: Backward through a tape that is no run of the model: expected %v of %d rows and %d columns", r.at, n, r.cols))
		}
	}
}

// RecordTape is Forward of tokens [B,T] and keeps what Backward needs, as the
// options' hooks leave it; with keepPre the inputs of the activation functions
// too. Hooks that change HookResidMid, what a norm gives, scores, patterns or
// the inputs of some heads alone are not seen by the way backward.
func (m *Model) RecordTape(ctx context.Context, tokens [][]int, keepPre bool, o Options) (*tensor.Tensor, *Tape, error) {
	m.checkOpen()
	c := m.Config
	t := &Tape{Activations: &Activations{Layers: make([]LayerActivations, c.Layers)}, Tokens: tokens, Pad: o.Pad}
	o.keep = t.table(c, false)
	if keepPre && !c.AttnOnly {
		t.Pre = make([]*tensor.Tensor, c.Layers)
		for l := range t.Pre {
			o.keep = append(o.keep, recorded{HookPoint{HookMLPPre, l}, c.MLPWidth(), &t.Pre[l]})
		}
	}
	logits, err := m.Forward(ctx, tokens, o)
	if err != nil {
		return nil, nil, err
	}
	return logits, t, nil
}
