package interchange

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Spec says what a model is trained to compute, and where.
type Spec struct {
	Program     string  `json:"program"`     // its text, which says vocabulary and greatest length too
	MinLen      int     `json:"min_len"`     // inputs have this length at least
	Heads       [][]int `json:"heads"`       // by layer and head of the compiled program, the model's head that is to be it
	Behaviour   float64 `json:"behaviour"`   // weight of the loss on inputs as they are
	Interchange float64 `json:"interchange"` // of that with a node of the circuit interchanged
	Strict      float64 `json:"strict"`      // of that with nodes outside interchanged
}

// Compile compiles the program of a spec.
func (s Spec) Compile(ctx context.Context) (*compile.Model, error) {
	f, err := text.Parse("program", s.Program)
	if err != nil {
		return nil, err
	}
	expr, err := f.Program()
	if err != nil {
		return nil, err
	}
	d, err := f.Domain(nil, 0, false)
	if err != nil {
		return nil, err
	}
	return compile.Compile(ctx, expr, d, compile.Options{})
}

// Shape is the configuration of a model that can be trained to be a compiled one:
// as many layers, tokens, positions and logits, attention that looks the same
// way, GELU and no norm.
func Shape(program transformer.Config, heads, dHead, dModel, dMLP int) transformer.Config {
	return transformer.Config{Layers: program.Layers, DModel: dModel, Ctx: program.Ctx, DHead: dHead, Heads: heads, DMLP: dMLP,
		Vocab: program.Vocab, VocabOut: program.VocabOut, Activation: transformer.GELU, Eps: 1e-5, Norm: transformer.NoNorm,
		Direction: program.Direction, Positions: transformer.Standard, AttnScale: math.Sqrt(float64(dHead))}
}

// Pair is a compiled program and the shape of the model that is trained to be it.
type Pair struct {
	spec    Spec
	high    *compile.Model
	config  transformer.Config
	inputs  *inputs
	nodes   []matched // of the circuit
	outside []node    // of the model
}

// New makes the pair of a spec and a model's configuration.
func New(ctx context.Context, s Spec, c transformer.Config) (*Pair, error) {
	high, err := s.Compile(ctx)
	if err != nil {
		return nil, err
	}
	if s.MinLen < 1 || s.MinLen > high.Domain.MaxLen {
		return nil, fmt.Errorf("field \"min_len\": expected a whole number from 1 to %d, found %d", high.Domain.MaxLen, s.MinLen)
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"behaviour", s.Behaviour}, {"interchange", s.Interchange}, {"strict", s.Strict}} {
		if !(f.value >= 0 && f.value <= maxWeight) {
			return nil, fmt.Errorf("field %q: expected a number from 0 to %d, found %v", f.name, maxWeight, f.value)
		}
	}
	p := &Pair{spec: s, high: high, config: c, inputs: newInputs(high, s.MinLen)}
	if err := p.checkShape(); err != nil {
		return nil, err
	}
	return p, p.match(ctx)
}

// maxWeight bounds the weights of the losses.
const maxWeight = 1000

// checkShape refuses a model that cannot be the program.
func (p *Pair) checkShape() error {
	h, c := p.high.Transformer.Config, p.config
	for _, f := range []struct {
		name        string
		want, found any
	}{
		{"n_layers", h.Layers, c.Layers}, {"n_ctx", h.Ctx, c.Ctx}, {"d_vocab", h.Vocab, c.Vocab}, {"d_vocab_out", h.VocabOut, c.VocabOut},
		{"attention_dir", h.Direction, c.Direction}, {"attn_only", false, c.AttnOnly}, {"parallel_attn_mlp", false, c.ParallelAttnMLP},
	} {
		if f.want != f.found {
			return fmt.Errorf("field %q of the model: expected %v as in the compiled program, found %v", f.name, f.want, f.found)
		}
	}
	if len(p.spec.Heads) != h.Layers {
		return fmt.Errorf("field \"heads\": expected heads of %d layers, found %d", h.Layers, len(p.spec.Heads))
	}
	for l, of := range p.spec.Heads {
		if len(of) != h.Heads {
			return fmt.Errorf("field \"heads\": expected %d in layer %d, as many as the compiled program has, found %d", h.Heads, l, len(of))
		}
		for i, head := range of {
			if head < 0 || head >= c.Heads || slices.Contains(of[:i], head) {
				return fmt.Errorf("field \"heads\": expected different heads from 0 to %d in layer %d, found %v", c.Heads-1, l, of)
			}
		}
	}
	return nil
}

// made panics unless New made the pair.
func (p *Pair) made() *Pair {
	if p == nil || p.high == nil {
		panic("interchange: a pair that New did not make")
	}
	return p
}

// checkModel panics unless a model has the pair's shape.
func (p *Pair) checkModel(m *transformer.Model) {
	if p.made(); m == nil || m.Params == nil || !reflect.DeepEqual(m.Config, p.config) {
		panic("interchange: a model of another shape than the pair's")
	}
}

// Program is the compiled program.
func (p *Pair) Program() *compile.Model { return p.made().high }

// Circuit is the program's circuit in a graph of the model, in which token and
// position embeddings are one sender: the edges between parts that stand for
// parts of the program between which its circuit has one.
func (p *Pair) Circuit(ctx context.Context, g *circuit.Graph) (circuit.Mask, error) {
	if p.made(); g == nil {
		panic("interchange: the circuit in no graph")
	}
	c := g.Config()
	if c.Layers != p.config.Layers || c.Heads != p.config.Heads || c.AttnOnly || c.ParallelAttnMLP || c.SplitEmbed {
		return nil, fmt.Errorf("graph: expected %d layers of %d heads with an MLP after them, and one sender for tokens and positions", p.config.Layers, p.config.Heads)
	}
	own := c
	own.Heads = p.high.Transformer.Config.Heads
	high, err := circuit.New(own)
	if err != nil {
		return nil, err
	}
	mask, err := p.high.Circuit(ctx, high)
	if err != nil {
		return nil, err
	}
	out := g.Empty()
	for i, present := range mask {
		if !present {
			continue
		}
		e := high.Edge(i)
		at, ok := g.Index(circuit.Edge{Sender: p.placed(e.Sender), Receiver: p.placed(e.Receiver)})
		if !ok {
			return nil, fmt.Errorf("graph: expected the edge %v of the program's circuit, found none", e)
		}
		out[at] = true
	}
	return out, nil
}

// placed is the model's node that stands for one of the program's.
func (p *Pair) placed(n circuit.Node) circuit.Node {
	if n.Kind == circuit.Head || n.Kind >= circuit.QInput && n.Kind <= circuit.V {
		n.Head = p.spec.Heads[n.Layer][n.Head]
	}
	return n
}
