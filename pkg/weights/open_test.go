package weights_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// checkCheckpoint compares a checkpoint with arrays.
func checkCheckpoint(t *testing.T, c weights.Checkpoint, name string) {
	t.Helper()
	require.Equal(t, name, c.Name())
	require.Equal(t, weights.FromMap("", arrays).Names(), c.Names())
	for tensor, a := range arrays {
		require.True(t, c.Has(tensor))
		shape, ok := c.Shape(tensor)
		require.True(t, ok)
		require.Equal(t, fmt.Sprint(a.Shape), fmt.Sprint(shape))
		got, err := c.Float32Shape(t.Context(), tensor, a.Shape...)
		require.NoError(t, err)
		require.Equal(t, a.Values, got)
	}
	require.False(t, c.Has("absent"))
	_, ok := c.Shape("absent")
	require.False(t, ok)
	_, err := c.Float32Shape(t.Context(), "absent")
	require.EqualError(t, err, name+`: tensor "absent" is missing`)
	_, err = c.Float32Shape(t.Context(), "h.0.b", 4)
	require.ErrorContains(t, err, `tensor "h.0.b": shape [4] expected, found [3]`)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	_, err = c.Float32Shape(t.Context(), "h.0.b", 3)
	require.ErrorContains(t, err, "an open file expected, found it closed")
}

// The content decides, whatever the file is called.
func TestOpenAnyByContent(t *testing.T) {
	for _, c := range containers {
		for _, name := range []string{"model.bin", "model.pth", "model", "model.npz"} {
			path := filepath.Join(t.TempDir(), name)
			write(t, path, c.write, arrays, weights.F32)
			f, err := weights.OpenAny(t.Context(), path)
			require.NoError(t, err, "%s as %s", c.name, name)
			checkCheckpoint(t, f, path)
		}
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	write(t, path, weightstest.TorchZip, arrays, weights.F32)
	f, err := weights.OpenAny(t.Context(), path)
	require.NoError(t, err)
	checkCheckpoint(t, f, path)
	_, err = weights.Open(t.Context(), path)
	require.Error(t, err, "Open takes safetensors only")
}

func TestOpenAnyErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "absent.pt")
	_, err := weights.OpenAny(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = weights.OpenAny(t.Context(), dir)
	require.EqualError(t, err, dir+": a regular file expected, found a directory")
	path = filepath.Join(dir, "cut.safetensors")
	require.NoError(t, os.WriteFile(path, []byte("\x10\x00"), 0o644))
	_, err = weights.OpenAny(t.Context(), path)
	require.EqualError(t, err, path+": truncated: header length needs 8 bytes, file has 2")
}

func TestSharded(t *testing.T) {
	for _, container := range []string{"safetensors", "pytorch"} {
		for _, n := range []int{1, 2, 5} {
			dir := t.TempDir()
			index, err := weightstest.Sharded(dir, container, arrays, weights.F16, n)
			require.NoError(t, err)
			c, err := weights.OpenAny(t.Context(), index)
			require.NoError(t, err)
			require.IsType(t, &weights.Sharded{}, c)
			checkCheckpoint(t, c, index)
			c, err = weights.OpenFolder(t.Context(), dir)
			require.NoError(t, err)
			checkCheckpoint(t, c, index)
		}
	}
}

