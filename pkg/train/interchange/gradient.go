package interchange

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Losses are a chunk's, each a mean over the positions that count: cross-entropy
// in nats with the program's answer where it is one of several values, the squared
// error where it is a number.
type Losses struct{ Behaviour, Interchange, Strict float64 }

// chunk is base and source inputs of one length with what is to be interchanged.
type chunk struct {
	base, source [][]int // [B,T]
	inside       matched // of the circuit
	outside      []node
}

// draw draws a chunk: half of the time one node outside is interchanged, else
// each with probability one half.
func (p *Pair) draw(rng *rand.Rand, examples int) chunk {
	length := p.inputs.length(rng)
	x := chunk{base: p.inputs.draw(rng, examples, length, false), source: p.inputs.draw(rng, examples, length, false),
		inside: p.nodes[rng.IntN(len(p.nodes))]}
	if len(p.outside) > 0 && rng.IntN(2) == 0 {
		x.outside = []node{p.outside[rng.IntN(len(p.outside))]}
		return x
	}
	for _, n := range p.outside {
		if rng.IntN(2) == 0 {
			x.outside = append(x.outside, n)
		}
	}
	return x
}

// AddGradient draws examples, adds the gradient of the weighted sum of their
// losses to grads, and returns the sum. It uses one goroutine.
func (p *Pair) AddGradient(ctx context.Context, m *transformer.Model, rng *rand.Rand, examples int, grads *transformer.Params) (float64, error) {
	if p.checkModel(m); rng == nil || examples < 1 || grads == nil {
		panic("interchange: AddGradient: expected random numbers, at least one example, and gradients to add to")
	}
	return p.addGradient(ctx, m, p.draw(rng, examples), grads)
}

func (p *Pair) addGradient(ctx context.Context, m *transformer.Model, x chunk, grads *transformer.Params) (float64, error) {
	plain, changed, err := p.answers(ctx, x)
	if err != nil {
		return 0, err
	}
	_, source, err := m.RecordTape(ctx, x.source, true, transformer.Options{NoLogits: true})
	if err != nil {
		return 0, err
	}
	w := p.way(m, source, grads)
	sum := 0.0
	for _, part := range []struct {
		weight float64
		nodes  []node
		want   answers
	}{
		{p.spec.Behaviour, nil, plain},
		{p.spec.Interchange, []node{x.inside.low}, changed},
		{p.spec.Strict, x.outside, plain},
	} {
		if part.weight == 0 {
			continue
		}
		loss, err := w.base(ctx, x.base, part.nodes, part.want, part.weight)
		if err != nil {
			return 0, err
		}
		sum += part.weight * loss
	}
	return sum, w.back(ctx)
}

// answers are what the program says to the base inputs as they are, and with the
// circuit's node interchanged.
func (p *Pair) answers(ctx context.Context, x chunk) (plain, changed answers, err error) {
	high := p.high.Transformer
	logits, err := high.Forward(ctx, x.base, transformer.Options{})
	if err != nil {
		return
	}
	plain = p.answersOf(logits, len(x.base[0]))
	source, err := high.Record(ctx, x.source, false, transformer.Options{})
	if err != nil {
		return
	}
	logits, err = high.Forward(ctx, x.base, transformer.Options{Hooks: interchange([]node{x.inside.high}, source, high.Config)})
	if err != nil {
		return
	}
	return plain, p.answersOf(logits, len(x.base[0])), nil
}

// way is the gradient's way through the runs of one chunk.
type way struct {
	m       *transformer.Model
	source  *transformer.Tape
	grads   *transformer.Params
	arrived map[transformer.HookPoint]tensor.Matrix // gradients of interchanged outputs, which go on in the source's run
	numeric bool
}

func (p *Pair) way(m *transformer.Model, source *transformer.Tape, grads *transformer.Params) *way {
	return &way{m, source, grads, map[transformer.HookPoint]tensor.Matrix{}, p.numeric()}
}

// base runs inputs with nodes interchanged, and goes back from the loss through
// all but those, whose gradients it keeps.
func (w *way) base(ctx context.Context, base [][]int, nodes []node, want answers, weight float64) (float64, error) {
	c := w.m.Config
	logits, tape, err := w.m.RecordTape(ctx, base, true, transformer.Options{Hooks: interchange(nodes, w.source.Activations, c)})
	if err != nil {
		return 0, err
	}
	loss := slope(logits.Reshape(len(want.counts), c.VocabOut).Matrix(), want, weight, w.numeric)
	var hooks []transformer.GradientHook
	for _, n := range nodes {
		hooks = append(hooks, transformer.GradientHook{At: n.at(), Do: func(_ int, g tensor.Matrix) {
			from, into := n.of(g, c), n.of(w.room(n, g), c)
			for i := range from.Rows {
				tensor.Add(into.Row(i), from.Row(i))
				clear(from.Row(i))
			}
		}})
	}
	grad := transformer.LogitGradient{Grad: logits.Reshape(len(want.counts), c.VocabOut).Matrix()}
	return loss, w.m.Backward(ctx, tape, grad, transformer.BackwardOptions{Grads: w.grads, Hooks: hooks})
}

// room is where the gradients of nodes of one place are kept, as large as g.
func (w *way) room(n node, g tensor.Matrix) tensor.Matrix {
	x, ok := w.arrived[n.at()]
	if !ok {
		x = tensor.New(g.Rows, g.Cols).Matrix()
		w.arrived[n.at()] = x
	}
	return x
}

// back goes through the source's run with what has arrived at its nodes.
func (w *way) back(ctx context.Context) error {
	var hooks []transformer.GradientHook
	for at, from := range w.arrived {
		hooks = append(hooks, transformer.GradientHook{At: at, Do: func(_ int, g tensor.Matrix) {
			for i := range from.Rows {
				tensor.Add(g.Row(i), from.Row(i))
			}
		}})
	}
	if hooks == nil {
		return nil
	}
	none := transformer.LogitGradient{Rows: []int{}, Grad: tensor.New(0, w.m.Config.VocabOut).Matrix()}
	return w.m.Backward(ctx, w.source, none, transformer.BackwardOptions{Grads: w.grads, Hooks: hooks})
}

// slope turns logits into the gradient of weight times their loss, and returns
// the loss.
func slope(logits tensor.Matrix, want answers, weight float64, numeric bool) float64 {
	n := 0
	for _, counts := range want.counts {
		if counts {
			n++
		}
	}
	loss, each := 0.0, float32(weight/float64(max(n, 1)))
	for i, counts := range want.counts {
		row := logits.Row(i)
		switch {
		case !counts:
			clear(row)
		case numeric:
			d := row[0] - float32(want.values[i])
			loss += float64(d) * float64(d)
			row[0] = 2 * d * each
		default:
			target := int(want.values[i])
			loss -= tensor.LogProb(row, target)
			tensor.Softmax(row)
			row[target]--
			for j := range row {
				row[j] *= each
			}
		}
	}
	if math.IsInf(loss, 0) { // of logits that are infinite
		loss = math.NaN()
	}
	return loss / float64(max(n, 1))
}
