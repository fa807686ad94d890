package weights_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// FuzzTorch reads pickles, in an archive beside a storage and bare, and whole
// files.
func FuzzTorch(f *testing.F) {
	s := []weightstest.Storage{storage(f, "0", 1, 2, 3, 4)}
	views := []weightstest.View{
		{Name: "x", Shape: []int{2, 2}, Strides: []int{1, 2}}, {Name: "y", Offset: 1, Parameter: true}, {Name: "z", Shape: []int{9}, Strides: []int{0}},
	}
	f.Add(weightstest.NewPickle().State(s, views).Stop())
	f.Add(weightstest.NewPickle().Global("os", "system").Text("true").Op("\x85R").Stop())
	f.Add(weightstest.NewPickle().Text("os").Text("system").Op("\x93").Stop())
	f.Add(weightstest.NewPickle().Op("](h\x00\x94e}\x8f\x90I01\nF1.5\nL7L\nS'a'\nVb\n0122").Stop())
	for _, c := range containers {
		var b bytes.Buffer
		require.NoError(f, c.write(&b, arrays, weights.F32))
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		readEverything(t, file)
		var b bytes.Buffer
		require.NoError(t, weightstest.ZipFile(&b, file, s))
		readEverything(t, b.Bytes())
		b.Reset()
		require.NoError(t, weightstest.LegacyFile(&b, file, s))
		readEverything(t, b.Bytes())
	})
}

// FuzzNPZ reads arrays, stored and compressed, and whole files.
func FuzzNPZ(f *testing.F) {
	f.Add(npy())
	f.Add(weightstest.NPY(2, weightstest.NumpyHeader("<f8", true, 2, 3), make([]byte, 48)))
	f.Add(weightstest.NPY(3, `{"descr":"|b1","fortran_order":False,"shape":(2L,)}`, make([]byte, 2)))
	var b bytes.Buffer
	require.NoError(f, weightstest.NPZ(&b, arrays, weights.F32))
	f.Add(b.Bytes())
	f.Add(zipOf(f, weightstest.Entry{Name: "x.npy", Data: npy(), Method: 8}))
	f.Fuzz(func(t *testing.T, file []byte) {
		readEverything(t, file)
		readEverything(t, zipOf(t, weightstest.Entry{Name: "x.npy", Data: file}))
		readEverything(t, zipOf(t, weightstest.Entry{Name: "x.npy", Data: file, Method: 8}))
	})
}

// FuzzIndex reads indexes beside two shards.
func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	index, err := weightstest.Sharded(dir, "safetensors", arrays, weights.F32, 2)
	require.NoError(f, err)
	text, err := os.ReadFile(index)
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"metadata":{"total_size":[1,{"a":null}]},"weight_map":{"x":"../m"}}`))
	f.Add([]byte(`{"weight_map":{"x":"model.safetensors.index.json"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "index.json")
		require.NoError(t, os.WriteFile(path, text, 0o644))
		for _, shard := range []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"} {
			require.NoError(t, os.Symlink(filepath.Join(dir, shard), filepath.Join(filepath.Dir(path), shard)))
		}
		c, err := weights.OpenAny(t.Context(), path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), path+": ") || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error text %q", err)
			}
			return
		}
		for _, name := range c.Names() {
			shape, ok := c.Shape(name)
			require.True(t, ok)
			if _, err := c.Float32Shape(t.Context(), name, shape...); err != nil {
				require.ErrorContains(t, err, "dtype")
			}
		}
		require.NoError(t, c.Close())
	})
}
