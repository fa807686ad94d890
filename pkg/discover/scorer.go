package discover

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Scorer gives every edge a score: the more, the more the behaviour needs it.
type Scorer interface {
	// Name is what the command line calls the method.
	Name() string
	// Score runs the method until it is done or ctx ends, whose error it then
	// returns.
	Score(ctx context.Context, r Request) (*Scored, error)
}

// Scored is what a scorer found.
type Scored struct {
	Scores   circuit.Scores   // one for every edge of the graph
	Examples []circuit.Scores // by example, their mean being Scores; nil unless the request asks for them
	Cost     circuit.Cost
	Warnings []string // doubts about the scores
}

// Selected finds a circuit by scores: it chooses edges by them and leaves out
// those from which no path leads to the output or, under resample ablation, to
// which none leads from the embeddings; under others these carry something (see
// circuit.Graph.Prune).
type Selected struct {
	Scorer    Scorer
	Selection circuit.Selection // with Bootstrap, edges must keep their sign in 95 % of the resamplings
}

// Name is the scorer's.
func (s Selected) Name() string { return s.Scorer.Name() }

// Discover scores the edges and chooses.
func (s Selected) Discover(ctx context.Context, r Request) (*Result, error) {
	g := r.Experiment.Graph()
	if err := s.Selection.Check(g); err != nil {
		return nil, err
	}
	r.PerExample = r.PerExample || s.Selection.Bootstrap > 0
	found, err := s.Scorer.Score(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := r.Experiment.Measure(ctx); err != nil { // what the scores were no occasion to
		return nil, err
	}
	worth := found.Scores
	if s.Selection.Bootstrap > 0 {
		if found.Examples == nil {
			return nil, fmt.Errorf("bootstrap: %s has no scores of single examples to draw from", s.Name())
		}
		if worth, err = stable(ctx, found, s.Selection.Bootstrap, r.Seed); err != nil {
			return nil, err
		}
	}
	mask, gap, err := s.Selection.ChooseWithin(g, worth)
	if err != nil {
		return nil, err
	}
	out := &Result{Scores: found.Scores, Examples: found.Examples, Chosen: g.CountChosen(mask), Mask: mask, Cost: found.Cost,
		MetricInitial: r.Experiment.CleanMetric(), Warnings: found.Warnings}
	if gap > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("selection flow: the best circuit that was found; the sum of its scores may be less than the largest by %.3g", gap))
	}
	switch g.Prune(mask, r.Experiment.Runs().Ablation() == ablate.Resample); {
	case mask.Count() > 0:
	case out.Chosen > 0:
		out.Warnings = append(out.Warnings, fmt.Sprintf("the circuit is empty: none of the %d chosen edges lies on a path to the output", out.Chosen))
	case s.Selection.Rule == circuit.Threshold:
		out.Warnings = append(out.Warnings, fmt.Sprintf("the circuit is empty: no edge has a score of %.4g; the most is %.4g. A lower threshold, or a number of edges, chooses some", s.Selection.Least, most(worth)))
	default:
		out.Warnings = append(out.Warnings, "the circuit is empty: no edge was chosen")
	}
	out.MetricFinal, err = incremental.Metric(ctx, r.Experiment, mask)
	return out, err
}

// most is the largest of scores, those that are no numbers aside.
func most(scores circuit.Scores) float64 {
	out := math.Inf(-1)
	for _, x := range scores {
		if x > out {
			out = x
		}
	}
	return out
}

// stableShare is the share of the resamplings in which an edge's score must
// have its sign.
const stableShare = 0.95

// stable are the scores of the edges that keep their sign over resamplings of
// the examples, NaN being the others'.
func stable(ctx context.Context, s *Scored, samples int, seed uint64) (circuit.Scores, error) {
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	sum, agree := make([]float64, len(s.Scores)), make([]int, len(s.Scores))
	for range samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(sum)
		for range s.Examples {
			for i, x := range s.Examples[rng.IntN(len(s.Examples))] {
				sum[i] += x
			}
		}
		for i, x := range sum {
			if x*s.Scores[i] > 0 {
				agree[i]++
			}
		}
	}
	out := append(circuit.Scores(nil), s.Scores...)
	for i, n := range agree {
		if float64(n) < stableShare*float64(samples) {
			out[i] = math.NaN()
		}
	}
	return out, nil
}

// ByStream gives each edge the score that its sender has at the stream that its
// receiver reads, and a direct edge the most of those into its head's input:
// for methods that know what is added to the residual stream, and not what is
// made of it.
func ByStream(g *circuit.Graph, score func(sender int, r circuit.Node) float64) circuit.Scores {
	out := make(circuit.Scores, g.NumEdges())
	for _, r := range g.Receivers() {
		lo, hi := g.Incoming(r)
		if e := g.Edge(lo); e.IsDirect() {
			from, to := g.Incoming(e.Sender)
			for i := from; i < to; i++ {
				out[lo] = max(out[lo], out[i])
			}
			continue
		}
		for i := lo; i < hi; i++ {
			out[i] = score(i-lo, r)
		}
	}
	return out
}

// MeanOf is the mean of the scores of examples.
func MeanOf(examples []circuit.Scores) circuit.Scores {
	out := make(circuit.Scores, len(examples[0]))
	for _, one := range examples {
		for i, x := range one {
			out[i] += x
		}
	}
	for i := range out {
		out[i] /= float64(len(examples))
	}
	return out
}

// Times are the scores of examples, each times a factor.
func Times(factor float64, examples []circuit.Scores) []circuit.Scores {
	for _, one := range examples {
		for i := range one {
			one[i] *= factor
		}
	}
	return examples
}

// ByNode gives each edge the lesser of the scores of its two ends, as the
// reference implementation turns masks on nodes into circuits: an edge is there
// if both of its ends are. A head is there if its queries, keys or values are;
// embeddings and output always are, so that an edge between two of these has the
// most of all nodes' scores.
func ByNode(g *circuit.Graph, nodes map[circuit.Node]float64) circuit.Scores {
	most := math.Inf(-1)
	for _, s := range nodes {
		most = max(most, s)
	}
	at := func(n circuit.Node) float64 {
		if s, ok := nodes[n]; ok {
			return s
		}
		return most
	}
	sent := func(n circuit.Node) float64 {
		if n.Kind != circuit.Head {
			return at(n)
		}
		best := math.Inf(-1)
		for k := range circuit.Kind(3) {
			best = max(best, at(circuit.Node{Kind: circuit.Q + k, Layer: n.Layer, Head: n.Head}))
		}
		return best
	}
	out := make(circuit.Scores, g.NumEdges())
	for i := range out {
		e := g.Edge(i)
		r := e.Receiver
		switch side, ok := r.Letter(); {
		case ok:
			r.Kind = circuit.Q + circuit.Kind(side)
		case r.Kind == circuit.MLPIn:
			r.Kind = circuit.MLP
		}
		if out[i] = at(r); !e.IsDirect() {
			out[i] = min(out[i], sent(e.Sender))
		}
	}
	return out
}
