package train

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRate(t *testing.T) {
	o := Optimizer{LearningRate: 2, Warmup: 4, Final: 0.1}
	got := []float64{}
	for s := range 9 {
		got = append(got, o.rate(s, 9))
	}
	cosine := func(x float64) float64 { return 2 * (0.1 + 0.9*(1+math.Cos(math.Pi*x))/2) }
	assert.InDeltaSlice(t, []float64{0.5, 1, 1.5, 2, 2, cosine(.25), cosine(.5), cosine(.75), 0.2}, got, 1e-12)
	assert.Equal(t, 2.0, Optimizer{LearningRate: 2}.rate(0, 1), "a run of one step")
}

// Weight decay is for what is called W_, and for all of that.
func TestDecayIsOfMatrices(t *testing.T) {
	c := parse(t, []byte(tiny)).config.Config
	w := newArena(c)
	for i := range w.flat {
		w.flat[i] = 1
	}
	o := &adamW{Optimizer{LearningRate: 0.5, WeightDecay: 0.2, Epsilon: 1e-8, Beta1: 0.9, Beta2: 0.9}, make([]float32, len(w.flat)), make([]float32, len(w.flat))}
	o.step(0, 1, w, make([]float32, len(w.flat)), 1, 2)
	names := map[bool]int{}
	for _, p := range w.params.All(c) {
		matrix := strings.Contains(p.Name, ".W_")
		names[matrix]++
		want := float32(1)
		if matrix {
			want = 0.9
		}
		for _, v := range p.Data() {
			require.InDelta(t, want, v, 1e-6, p.Name)
		}
	}
	assert.Equal(t, map[bool]int{true: 3 + 2*6, false: 1 + 2 + 2*(2+4+2+2)}, names)
}

// The steps are those of the formula, computed in float64.
func TestAdamWAgreesWithItsFormula(t *testing.T) {
	c := parse(t, []byte(tiny)).config.Config
	w := newArena(c)
	n := len(w.flat)
	rng := rand.New(rand.NewPCG(1, 2))
	want, first, second, decays := make([]float64, n), make([]float64, n), make([]float64, n), make([]bool, n)
	for i := range want {
		w.flat[i] = float32(rng.NormFloat64())
		want[i] = float64(w.flat[i])
	}
	for _, d := range w.decays {
		for i := d.lo; i < d.hi; i++ {
			decays[i] = true
		}
	}
	o := &adamW{Optimizer{LearningRate: 0.01, Warmup: 3, Final: 0.1, Beta1: 0.8, Beta2: 0.95, Epsilon: 1e-6, WeightDecay: 0.3, HeadLasso: 2}, make([]float32, n), make([]float32, n)}
	const steps, scale = 7, 0.5
	for s := range steps {
		g := make([]float32, n)
		for i := range g {
			g[i] = float32(rng.NormFloat64() * 0.1)
		}
		o.step(s, steps, w, g, scale, 3)
		rate := o.rate(s, steps)
		for i := range want {
			x := float64(g[i]) * scale
			first[i] = 0.8*first[i] + 0.2*x
			second[i] = 0.95*second[i] + 0.05*x*x
			step := first[i] / (1 - math.Pow(0.8, float64(s+1))) / (math.Sqrt(second[i]/(1-math.Pow(0.95, float64(s+1)))) + 1e-6)
			if decays[i] {
				step += 0.3 * want[i]
			}
			want[i] -= rate * step
		}
		for l := range w.params.Blocks {
			wo := w.params.Blocks[l].WO
			for h := range c.Heads { // heads lie one after the other in W_O
				size := c.DHead * c.DModel
				at := offset(w, wo.Data) + h*size
				sum := 0.0
				for _, v := range want[at : at+size] {
					sum += v * v
				}
				for i := range size {
					want[at+i] *= math.Max(0, 1-rate*2/math.Sqrt(sum))
				}
			}
		}
	}
	for i, v := range want {
		require.InDelta(t, v, w.flat[i], 2e-5, i)
	}
}

// offset is where a view of an arena begins.
func offset(a *arena, view []float32) int {
	for i := range a.flat {
		if &a.flat[i] == &view[0] {
			return i
		}
	}
	panic("no view of the arena")
}

func TestHeadsAreShortenedToNothing(t *testing.T) {
	c := parse(t, []byte(tiny)).config.Config
	w := newArena(c)
	require.Len(t, w.heads, c.Layers*c.Heads)
	covered := 0
	for i, h := range w.heads {
		for j := h.lo; j < h.hi; j++ {
			w.flat[j] = float32(i)
			covered++
		}
	}
	for l := range w.params.Blocks {
		assert.Equal(t, w.params.Blocks[l].WO.Len()*c.Layers, covered)
	}
	length := math.Sqrt(float64(c.DHead * c.DModel))
	w.shrink(1.5 * length)
	for i, h := range w.heads {
		assert.InDelta(t, math.Max(0, float64(i)-1.5), w.flat[h.lo], 1e-6)
	}
}

func TestNormDoesNotDependOnThreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	x := make([]float32, 100_003)
	sum := 0.0
	for i := range x {
		x[i] = float32(rng.NormFloat64())
		sum += float64(x[i]) * float64(x[i])
	}
	one := norm(x, 1)
	assert.InDelta(t, math.Sqrt(sum), one, 1e-9)
	for _, threads := range []int{2, 3, 8} {
		assert.Equal(t, one, norm(x, threads))
	}
	assert.Zero(t, norm(nil, 2))
}
