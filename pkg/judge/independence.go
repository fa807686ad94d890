package judge

import (
	"math"
	"math/rand/v2"
	"slices"
)

// mostExamples is of how many examples independence is tested; a permutation
// costs their square.
const mostExamples = 500

// independence tests H0: the scores of the complement and of the model have
// nothing to do with each other. The statistic is the Hilbert-Schmidt independence
// criterion (Gretton et al. 2007) with Gaussian kernels as wide as the median
// distance of each run's scores,
//
//	HSIC = trace(H K H L) / (n − 1)²,  H = 1 − 1/n,
//
// the p-value the share of permutations of the examples, the given order among
// them, in which it is as large.
//
// Where the model scores the same on every example, as it does by a distance from
// itself, the hypothesis is true of every circuit: not to reject it is no merit of this
// one, and the test is open. Where only the complement does, another circuit could have
// been rejected, and the test speaks for this one.
func (x *trials) independence() Test {
	t := Test{Name: Independence, Null: "the scores of the complement are independent of the model's"}
	n := min(len(x.model), mostExamples)
	k, okModel := kernel(x.model[:n], nothing*math.Abs(x.span()))
	l, okRest := kernel(x.complement[:n], nothing*math.Abs(x.span()))
	switch {
	case !okModel:
		return t.open("by %s the model scores the same on every example: nothing can depend on that, the null hypothesis holds whatever the circuit, and no circuit could fail; a metric that is a score of its own, as nll or logit_diff, can tell", x.e.Metric().Name())
	case !okRest:
		t.Note = "the complement scores the same on every example, whatever the model does"
		return x.decide(t, 1, 0, Against)
	}
	center(k)
	rng := rand.New(rand.NewPCG(x.o.Seed, 0x451c))
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	t.Statistic = hsic(k, l, order)
	as := 1
	for range x.o.Permutations {
		rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
		other := hsic(k, l, order)
		if t.Sample = append(t.Sample, other); other >= t.Statistic-rounding*math.Abs(t.Statistic) {
			as++
		}
	}
	observed := t.Statistic
	t.Observed = &observed
	all := float64(x.o.Permutations + 1)
	return x.decide(t, float64(as)/all, 1/all, Against)
}

// kernel is the Gaussian kernel of scores, as wide as their median distance. It is
// false where all scores are the same, to within so much.
func kernel(s []float64, same float64) ([][]float64, bool) {
	if len(s) < 2 || slices.Max(s)-slices.Min(s) <= same {
		return nil, false
	}
	var apart []float64
	for i := range s {
		for j := range i {
			if d := math.Abs(s[i] - s[j]); d > same {
				apart = append(apart, d)
			}
		}
	}
	slices.Sort(apart)
	width := Quantile(apart, 0.5)
	out := make([][]float64, len(s))
	for i := range s {
		out[i] = make([]float64, len(s))
		for j := range s {
			d := (s[i] - s[j]) / width
			out[i][j] = math.Exp(-d * d / 2)
		}
	}
	return out, true
}

// center takes the means of rows and columns out of a symmetric matrix.
func center(k [][]float64) {
	n := float64(len(k))
	rows, all := make([]float64, len(k)), 0.0
	for i, row := range k {
		for _, x := range row {
			rows[i] += x / n
		}
		all += rows[i] / n
	}
	for i := range k {
		for j := range k {
			k[i][j] += all - rows[i] - rows[j]
		}
	}
}

// hsic is the criterion of a centred kernel and another one, whose examples are
// in some order. To centre one of the two is enough.
func hsic(k, l [][]float64, order []int) float64 {
	sum := 0.0
	for i, row := range k {
		other := l[order[i]]
		for j, x := range row {
			sum += x * other[order[j]]
		}
	}
	n := float64(len(k) - 1)
	return sum / (n * n)
}
