package tensor_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// kernels are those this machine has.
func kernels() (names []string) {
	for _, name := range []string{"avx512", "avx2", "neon", "portable"} {
		if restore, err := tensor.ForceKernel(name); err == nil {
			restore()
			names = append(names, name)
		}
	}
	return names
}

func eachKernel(t *testing.T, f func(t *testing.T)) {
	for _, name := range kernels() {
		t.Run(name, func(t *testing.T) {
			restore, err := tensor.ForceKernel(name)
			require.NoError(t, err)
			defer restore()
			f(t)
		})
	}
}

func TestForceKernel(t *testing.T) {
	before := tensor.KernelName()
	assert.Equal(t, kernels()[0], before, "the fastest is the default")
	restore, err := tensor.ForceKernel("portable")
	require.NoError(t, err)
	assert.Equal(t, "portable", tensor.KernelName())
	restore()
	assert.Equal(t, before, tensor.KernelName())

	_, err = tensor.ForceKernel("sse9")
	assert.ErrorIs(t, err, tensor.ErrKernel)
	assert.ErrorContains(t, err, `"sse9": this machine has `)
	assert.ErrorContains(t, err, "portable")
}

// random returns a tensor of normally distributed values.
func random(rnd *rand.Rand, shape ...int) *tensor.Tensor {
	x := tensor.New(shape...)
	for i := range x.Data {
		x.Data[i] = float32(rnd.NormFloat64())
	}
	return x
}

// requireSameBits compares bit by bit; any NaN equals any other.
func requireSameBits(t *testing.T, want, got []float32, what ...any) {
	t.Helper()
	require.Equal(t, len(want), len(got), what...)
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) && (want[i] == want[i] || got[i] == got[i]) {
			t.Fatalf("%v: at %d %g, want %g", what, i, got[i], want[i])
		}
	}
}
