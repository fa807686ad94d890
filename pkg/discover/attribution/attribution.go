// Package attribution scores edges by gradients: what cutting an edge would do
// to the metric, to first order.
//
// With Δ_u = a_u(corrupted) − a_u(clean), what sender u adds to the residual
// stream, and g_v = ∂m/∂x_v, the gradient of the metric at receiver v's input,
//
//	score(u→v) = Σ over examples, positions and d_model of Δ_u · g_v.
//
// A direct edge, from a head's input to its queries, keys or values, is scored
// in the same way by these themselves. The methods differ in the runs at which g
// is taken:
//
//   - EAP (Syed et al. 2023, arXiv:2310.10348): the clean run;
//   - EAP-IG over inputs (Hanna et al. 2024, arXiv:2403.17806): the mean over m
//     runs between the corrupted embedding and the clean one, the latter left
//     out;
//   - EAP-IG over activations: the mean over runs in which the output of one
//     layer's attention, or one MLP, or the embedding, is between its corrupted
//     and its clean value, the former left out;
//   - clean-corrupted: the mean of the clean and the corrupted run.
//
// Where a norm stands behind attention, Δ of a head is what its change of the heads'
// sum changes behind that norm, to first order around the run at which g is taken:
// with it a score is the derivative of the patched run with respect to the edge.
//
// RelP (Rezaei Jafari et al. 2025, arXiv:2508.21258) is EAP with other rules
// on the way backward.
package attribution

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// At says at which runs the gradient is taken.
type At string

// The runs.
const (
	Clean          At = "clean"
	Inputs         At = "inputs"          // between the corrupted embedding and the clean one
	Activations    At = "activations"     // between the corrupted and the clean output of each layer in turn
	CleanCorrupted At = "clean-corrupted" // both ends
)

// Ats lists the valid values.
func Ats() []At { return []At{Clean, Inputs, Activations, CleanCorrupted} }

// Scorer is one of the methods.
type Scorer struct {
	At           At   `json:"at"`
	Steps        int  `json:"steps,omitempty"`         // m, of Inputs and Activations; 5 if 0
	RelP         bool `json:"relp,omitempty"`          // norms are divided by a constant, activation functions are a constant times their input
	FixedPattern bool `json:"fixed_pattern,omitempty"` // of RelP: attention weights are constants as well
	PreNorm      bool `json:"prenorm,omitempty"`       // heads' differences leave out the norm behind attention, as EAP-IG's own do
}

// DefaultSteps is how many runs are between the corrupted and the clean one.
const DefaultSteps = 5

// Name is "eap", "eap-ig", "eap-ig-activations", "clean-corrupted" or "relp".
func (s Scorer) Name() string {
	switch {
	case s.RelP:
		return "relp"
	case s.At == Inputs:
		return "eap-ig"
	case s.At == Activations:
		return "eap-ig-activations"
	case s.At == CleanCorrupted:
		return "clean-corrupted"
	}
	return "eap"
}

// check refuses options that do not go together.
func (s Scorer) check(a ablate.Ablation) error {
	if _, err := choice.Parse("gradient", string(s.At), Ats()); err != nil {
		return err
	}
	between := s.At == Inputs || s.At == Activations
	switch {
	case s.Steps < 0 || s.Steps > 0 && !between:
		return fmt.Errorf("steps: expected none but with gradients between two runs, found %d", s.Steps)
	case s.FixedPattern && !s.RelP:
		return fmt.Errorf("fixed attention patterns are a rule of RelP")
	case s.RelP && s.At != Clean:
		return fmt.Errorf("RelP takes its gradient at the clean run, found %s", s.At)
	case s.At == CleanCorrupted && a != ablate.Resample:
		return fmt.Errorf("clean-corrupted takes gradients at the corrupted run: expected ablation resample, whose corrupted run is a run of the model, found %s", a)
	}
	return nil
}

// Score takes the gradients, batch by batch. No score depends on the batches.
func (s Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	e := r.Experiment
	if s.At == "" {
		s.At = Clean
	}
	if err := s.check(e.Runs().Ablation()); err != nil {
		return nil, err
	}
	if s.Steps == 0 {
		s.Steps = DefaultSteps
	}
	examples := make([]circuit.Scores, 0, e.Runs().Examples())
	out := &discover.Scored{}
	total := e.Graph().NumEdges()
	var x edges
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		out.Cost.FLOP += 2 * b.ForwardFLOP()
		for part, err := range b.Parts(ctx, atATime(b)) {
			if err != nil {
				return nil, err
			}
			scores, err := s.part(ctx, &x, part, r, &out.Cost)
			if err != nil {
				return nil, err
			}
			examples = append(examples, scores...)
		}
	}
	out.Cost.ForwardPasses = float64(out.Cost.FLOP) / float64(e.ForwardFLOP())
	out.Scores = make(circuit.Scores, total)
	for _, one := range examples {
		for i, x := range one {
			out.Scores[i] += x
		}
	}
	if s.At == Clean && metric.LeastAtClean(e.Metric().Name()) {
		out.Warnings = append(out.Warnings, fmt.Sprintf("metric %s is least at the clean run, where its gradient is 0: the scores are noise; expected another metric, or gradients between runs (eap-ig)", e.Metric().Name()))
	}
	if r.PerExample {
		out.Examples = discover.Times(float64(len(examples)), examples)
	}
	return out, nil
}

// part takes the gradients of some examples, in the memory of x.
func (s Scorer) part(ctx context.Context, x *edges, b *patch.Bound, r discover.Request, cost *circuit.Cost) ([]circuit.Scores, error) {
	x.take(b)
	all := float64(b.Runs.Examples())
	points, through := s.points(b), b.Runs.Model().Config.PostNorm && !s.PreNorm
	for i, p := range points {
		run, err := p.run(ctx)
		if err != nil {
			return nil, err
		}
		switch {
		case through:
			x.lay(run, s.rules())
		case i == 0:
			x.lay(nil, transformer.Rules{})
		}
		if _, err := b.Backward(ctx, run, transformer.BackwardOptions{Hooks: append(p.stop, x.hooks(ctx, p.weight)...), Heads: x.heads(), Rules: s.rules()}); err != nil {
			return nil, err
		}
		cost.FLOP += p.flop + b.BackwardFLOP() + x.flop()
		if total := b.Runs.Graph().NumEdges(); r.Observe != nil {
			done := float64(b.Lo) + float64(b.Examples()*(i+1))/float64(len(points))
			r.Observe(discover.Event{Decided: int(done / all * float64(total)), Total: total, Cost: *cost})
		}
	}
	return x.scores, ctx.Err()
}

// mostFloats bounds what Score holds beside the two runs.
const mostFloats = 64 << 20

// atATime is how many examples Score takes at a time, so that it does not hold
// more than that.
func atATime(b *patch.Bound) int {
	each := floatsEach(b.Runs.Graph(), b.Runs.Model().Config) * int64(b.Runs.Positions())
	return int(max(1, mostFloats/each))
}

// rules are those of the way backward.
func (s Scorer) rules() transformer.Rules {
	return transformer.Rules{FixedNorm: s.RelP, FixedActRatio: s.RelP, HalfGates: s.RelP, FixedPattern: s.FixedPattern}
}

// floatsEach is how many numbers Score holds at most of one position beside the two
// runs: the differences, gradients of a layer, and a run between the two.
func floatsEach(g *circuit.Graph, c transformer.Config) int64 {
	return int64(c.DModel)*int64(len(g.Senders())+3*c.Heads+1) + transformer.ActivationFloats(c, g.Config().SplitEmbed)
}
