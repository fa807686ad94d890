package study

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Whoever measures a file's circuit with weights or prompts that are not what
// they were hears of it, unless they were asked for.
func TestWhatChangedSinceAFileWasWritten(t *testing.T) {
	open := func(s Spec, f *circuit.File) *Study {
		x, err := s.OpenLike(t.Context(), "c.json", f, 1)
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, x.Close()) })
		return x
	}
	in, err := Spec{Task: "induction", Model: "random:1x2x8x0x600", Examples: 4}.Open(t.Context(), 1)
	require.NoError(t, err)
	e, err := patch.Bind(t.Context(), in.Config(circuit.ACDC, false))
	require.NoError(t, err)
	written := func(weights, prompts string) *circuit.File {
		f := &circuit.File{Graph: e.Graph().Info(), Run: in.Run(e)}
		require.NoError(t, in.Identify(t.Context(), &f.Run))
		f.WeightsDigest, f.PromptsDigest = weights+f.WeightsDigest[len(weights):], prompts+f.PromptsDigest[len(prompts):]
		return f
	}
	zeros, seed := strings.Repeat("0", 12), uint64(5)
	assert.Empty(t, open(Spec{}, written("", "")).Changed)
	assert.Empty(t, open(Spec{}, &circuit.File{Graph: e.Graph().Info(), Run: in.Run(e)}).Changed, "a file without digests")

	f := written(zeros, "")
	got := open(Spec{}, f).Changed
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "c.json: the circuit was found with other weights of random:1x2x8x0x600: expected SHA-256 000000000000…, found ")
	for _, s := range []Spec{{Model: "random:1x2x8x0x600@1"}, {Reset: &seed}} {
		assert.Empty(t, open(s, f).Changed)
	}

	f = written("", zeros)
	got = open(Spec{}, f).Changed
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "c.json: the circuit was found with other prompts of task induction: expected SHA-256 000000000000…, found ")
	for _, s := range []Spec{{Model: "random:1x2x8x0x600@1"}, {Seed: &seed}, {Examples: 3}, {Half: "test"}, {Data: "random:4x5"}, {Task: "induction"}} {
		assert.Empty(t, open(s, f).Changed, "%+v", s)
	}
	assert.Len(t, open(Spec{}, written(zeros, zeros)).Changed, 2)
}
