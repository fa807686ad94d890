package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// klRows are n clean logits, their probabilities and what they add up to, and
// patched logits whose differences are of the given scale.
func klRows(n int, scale float64) (p, x, y []float32, sum float64) {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	x, y = make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64() * 3)
		y[i] = x[i] + float32(rng.NormFloat64()*scale)
	}
	p = append([]float32(nil), x...)
	tensor.Softmax(p)
	for _, v := range p {
		sum += float64(v)
	}
	return p, x, y, sum
}

// TestKLTermsAgainstTheReference compares the terms of the fast pass with
// those in float64, which see differences of float32 logits exactly.
func TestKLTermsAgainstTheReference(t *testing.T) {
	worst := 0.0
	for _, n := range []int{1, 4, 15, 97, 128, 513, 2000, 50257} {
		for _, scale := range []float64{1e-6, 1e-4, 1e-2, 0.3, 1, 5} {
			p, x, y, sum := klRows(n, scale)
			got, want := klTerms(p, x, y), klTermsReference(p, x, y)
			size := 1e-30 // of mean's terms
			for i, pi := range p {
				size += float64(pi) * math.Abs(float64(y[i])-float64(x[i]))
			}
			worst = max(worst, math.Abs(got.Mean-want.Mean)/size, math.Abs(got.Beyond-want.Beyond)/(want.Beyond+1e-30))
			assert.InEpsilon(t, want.Largest+1, got.Largest+1, 1e-6)

			kl, ok := want.divergence(sum)
			if !ok {
				kl = klOracle(x, y)
			}
			assert.InDelta(t, kl, klDivergence(p, x, y, sum), 1e-13+1e-6*want.Beyond, "n %d, scale %g", n, scale)
		}
	}
	t.Logf("largest relative error of a term %.3g", worst)
	assert.Less(t, worst, 1e-6)
}

// lseOracle is log Σ e^x.
func lseOracle(x []float32) float64 {
	largest := float64(slices.Max(x))
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}

// klOracle is the definition, in float64 with a shifted sum.
func klOracle(x, y []float32) float64 {
	lx, ly, kl := lseOracle(x), lseOracle(y), 0.0
	for i := range x {
		p := float64(x[i]) - lx
		kl += math.Exp(p) * (p - float64(y[i]) + ly)
	}
	return kl
}

func TestKLAgainstTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []float32{1e-6, 1e-3, 0.2, 1, 30, 2000} {
		x, y := make([]float32, 97), make([]float32, 97)
		for i := range x {
			x[i] = float32(rng.NormFloat64()) * 3
			y[i] = x[i] + float32(rng.NormFloat64())*scale
		}
		if scale == 2000 { // a token that the clean run rules out and the patched one chooses
			x[5], y[5] = -500, 9000
		}
		if scale == 30 { // and one that the clean run chooses and the patched one rules out
			x[5], y[5] = 90, 20
		}
		p := append([]float32(nil), x...)
		tensor.Softmax(p)
		sum := 0.0
		for _, v := range p {
			sum += float64(v)
		}
		want := klOracle(x, y)
		got := klDivergence(p, x, y, sum)
		assert.InDelta(t, want, got, 1e-14+1e-6*want, "scale %v", scale)
		assert.Greater(t, got, 0.0)
	}
}

// Around the points at which the formula changes.
func TestKLWhereTheFormulaChanges(t *testing.T) {
	for d := -8.0; d < 6; d += 0.01 {
		x, y := []float32{2, 0, 0, -1}, []float32{2, 0, 0, -1}
		y[0] += float32(d)
		p := append([]float32(nil), x...)
		tensor.Softmax(p)
		sum := 0.0
		for _, v := range p {
			sum += float64(v)
		}
		want := klOracle(x, y)
		assert.InDelta(t, want, klDivergence(p, x, y, sum), 1e-7+1e-5*want, "d = %v", d)
	}
}

func TestKLOfNaN(t *testing.T) {
	p, x, y, sum := klRows(40, 1)
	y[17] = float32(math.NaN())
	assert.True(t, math.IsNaN(klDivergence(p, x, y, sum)))
	y[3] = 1e4
	assert.True(t, math.IsNaN(klDivergence(p, x, y, sum)), "and far apart")
}

func BenchmarkKL(b *testing.B) {
	for _, n := range []int{128, 50257} {
		p, x, y, sum := klRows(n, 0.01)
		b.Run(fmt.Sprintf("fast/%d", n), func(b *testing.B) {
			b.SetBytes(int64(12 * n))
			for b.Loop() {
				klDivergence(p, x, y, sum)
			}
		})
		b.Run(fmt.Sprintf("reference/%d", n), func(b *testing.B) {
			b.SetBytes(int64(12 * n))
			for b.Loop() {
				klTermsReference(p, x, y)
			}
		})
	}
}

func BenchmarkGradient(b *testing.B) {
	const vocab = 50257
	for _, name := range []Name{KL, NLL, L2, ProbDiff} {
		_, x, y, _ := klRows(vocab, 0.01)
		m, err := New(name, Targets{Clean: [][]int{{0}}, Correct: [][]int{{1}}, Wrong: [][]int{{2}}, Vocab: vocab})
		require.NoError(b, err)
		m.SetClean(tensor.From(x, 1, vocab))
		grad := make([]float32, vocab)
		b.Run(string(name), func(b *testing.B) {
			b.SetBytes(12 * vocab)
			for b.Loop() {
				_ = m.Gradient(0, y, grad)
			}
		})
	}
}