func TestShardedErrors(t *testing.T) {
	dir := t.TempDir()
	index, err := weightstest.Sharded(dir, "safetensors", arrays, weights.F32, 2)
	require.NoError(t, err)
	good, err := os.ReadFile(index)
	require.NoError(t, err)
	second := filepath.Join(dir, "model-00002-of-00002.safetensors")
	require.NoError(t, os.Rename(second, second+".away"))
	_, err = weights.OpenAny(t.Context(), index)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, index+`: weight_map: tensor "h.0.b": `+second+": ")
	require.NoError(t, os.Rename(second+".away", second))

	for text, want := range map[string]string{
		`{"weight_map":{"x":"../secret.safetensors"}}`: `weight_map: tensor "x": the name of a file in the same folder expected, found "../secret.safetensors"`,
		`{"weight_map":{"x":"/etc/passwd"}}`:           `weight_map: tensor "x": the name of a file in the same folder expected, found "/etc/passwd"`,
		`{"weight_map":{"x":"sub/m.safetensors"}}`:     `weight_map: tensor "x": the name of a file in the same folder expected, found "sub/m.safetensors"`,
		`{"weight_map":{"x":"C:m"}}`:                   `weight_map: tensor "x": the name of a file in the same folder expected, found "C:m"`,
		`{"weight_map":{"x":"a\\m"}}`:                  `weight_map: tensor "x": the name of a file in the same folder expected, found "a\\m"`,
		`{"weight_map":{"x":".."}}`:                    `weight_map: tensor "x": the name of a file in the same folder expected, found ".."`,
		`{"weight_map":{"x":""}}`:                      `weight_map: tensor "x": the name of a file in the same folder expected, found ""`,
		`{"weight_map":{"x":7}}`:                       `index: field "weight_map"."x": expected a text, found 7`,
		`{"weight_map":{"x":"m","x":"m"}}`:             `index: field "weight_map": expected different keys, found "x" twice`,
		`{"weight_map":{},"weight_map":{}}`:            `index: expected different keys, found "weight_map" twice`,
		`{"weight_map":[]}`:                            `index: field "weight_map": expected an object, found a list`,
		`{"weight_map":{}}`:                            `index: field "weight_map" with tensors expected, found none`,
		`{"architectures":["GPT2LMHeadModel"]}`:        `index: field "weight_map" with tensors expected, found none`,
		`{"weight_map":{"x":`:                          `index: line 1: expected JSON, found an end in the middle of it`,
		`{"weight_map":{"x":"m"}} 7`:                   `index: line 1: expected the end of the text after the JSON value, found more`,
		"{\"weight_map\":{\"\xff\":\"m\"}}":            `index: line 1: expected UTF-8 text, found byte 0xff at byte 16`,
	} {
		require.NoError(t, os.WriteFile(index, []byte(text), 0o644))
		_, err = weights.OpenAny(t.Context(), index)
		assert.EqualError(t, err, index+": "+want)
	}
	// An index never leads to another.
	other := filepath.Join(dir, "other.json")
	require.NoError(t, os.WriteFile(other, good, 0o644))
	require.NoError(t, os.WriteFile(index, []byte(`{"weight_map":{"x":"other.json"}}`), 0o644))
	_, err = weights.OpenAny(t.Context(), index)
	require.EqualError(t, err, index+`: weight_map: tensor "x": `+other+": tensors expected, found JSON text, perhaps an index of shards")
}

// An index may list a tied tensor that no file has: it is an error when it is
// asked for, and only then.
func TestIndexOfATensorThatNoShardHas(t *testing.T) {
	dir := t.TempDir()
	index, err := weightstest.Sharded(dir, "safetensors", arrays, weights.F32, 2)
	require.NoError(t, err)
	good, err := os.ReadFile(index)
	require.NoError(t, err)
	more := strings.Replace(string(good), `"weight_map": {`, `"weight_map": {"lm_head.weight":"model-00002-of-00002.safetensors",`, 1)
	require.NotEqual(t, string(good), more)
	require.NoError(t, os.WriteFile(index, []byte(more), 0o644))
	c, err := weights.OpenAny(t.Context(), index)
	require.NoError(t, err)
	assert.False(t, c.Has("lm_head.weight"))
	_, ok := c.Shape("lm_head.weight")
	assert.False(t, ok)
	_, err = c.Float32Shape(t.Context(), "lm_head.weight", 2, 3)
	require.EqualError(t, err, index+`: weight_map: tensor "lm_head.weight": expected in "model-00002-of-00002.safetensors", found none of this name there`)
	checkCheckpoint(t, c, index)
}

func TestOpenFolderPassesOverBrokenLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"model.safetensors", "notes.txt", "a.pth"} {
		require.NoError(t, os.Symlink("../../blobs/none", at(name)))
	}
	_, err := weights.OpenFolder(t.Context(), dir)
	require.EqualError(t, err, at("a.pth")+`: a link to "../../blobs/none", which is not there`)
	write(t, at("blob"), weightstest.TorchZip, arrays, weights.F32)
	require.NoError(t, os.Symlink("blob", at("pytorch_model.bin")))
	c, err := weights.OpenFolder(t.Context(), dir)
	require.NoError(t, err)
	checkCheckpoint(t, c, at("pytorch_model.bin"))
	require.NoError(t, os.Remove(at("blob")))
	_, err = weights.OpenFile(t.Context(), at("pytorch_model.bin"))
	require.EqualError(t, err, at("pytorch_model.bin")+`: a link to "blob", which is not there`)
}

