package interchange

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Quality is how well a model is the program, on inputs that were kept from
// training where there are enough. All but the losses are shares of answers.
type Quality struct {
	Losses      Losses
	Accuracy    float64 // that are the program's
	Interchange float64 // that are the program's with a node of the circuit interchanged, of the node that has fewest
	At          string  // that node
	Changed     float64 // the same where the interchange changes the program's answer, over all nodes, which one that is always the same does not meet; 0 if none does
	Effect      float64 // that a node outside changes by being interchanged, of the node that changes most
	EffectAt    string  // that node
	Alone       float64 // that are the program's with all nodes outside interchanged at once
}

// measured is of how many chunks of how many examples a measurement is.
const (
	measuredChunks   = 10
	measuredExamples = 40
)

// Measure says how well a model is the program, on inputs that a seed draws.
func (p *Pair) Measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) (Quality, error) {
	p.checkModel(m)
	rng := rand.New(rand.NewPCG(seed, 0x6d656173757265))
	c := newCounts(p)
	for range measuredChunks {
		length := p.inputs.length(rng)
		x := chunk{base: p.inputs.draw(rng, measuredExamples, length, true), source: p.inputs.draw(rng, measuredExamples, length, true)}
		if err := c.add(ctx, m, x, threads); err != nil {
			return Quality{}, err
		}
	}
	return c.quality(), nil
}

// share counts answers of which some are as they should be.
type share struct{ of, all int }

func (s share) value() float64 { return float64(s.of) / float64(max(s.all, 1)) }

// counts are what a measurement adds up.
type counts struct {
	p                 *Pair
	behaviour, alone  share
	changed           share
	interchange       []share // by node of the circuit
	effect            []share // by node outside
	losses            Losses
	interchanged, out int // how many losses were added up
}

func newCounts(p *Pair) *counts {
	return &counts{p: p, interchange: make([]share, len(p.nodes)), effect: make([]share, len(p.outside))}
}

// add counts one chunk.
func (c *counts) add(ctx context.Context, m *transformer.Model, x chunk, threads int) error {
	p, o := c.p, transformer.Options{Threads: threads}
	source, err := m.Record(ctx, x.source, false, o)
	if err != nil {
		return err
	}
	run := func(nodes ...node) (*tensor.Tensor, []float64, error) {
		o.Hooks = interchange(nodes, source, m.Config)
		logits, err := m.Forward(ctx, x.base, o)
		if err != nil {
			return nil, nil, err
		}
		return logits, p.read(logits), nil
	}
	plain, _, err := p.answers(ctx, chunk{x.base, x.source, p.nodes[0], nil})
	if err != nil {
		return err
	}
	logits, own, err := run()
	if err != nil {
		return err
	}
	c.behaviour.count(p, own, plain)
	c.losses.Behaviour += p.loss(logits, plain)
	for i, n := range p.nodes {
		_, changed, err := p.answers(ctx, chunk{x.base, x.source, n, nil})
		if err != nil {
			return err
		}
		logits, got, err := run(n.low)
		if err != nil {
			return err
		}
		c.interchange[i].count(p, got, changed)
		c.changed.count(p, got, changed.other(p, plain))
		c.losses.Interchange += p.loss(logits, changed)
		c.interchanged++
	}
	for i, n := range p.outside {
		logits, got, err := run(n)
		if err != nil {
			return err
		}
		c.effect[i].count(p, got, answers{own, plain.counts})
		c.losses.Strict += p.loss(logits, plain)
		c.out++
	}
	_, got, err := run(p.outside...)
	c.alone.count(p, got, plain)
	return err
}

// count counts those of some answers that are what they should be.
func (s *share) count(p *Pair, got []float64, want answers) {
	for i, v := range got {
		if !want.counts[i] {
			continue
		}
		s.all++
		if p.same(v, want.values[i]) {
			s.of++
		}
	}
}

// other are the answers that are not those of another run.
func (a answers) other(p *Pair, than answers) answers {
	out := answers{a.values, make([]bool, len(a.counts))}
	for i := range out.counts {
		out.counts[i] = a.counts[i] && !(than.counts[i] && p.same(a.values[i], than.values[i]))
	}
	return out
}

// loss is that of logits [B,T,V], which it changes.
func (p *Pair) loss(logits *tensor.Tensor, want answers) float64 {
	return slope(logits.Reshape(logits.Rows(), logits.Cols()).Matrix(), want, 1, p.numeric())
}

func (c *counts) quality() Quality {
	q := Quality{Accuracy: c.behaviour.value(), Changed: c.changed.value(), Alone: c.alone.value(), Interchange: 1,
		Losses: Losses{c.losses.Behaviour / measuredChunks, c.losses.Interchange / float64(max(c.interchanged, 1)), c.losses.Strict / float64(max(c.out, 1))}}
	for i, s := range c.interchange {
		if v := s.value(); q.At == "" || v < q.Interchange {
			q.Interchange, q.At = v, c.p.nodes[i].low.String()
		}
	}
	for i, s := range c.effect {
		if v := 1 - s.value(); q.EffectAt == "" || v > q.Effect {
			q.Effect, q.EffectAt = v, c.p.outside[i].String()
		}
	}
	return q
}

// The marks that a model must meet to count as the program.
const (
	LeastAccuracy    = 0.99
	LeastInterchange = 0.98
	LeastChanged     = 0.95
	MostEffect       = 0.02
)

// Misses lists the marks that a model misses, and by how much; none if it is
// good.
func (q Quality) Misses() []string {
	var out []string
	miss := func(what string, by float64, expected string, found float64) {
		if by > 0 {
			out = append(out, fmt.Sprintf("%s: expected %s, found %.4f, %.4f off", what, expected, found, by))
		}
	}
	miss("accuracy", LeastAccuracy-q.Accuracy, fmt.Sprintf("at least %g", LeastAccuracy), q.Accuracy)
	miss("interchange accuracy of "+q.At, LeastInterchange-q.Interchange, fmt.Sprintf("at least %g", LeastInterchange), q.Interchange)
	miss("accuracy where an interchange changes the answer", LeastChanged-q.Changed, fmt.Sprintf("at least %g", LeastChanged), q.Changed)
	miss("answers that "+q.EffectAt+" changes from outside", q.Effect-MostEffect, fmt.Sprintf("at most %g", MostEffect), q.Effect)
	return out
}

// Defined says at which positions the program has a value on inputs [B,T]; BOS has
// none.
func (p *Pair) Defined(ctx context.Context, inputs [][]int) ([][]bool, error) {
	logits, err := p.made().high.Transformer.Forward(ctx, inputs, transformer.Options{})
	if err != nil {
		return nil, err
	}
	t := len(inputs[0])
	return slices.Collect(slices.Chunk(p.answersOf(logits, t).counts, t)), nil
}
