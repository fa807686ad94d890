package task

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The gates have every pair of different inputs once, the first four with every
// clean one.
func TestGatesHaveEveryPairOfInputs(t *testing.T) {
	for _, name := range []string{"or_bits", "and_gate", "xor_gate"} {
		of, err := Find(name)
		require.NoError(t, err)
		d, err := of.Data(t.Context(), Draw{}, nil, nil)
		require.NoError(t, err)
		require.NoError(t, d.Check())
		pairs, clean := map[string]bool{}, map[string]bool{}
		for i := range d.Clean {
			assert.NotEqual(t, d.Clean[i], d.Corrupt[i], name)
			assert.Equal(t, []bool{false, false, true}, d.Mask[i])
			pairs[fmt.Sprint(d.Clean[i], d.Corrupt[i])] = true
			if i < 4 {
				clean[fmt.Sprint(d.Clean[i])] = true
			}
		}
		assert.Len(t, d.Clean, 12)
		assert.Len(t, pairs, 12)
		assert.Len(t, clean, 4)
	}
}

// The prompts of induction_heads are all there are; nothing of the corrupt one that
// a head reads is what the clean one has.
func TestInductionHeadsHaveEveryPrompt(t *testing.T) {
	d, err := inductionHeads.Data(t.Context(), Draw{}, nil, nil)
	require.NoError(t, err)
	require.NoError(t, d.Check())
	seen := map[string]bool{}
	for i, clean := range d.Clean {
		corrupt := d.Corrupt[i]
		seen[fmt.Sprint(clean)] = true
		for k := 1; k < 4; k++ {
			assert.NotEqual(t, clean[k], corrupt[k], "%v %v", clean, corrupt)
		}
		assert.NotEqual(t, clean[4] == clean[1], corrupt[4] == corrupt[1], "%v %v", clean, corrupt)
		for _, row := range [][]int{clean, corrupt} {
			assert.Contains(t, row[1:3], row[4], "%v", row)
		}
		assert.Equal(t, []bool{false, false, false, false, true}, d.Mask[i])
	}
	assert.Len(t, seen, 4*3*2*2)
	assert.Len(t, d.Clean, 4*3*2*2)
}

// More examples than there are come again from the first on, rows of their own.
func TestExamplesComeAgain(t *testing.T) {
	d, err := xorGate.Data(t.Context(), Draw{Examples: 13}, nil, nil)
	require.NoError(t, err)
	assert.Equal(t, d.Clean[0], d.Clean[12])
	assert.Equal(t, d.Corrupt[0], d.Corrupt[12])
	d.Clean[0][0] = 9
	again, err := xorGate.Data(t.Context(), Draw{}, nil, nil)
	require.NoError(t, err)
	assert.NotContains(t, again.Clean, d.Clean[0])
}
