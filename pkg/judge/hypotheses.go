package judge

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// TestName names a hypothesis test.
type TestName string

// The tests.
const (
	Equivalence  TestName = "equivalence"
	Independence TestName = "independence"
	Minimality   TestName = "minimality"
	Sufficiency  TestName = "sufficiency"
	Necessity    TestName = "necessity"
)

// Test is a hypothesis test of the circuit.
type Test struct {
	Name      TestName  `json:"test"`
	Null      string    `json:"null_hypothesis"`
	Statistic float64   `json:"statistic"`
	P         *float64  `json:"p"`        // null where the test cannot be made
	Rejected  bool      `json:"rejected"` // the null hypothesis is, at the level
	Outcome   Outcome   `json:"outcome"`
	Note      string    `json:"note,omitempty"`
	Observed  *float64  `json:"observed,omitempty"` // what is compared with the null distribution
	Sample    []float64 `json:"sample,omitempty"`   // the null distribution
	Parts     []PartP   `json:"parts,omitempty"`    // of minimality, edge by edge or node by node
}

// Outcome is what a test says of the circuit.
type Outcome string

// The outcomes.
const (
	For     Outcome = "for"     // the circuit does as a good one would
	Against Outcome = "against" // it does not
	Open    Outcome = "open"    // the test cannot tell, and says why
)

// PartP is the p-value of one edge or node.
type PartP struct {
	Name     string  `json:"name"`
	Observed float64 `json:"observed"`
	P        float64 `json:"p"`
}

// nothing is the share of |m(M) − m(∅)| below which two scores are the same: what
// rounding makes.
const nothing = 1e-4

