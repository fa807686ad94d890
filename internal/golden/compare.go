package golden

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Worst is the largest absolute difference, over the values that want has.
func Worst(t testing.TB, name string, want, got []float32) float64 {
	t.Helper()
	require.GreaterOrEqual(t, len(got), len(want), name)
	d := 0.0
	for i := range want {
		if want[i] == got[i] { // also where both are -Inf
			continue
		}
		d = math.Max(d, math.Abs(float64(want[i])-float64(got[i])))
		require.False(t, math.IsNaN(float64(got[i])), name)
	}
	return d
}

// Compare runs the model on tokens and compares every golden activation whose
// name has the prefix, and the logits, with what the hooks see.
func Compare(t testing.TB, m *transformer.Model, tokens [][]int, acts *weights.File, prefix, logitsName string) {
	t.Helper()
	var points []transformer.HookPoint
	for _, n := range acts.Names() {
		name, ok := strings.CutPrefix(n, prefix)
		if !ok || n == logitsName {
			continue
		}
		p, err := transformer.ParseHookPoint(name)
		require.NoError(t, err)
		require.Equal(t, name, p.String())
		points = append(points, p)
	}
	require.NotEmpty(t, points)
	logits, cache, err := m.RunWithCache(t.Context(), tokens, points, transformer.Options{Threads: 2})
	require.NoError(t, err)
	largest, where := 0.0, ""
	for _, p := range points {
		want, shape, err := acts.Float32(t.Context(), prefix+p.String())
		require.NoError(t, err)
		require.Equal(t, shape[1:], cache[p].Shape()[1:], p.String())
		if d := Worst(t, p.String(), want, cache[p].Data); d > largest {
			largest, where = d, p.String()
		}
	}
	want, _, err := acts.Float32(t.Context(), logitsName)
	require.NoError(t, err)
	d := Worst(t, "logits", want, logits.Data)
	t.Logf("%d activations: largest difference %.2e (%s); logits %.2e", len(points), largest, where, d)
	assert.Less(t, largest, 1e-4)
	assert.Less(t, d, 1e-4)
	plain, err := m.Forward(t.Context(), tokens, transformer.Options{Threads: 1})
	require.NoError(t, err)
	assert.Less(t, Worst(t, "logits", logits.Data, plain.Data), 1e-5, "hooks and threads change no logits")
}
