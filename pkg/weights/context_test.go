package weights_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// Whatever has to be done to a large tensor, reading it ends with the context,
// which is asked at least once in a mebibyte.
func TestReadingATensorEndsWithTheContext(t *testing.T) {
	const rows, columns = 1 << 11, 1 << 10
	numbers := map[weights.DType]string{weights.F16: "<f2", weights.F64: "<f8", weights.F32: "<f4", weights.I32: "<i4", weights.U8: "|u1", weights.Bool: "|b1"}
	for _, d := range []weights.DType{weights.F16, weights.F64, weights.F32, weights.I32, weights.U8, weights.Bool} {
		for _, fortran := range []bool{false, true} {
			for _, method := range []uint16{zip.Store, zip.Deflate} {
				name := fmt.Sprint(d, " fortran ", fortran, " method ", method)
				size := rows * columns * d.Bits() / 8
				data := weightstest.NPY(1, weightstest.NumpyHeader(numbers[d], fortran, rows, columns), make([]byte, size))
				var file bytes.Buffer
				require.NoError(t, weightstest.Zip(&file, weightstest.Entry{Name: "x.npy", Data: data, Method: method}))
				ending.Everywhere(t, 1, func(ctx context.Context) error {
					_, err := weights.DecodeFile(ctx, "x.npz", file.Bytes())
					return err
				})
				f, err := weights.DecodeFile(t.Context(), "x.npz", file.Bytes())
				require.NoError(t, err)
				read := func(ctx context.Context) error {
					_, _, err := f.Bools(ctx, "x")
					return err
				}
				switch {
				case d == weights.F16 || d == weights.F32 || d == weights.F64:
					read = func(ctx context.Context) error { _, _, err := f.Float32(ctx, "x"); return err }
				case d != weights.Bool:
					read = func(ctx context.Context) error { _, _, err := f.Ints(ctx, "x"); return err }
				}
				least := size >> 20
				if d == weights.F32 && !fortran && method == zip.Store {
					least = 1 // a view, of which nothing is read
				}
				t.Run(name, func(t *testing.T) { ending.Everywhere(t, least, read) })
			}
		}
	}
}

// Headers and pickles of many tensors end with the context.
func TestOpeningEndsWithTheContext(t *testing.T) {
	arrays := map[string]weights.Array{}
	for i := range 3000 {
		arrays[fmt.Sprintf("tensor.%s.%d", strings.Repeat("x", 400), i)] = weights.Array{Shape: []int{1}, Values: []float32{1}}
	}
	dir := t.TempDir()
	_, err := weightstest.Sharded(dir, "pytorch", arrays, weights.F32, 40)
	require.NoError(t, err)
	ending.Everywhere(t, 3000, func(ctx context.Context) error {
		c, err := weights.OpenFolder(ctx, dir)
		if err == nil {
			require.NoError(t, c.Close())
		}
		return err
	})
	for name, write := range map[string]func(*bytes.Buffer) error{
		"safetensors": func(b *bytes.Buffer) error { return weightstest.Safetensors(b, arrays, weights.F32) },
		"zip":         func(b *bytes.Buffer) error { return weightstest.TorchZip(b, arrays, weights.F32) },
		"legacy":      func(b *bytes.Buffer) error { return weightstest.TorchLegacy(b, arrays, weights.F32) },
		"npz":         func(b *bytes.Buffer) error { return weightstest.NPZ(b, arrays, weights.F32) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
		least := 3000
		if name == "safetensors" {
			least = b.Len() >> 20
		}
		ending.Everywhere(t, least, func(ctx context.Context) error {
			f, err := weights.OpenFile(ctx, path)
			if err == nil {
				require.NoError(t, f.Close())
			}
			return err
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = weights.Open(ended, filepath.Join(dir, "safetensors"))
	assert.Equal(t, context.Canceled, err)
}