func TestRename(t *testing.T) {
	src := weights.FromMap("m", arrays)
	r, err := weights.Rename(src, func(name string) string { return "x." + name })
	require.NoError(t, err)
	for _, name := range src.Names() {
		require.True(t, r.Has("x."+name))
		require.False(t, r.Has(name))
		shape, ok := r.Shape("x." + name)
		require.True(t, ok)
		want, err := src.Float32Shape(t.Context(), name, shape...)
		require.NoError(t, err)
		got, err := r.Float32Shape(t.Context(), "x."+name, shape...)
		require.NoError(t, err)
		require.Equal(t, want, got)
		_, err = r.Float32Shape(t.Context(), "x."+name, 77)
		require.ErrorContains(t, err, fmt.Sprintf("m: tensor %q: shape [77] expected", name))
	}
	require.Len(t, r.Names(), len(arrays))
	require.Equal(t, "m", r.Name())
	_, ok := r.Shape("h.0.w")
	require.False(t, ok)
	_, err = r.Float32Shape(t.Context(), "h.0.w", 2, 3)
	require.EqualError(t, err, `m: tensor "h.0.w" is missing`)
	_, err = weights.Rename(src, func(string) string { return "y" })
	require.ErrorContains(t, err, `m: different tensors expected, found `)
	require.ErrorContains(t, err, `which are both "y"`)
}

func TestOpenFolder(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := weights.OpenFolder(t.Context(), at("absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = weights.OpenFolder(t.Context(), dir)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, dir+": a checkpoint expected (model.safetensors, model.safetensors.index.json, pytorch_model.bin, "+
		"pytorch_model.bin.index.json, or one *.pth, *.pt or *.safetensors), found none: file does not exist")

	// From the last choice to the first, each in front of those before it.
	expect := func(name string) {
		t.Helper()
		c, err := weights.OpenFolder(t.Context(), dir)
		require.NoError(t, err)
		checkCheckpoint(t, c, at(name))
	}
	write(t, at("gelu-2l.pth"), weightstest.TorchZip, arrays, weights.F32)
	expect("gelu-2l.pth")
	write(t, at("b.pt"), weightstest.TorchLegacy, arrays, weights.F32)
	_, err = weights.OpenFolder(t.Context(), dir)
	require.EqualError(t, err, dir+`: one checkpoint expected, found several: "b.pt", "gelu-2l.pth"`)
	_, err = weightstest.Sharded(dir, "pytorch", arrays, weights.F32, 2)
	require.NoError(t, err)
	expect("pytorch_model.bin.index.json")
	write(t, at("pytorch_model.bin"), weightstest.TorchLegacy, arrays, weights.F32)
	expect("pytorch_model.bin")
	_, err = weightstest.Sharded(dir, "safetensors", arrays, weights.F32, 2)
	require.NoError(t, err)
	expect("model.safetensors.index.json")
	write(t, at("model.safetensors"), weightstest.Safetensors, arrays, weights.F32)
	expect("model.safetensors")
}

func TestManyCheckpoints(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("step%d.pt", i)), nil, 0o644))
	}
	_, err := weights.OpenFolder(t.Context(), dir)
	require.EqualError(t, err, dir+`: one checkpoint expected, found several: "step0.pt", "step1.pt", "step2.pt", "step3.pt", `+
		`"step4.pt", "step5.pt", "step6.pt", "step7.pt" and 2 more`)
}

func TestMemoryShape(t *testing.T) {
	m := weights.FromMap("m", arrays)
	shape, ok := m.Shape("h.0.w")
	require.True(t, ok)
	require.Equal(t, []int{2, 3}, shape)
	shape[0] = 9
	shape, _ = m.Shape("h.0.w")
	require.Equal(t, []int{2, 3}, shape, "a copy")
	_, ok = m.Shape("absent")
	require.False(t, ok)
}