// hypotheses are the tests of Shi et al. 2024.
func (b *bench) hypotheses(ctx context.Context, o Options, parts []Part) ([]Test, error) {
	x := &trials{bench: b, o: o, paths: newPaths(b.graph, rand.New(rand.NewPCG(o.Seed, 0x54e5)))}
	var err error
	if x.model, err = b.scores(ctx, b.graph.Full()); err != nil {
		return nil, err
	}
	if x.circuit, err = b.scores(ctx, b.mask); err != nil {
		return nil, err
	}
	if x.complement, err = b.scores(ctx, b.complement(b.mask)); err != nil {
		return nil, err
	}
	out := []Test{x.equivalence(), x.independence()}
	for _, test := range []func(context.Context) (Test, error){
		func(ctx context.Context) (Test, error) { return x.minimality(ctx, parts) }, x.sufficiency, x.necessity,
	} {
		t, err := test(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// trials is what the tests share.
type trials struct {
	*bench
	o                          Options
	paths                      *paths
	model, circuit, complement []float64 // scores by example
}

// open is a test that cannot tell.
func (t Test) open(format string, args ...any) Test {
	t.Outcome, t.Note = Open, fmt.Sprintf(format, args...)
	return t
}

// decide rejects the null hypothesis where p is below the level, for or against
// the circuit. least is the least p that there could have been: where not even
// that is below the level, the test cannot tell.
func (x *trials) decide(t Test, p, least float64, rejectionIs Outcome) Test {
	t.P, t.Rejected = &p, p < x.o.Level
	switch {
	case least >= x.o.Level:
		return t.open("too few to tell: whatever they are, p is at least %.3g", least)
	case t.Rejected == (rejectionIs == For):
		t.Outcome = For
	default:
		t.Outcome = Against
	}
	return t
}

// equivalence tests H0: |P(s(C) > s(M)) − ½| < ε. The statistic is the share of
// the examples on which the circuit is the better one less ½, examples on which
// both are the same counting half; the p-value is the largest probability of as
// much that H0 allows, that of a share of ½ + ε.
func (x *trials) equivalence() Test {
	wins, same := 0.0, nothing*math.Abs(x.span())
	for i, s := range x.circuit {
		switch d := s - x.model[i]; {
		case math.Abs(d) <= same:
			wins += 0.5
		case d > 0:
			wins++
		}
	}
	n := len(x.circuit)
	t := Test{Name: Equivalence, Null: fmt.Sprintf("circuit and model are as likely to be the better one, to within %v", x.o.Epsilon), Statistic: wins/float64(n) - 0.5}
	if metric.LeastAtClean(x.e.Metric().Name()) {
		t.Note = fmt.Sprintf("%s measures the distance from the model: the circuit can be the same, but never better", x.e.Metric().Name())
	}
	return x.decide(t, asFar(n, t.Statistic, x.o.Epsilon), asFar(n, 0.5, x.o.Epsilon), Against)
}

// asFar is the probability that the share of n successes is as far from one half
// if each has the probability ½ + ε.
func asFar(n int, statistic, epsilon float64) float64 {
	p := 0.0
	for k := range n + 1 {
		if math.Abs(float64(k)/float64(n)-0.5) >= math.Abs(statistic)-rounding {
			p += binomial(n, k, 0.5+epsilon)
		}
	}
	return min(p, 1)
}

// rounding is what sums of shares may be off by.
const rounding = 1e-12

// binomial is the probability of k successes of n, for 0 < p < 1.
func binomial(n, k int, p float64) float64 {
	choose := logFactorial(n) - logFactorial(k) - logFactorial(n-k)
	return math.Exp(choose + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// logFactorial is log n!.
func logFactorial(n int) float64 {
	x, _ := math.Lgamma(float64(n) + 1)
	return x
}

// atLeast and atMost are the probabilities of at least and at most k of n.
func atLeast(n, k int, p float64) float64 { return sumBinomial(n, k, n, p) }
func atMost(n, k int, p float64) float64  { return sumBinomial(n, 0, k, p) }

func sumBinomial(n, from, to int, p float64) float64 {
	sum := 0.0
	for k := from; k <= to; k++ {
		sum += binomial(n, k, p)
	}
	return min(sum, 1)
}

// sample draws the null distribution.
func (x *trials) sample(ctx context.Context, draw func() (float64, error)) ([]float64, error) {
	out := make([]float64, x.o.Samples)
	for i := range out {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out[i], err = draw(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// between is the distance of a mask's scores from others.
func (x *trials) between(ctx context.Context, from []float64, m circuit.Mask) (float64, error) {
	s, err := x.scores(ctx, m)
	if err != nil {
		return 0, err
	}
	return distance(from, s), nil
}

// minimality tests for each part H0: it matters more than a share q of what one
// edge matters that chance adds to the circuit. The circuit with a random path
// loses one of the path's edges, again and again; a part that is above fewer of
// these than a share of q allows is superfluous. The level is divided by the
// number of parts (Bonferroni).
func (x *trials) minimality(ctx context.Context, parts []Part) (Test, error) {
	t := Test{Name: Minimality, Null: fmt.Sprintf("each part matters more than %v of the edges that chance would add", x.o.Quantile)}
	if len(parts) == 0 {
		return t.open("the circuit has no parts"), nil
	}
	if x.mask.Count() == len(x.mask) {
		return t.open("the circuit has all edges: none can be added"), nil
	}
	var err error
	t.Sample, err = x.sample(ctx, func() (float64, error) {
		m := x.mask.Clone()
		added := x.paths.grow(m, m.Count()+1)
		with, err := x.scores(ctx, m)
		if err != nil {
			return 0, err
		}
		m[added[x.paths.rng.IntN(len(added))]] = false
		return x.between(ctx, with, m)
	})
	if err != nil {
		return t, err
	}
	least := 1.0
	for _, part := range parts {
		above := 0
		for _, d := range t.Sample {
			if part.Square > d {
				above++
			}
		}
		p := atMost(len(t.Sample), above, x.o.Quantile)
		least = min(least, p)
		t.Parts = append(t.Parts, PartP{part.Name, part.Square, p})
		if p < x.o.Level/float64(len(parts)) {
			t.Statistic++
		}
	}
	n := float64(len(parts))
	return x.decide(t, min(1, least*n), min(1, atMost(len(t.Sample), 0, x.o.Quantile)*n), Against), nil
}

// sufficiency tests H0: the circuit is nearer to the model than at most a share q
// of the random circuits of its size.
func (x *trials) sufficiency(ctx context.Context) (Test, error) {
	t := Test{Name: Sufficiency, Null: fmt.Sprintf("the circuit is nearer to the model than at most %v of random circuits of its size", x.o.Quantile)}
	return x.againstChance(ctx, t, x.circuit, func(m circuit.Mask) circuit.Mask { return m }, func(own, other float64) bool { return own <= other })
}

// necessity tests H0: without the circuit the model loses more than without at
// most a share q of the random circuits of its size.
func (x *trials) necessity(ctx context.Context) (Test, error) {
	t := Test{Name: Necessity, Null: fmt.Sprintf("without the circuit the model loses more than without at most %v of random circuits of its size", x.o.Quantile)}
	return x.againstChance(ctx, t, x.complement, x.bench.complement, func(own, other float64) bool { return own > other })
}

// againstChance counts how many random circuits a circuit's distance from the
// model beats.
func (x *trials) againstChance(ctx context.Context, t Test, own []float64, of func(circuit.Mask) circuit.Mask, beats func(own, other float64) bool) (Test, error) {
	observed := distance(x.model, own)
	t.Observed = &observed
	var err error
	t.Sample, err = x.sample(ctx, func() (float64, error) {
		return x.between(ctx, x.model, of(x.paths.circuit(x.mask.Count())))
	})
	if err != nil {
		return t, err
	}
	wins := 0
	for _, d := range t.Sample {
		if beats(observed, d) {
			wins++
		}
	}
	t.Statistic = float64(wins) / float64(len(t.Sample))
	n := len(t.Sample)
	return x.decide(t, atLeast(n, wins, x.o.Quantile), atLeast(n, n, x.o.Quantile), For), nil
}
