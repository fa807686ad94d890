package weightstest_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

func TestWriterErrors(t *testing.T) {
	a := map[string]weights.Array{"x": {Shape: []int{1}, Values: []float32{1}}}
	var b bytes.Buffer
	require.EqualError(t, weightstest.TorchZip(&b, a, weights.C64), `tensor "x": a type of numbers expected, found "C64"`)
	require.EqualError(t, weightstest.TorchLegacy(&b, a, weights.U32), `tensor "x": a type with a storage of its own in torch expected, found "U32"`)
	require.EqualError(t, weightstest.NPZ(&b, a, weights.BF16), `a type of NumPy expected, found "BF16"`)
	_, err := weightstest.Sharded(t.TempDir(), "gguf", a, weights.F32, 1)
	require.EqualError(t, err, `container safetensors or pytorch expected, found "gguf"`)
}
