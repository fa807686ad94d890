package compile

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Worst runs a compiled program on inputs, through the transformer in batches
// of one length, holds its values against the interpreter's, and returns the
// largest difference of a logit. Inputs on which the program has no meaning are
// left out; at least a tenth must have one.
func Worst(t testing.TB, program rasp.Expr, m *Model, inputs [][]rasp.Value) (largest float64) {
	t.Helper()
	byLength, count := map[int][][]rasp.Value{}, 0
	for _, x := range inputs {
		byLength[len(x)] = append(byLength[len(x)], x)
	}
	for n, same := range byLength {
		var tokens [][]int
		var wants [][]rasp.Value
		for _, x := range same {
			want, err := rasp.Eval(program, m.Domain, x)
			var mixed *rasp.MixedError
			if errors.As(err, &mixed) {
				continue
			}
			require.NoError(t, err)
			ids, err := m.Encode(x)
			require.NoError(t, err)
			tokens, wants = append(tokens, ids), append(wants, want)
		}
		count += len(tokens)
		if len(tokens) == 0 {
			continue
		}
		logits, err := m.Transformer.Forward(context.Background(), tokens, transformer.Options{})
		require.NoError(t, err)
		for b, want := range wants {
			for p, v := range want {
				got := logits.Row(b*(n+1) + p + 1)
				largest = math.Max(largest, difference(t, m, got, v))
			}
		}
	}
	require.GreaterOrEqual(t, count, len(inputs)/10, "inputs with a meaning")
	return largest
}

// difference is the largest of a position's logits from what they should be for
// a value, which they must decode to.
func difference(t testing.TB, m *Model, got []float32, v rasp.Value) (largest float64) {
	t.Helper()
	for i, want := range m.Logits(v) {
		largest = math.Max(largest, math.Abs(want-float64(got[i])))
	}
	decoded, err := m.Decode(got)
	require.NoError(t, err)
	if m.Output != nil {
		require.Equal(t, v, decoded)
	}
	return largest
}
