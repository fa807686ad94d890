package gpt_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/gpt"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// worst is the largest absolute difference, over the values that want has.
func worst(t *testing.T, name string, want, got []float32) float64 {
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

// compare runs the model on tokens and compares every golden activation whose
// name has the prefix, and the logits, with what the hooks see.
func compare(t *testing.T, m *gpt.Model, tokens [][]int, acts *weights.File, prefix, logitsName string) {
	t.Helper()
	var points []gpt.HookPoint
	for _, n := range acts.Names() {
		name, ok := strings.CutPrefix(n, prefix)
		if !ok || n == logitsName {
			continue
		}
		p, err := gpt.ParseHookPoint(name)
		require.NoError(t, err)
		require.Equal(t, name, p.String())
		points = append(points, p)
	}
	require.NotEmpty(t, points)
	logits, cache, err := m.RunWithCache(tokens, points, gpt.Options{Threads: 2})
	require.NoError(t, err)
	largest, where := 0.0, ""
	for _, p := range points {
		want, shape, err := acts.Float32(prefix + p.String())
		require.NoError(t, err)
		require.Equal(t, shape[1:], cache[p].Shape()[1:], p.String())
		if d := worst(t, p.String(), want, cache[p].Data); d > largest {
			largest, where = d, p.String()
		}
	}
	want, _, err := acts.Float32(logitsName)
	require.NoError(t, err)
	d := worst(t, "logits", want, logits.Data)
	t.Logf("%d activations: largest difference %.2e (%s); logits %.2e", len(points), largest, where, d)
	assert.Less(t, largest, 1e-4)
	assert.Less(t, d, 1e-4)
	plain, err := m.Forward(tokens, gpt.Options{Threads: 1})
	require.NoError(t, err)
	assert.Less(t, worst(t, "logits", logits.Data, plain.Data), 1e-5, "hooks and threads change no logits")
}

func TestGoldenActivations(t *testing.T) {
	for _, name := range []string{"induction-attn2l", "gpt3l-random"} {
		t.Run(name, func(t *testing.T) {
			m := golden.Model(t, name)
			data := golden.Open(t, golden.Path(name, "data.safetensors"))
			compare(t, m, golden.Tokens(t, data, "clean"), data, "clean/", "clean_logits")
			logits, err := m.Forward(golden.Tokens(t, data, "corrupt"), gpt.Options{})
			require.NoError(t, err)
			want, _, err := data.Float32("corrupt_logits")
			require.NoError(t, err)
			assert.Less(t, worst(t, "corrupt", want, logits.Data), 1e-4)
		})
	}
	for _, name := range []string{"tracr-reverse", "tracr-proportion", "or_gate"} {
		t.Run(name, func(t *testing.T) {
			m := golden.Model(t, name)
			acts := golden.Open(t, golden.Path("tracr", name+".activations.safetensors"))
			var data struct {
				Clean [][]int `json:"validation_data"`
			}
			golden.ReadJSON(t, &data, "tracr", name+".data.json")
			require.True(t, slices.Contains(acts.Names(), "clean/logits"))
			compare(t, m, data.Clean, acts, "clean/", "clean/logits")
		})
	}
}
