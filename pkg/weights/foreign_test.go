package weights_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

// Storages that are not what the pickle says.
func TestLyingStorages(t *testing.T) {
	good := storage(t, "0", 1, 2)
	view := []weightstest.View{{Name: "x", Shape: []int{2}, Strides: []int{1}}}
	state := func(s weightstest.Storage) []byte {
		return weightstest.NewPickle().State([]weightstest.Storage{s}, view).Stop()
	}
	decode := func(write func(b *bytes.Buffer) error) error {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		f, err := weights.DecodeFile(t.Context(), "m", b.Bytes())
		require.Nil(t, f)
		return err
	}
	more := good
	more.Elements = 3
	huge := good
	huge.Elements = 1 << 62
	require.EqualError(t, decode(func(b *bytes.Buffer) error { return weightstest.ZipFile(b, state(more), []weightstest.Storage{good}) }),
		`m: storage "0": 3 elements of F32 expected, found 8 bytes`)
	require.EqualError(t, decode(func(b *bytes.Buffer) error { return weightstest.ZipFile(b, state(huge), []weightstest.Storage{good}) }),
		`m: storage "0": 4611686018427387904 elements of F32 expected, found 8 bytes`)
	require.EqualError(t, decode(func(b *bytes.Buffer) error { return weightstest.ZipFile(b, state(good), nil) }),
		`m: storage "0": zip entry "archive/data/0" is missing`)
	require.EqualError(t, decode(func(b *bytes.Buffer) error {
		return weightstest.LegacyFile(b, state(more), []weightstest.Storage{good})
	}),
		`m: storage "0": 3 elements expected, found 2`)
	require.EqualError(t, decode(func(b *bytes.Buffer) error {
		return weightstest.LegacyFile(b, state(huge), []weightstest.Storage{huge})
	}),
		`m: truncated: storage "0": 4611686018427387904 elements of F32 expected, file has 8 bytes`)
	require.EqualError(t, decode(func(b *bytes.Buffer) error { return weightstest.LegacyFile(b, state(good), nil) }),
		`m: storage keys: 1 expected, found 0`)
	other := good
	other.Key = "1"
	require.EqualError(t, decode(func(b *bytes.Buffer) error {
		return weightstest.LegacyFile(b, state(good), []weightstest.Storage{other})
	}), `m: storage keys: each key of the tensors once expected, found "1"`)
	long := good
	long.Data = append(bytes.Clone(good.Data), 0)
	require.ErrorContains(t, decode(func(b *bytes.Buffer) error {
		return weightstest.LegacyFile(b, state(good), []weightstest.Storage{long})
	}),
		`m: the end expected after the last storage, found more at byte `)
}

func TestForeignFiles(t *testing.T) {
	tar := make([]byte, 1024)
	copy(tar, "storages")
	copy(tar[257:], "ustar")
	legacy := func(change func(b []byte) []byte) []byte {
		var b bytes.Buffer
		require.NoError(t, weightstest.TorchLegacy(&b, arrays, weights.F32))
		return change(b.Bytes())
	}
	for want, file := range map[string][]byte{
		`a checkpoint expected, found a tar archive, perhaps of PyTorch before version 0.1.10: save it again with a newer one`: tar,
		`a checkpoint expected, found another pickle than PyTorch's: nothing in a pickle is executed`:                          []byte("\x80\x04N."),
		`a checkpoint (safetensors, PyTorch, npz or an index of shards) expected, found nothing`:                               nil,
		`a checkpoint (safetensors, PyTorch, npz or an index of shards) expected, found "weights\n"`:                           []byte("weights\n"),
		`a checkpoint (safetensors, PyTorch, npz or an index of shards) expected, found a Git LFS pointer to it`:               []byte("version https://git-lfs.github.com/spec/v1\n"),
		`a checkpoint (safetensors, PyTorch, npz or an index of shards) expected, found an HTML page`:                          []byte("<!DOCTYPE html>"),
		`tensors expected, found JSON text, perhaps an index of shards`:                                                        []byte(" \n{}"),
		`system: little_endian: True expected, found False`: legacy(func(b []byte) []byte {
			return bytes.Replace(b, []byte("little_endian\x88"), []byte("little_endian\x89"), 1)
		}),
		`protocol 1001 of PyTorch expected, found 1002`: legacy(func(b []byte) []byte {
			return bytes.Replace(b, []byte("M\xe9\x03"), []byte("M\xea\x03"), 1)
		}),
		`magic number of PyTorch expected, found a tuple`: legacy(func(b []byte) []byte {
			return bytes.Replace(b, []byte("\x50\x19."), []byte("\x50\x19\x85."), 1)
		}),
	} {
		_, err := weights.DecodeFile(t.Context(), "m", file)
		require.EqualError(t, err, "m: "+want)
	}
}

// zipOf writes an archive.
func zipOf(t testing.TB, entries ...weightstest.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, weightstest.Zip(&b, entries...))
	return b.Bytes()
}

func TestForeignArchives(t *testing.T) {
	pickle := weightstest.Entry{Name: "m/data.pkl", Data: []byte("}.")}
	for want, file := range map[string][]byte{
		`zip archive: data.pkl of PyTorch or .npy arrays expected, found 1 other entries`: zipOf(t, weightstest.Entry{Name: "readme"}),
		`zip archive: data.pkl of PyTorch or .npy arrays expected, found 0 other entries`: zipOf(t),
		`zip archive: one data.pkl expected, found 2`:                                     zipOf(t, pickle, weightstest.Entry{Name: "data.pkl"}),
		`tensors of torch.save expected, found a TorchScript program`:                     zipOf(t, pickle, weightstest.Entry{Name: "m/constants.pkl"}),
		`byteorder: little expected, found "big"`:                                         zipOf(t, pickle, weightstest.Entry{Name: "m/byteorder", Data: []byte("big")}),
		`zip archive: different names expected, found "m/data.pkl" twice`:                 zipOf(t, pickle, pickle),
		`zip entry "x": an array with .npy behind its name expected, found another file`:  zipOf(t, weightstest.Entry{Name: "a.npy", Data: npy()}, weightstest.Entry{Name: "x"}),
	} {
		_, err := weights.DecodeFile(t.Context(), "m", file)
		require.EqualError(t, err, "m: "+want)
	}
}

func npy() []byte {
	return weightstest.NPY(1, weightstest.NumpyHeader("<f4", false, 1), make([]byte, 4))
}

// patchDirectory changes a field of every entry of an archive's directory.
func patchDirectory(file []byte, change func(header []byte)) []byte {
	file = bytes.Clone(file)
	for at := 0; ; at += 4 {
		next := bytes.Index(file[at:], []byte("PK\x01\x02"))
		if next < 0 {
			return file
		}
		at += next
		change(file[at:])
	}
}

func TestLyingArchives(t *testing.T) {
	le := binary.LittleEndian
	stored := zipOf(t, weightstest.Entry{Name: "a.npy", Data: npy()}, weightstest.Entry{Name: "b.npy", Data: npy()})
	packed := zipOf(t, weightstest.Entry{Name: "a.npy", Data: npy(), Method: 8})
	for _, c := range []struct {
		want   string
		file   []byte
		change func(h []byte)
	}{
		{`zip entry "a.npy": method 0 (stored) or 8 (deflate) expected, found 12`, stored, func(h []byte) { le.PutUint16(h[10:], 12) }},
		{`zip entry "a.npy": plain bytes expected, found encrypted ones`, stored, func(h []byte) { h[8] |= 1 }},
		{`zip entry "a.npy": stored in its size of 999 bytes expected, found 132`, stored, func(h []byte) { le.PutUint32(h[24:], 999) }},
		{`zip entry "a.npy": 4294967294 bytes expected, file has `, stored, func(h []byte) { le.PutUint32(h[20:], 1<<32-2) }},
		{`zip entry "a.npy": a local header expected, found none`, stored, func(h []byte) { le.PutUint32(h[42:], 7) }},
		{`zip entry "b.npy": bytes of its own expected, found those of "a.npy"`, stored, func(h []byte) { le.PutUint32(h[42:], 0) }},
		{`zip entry "a.npy": at most 1032 times its `, packed, func(h []byte) { le.PutUint32(h[24:], 1<<31) }},
		{`tensor "a": 4 bytes expected for F32 [1], found 3`, packed, func(h []byte) { le.PutUint32(h[24:], 131) }},
	} {
		_, err := weights.DecodeFile(t.Context(), "m", patchDirectory(c.file, c.change))
		require.ErrorContains(t, err, "m: "+c.want)
	}
	_, err := weights.DecodeFile(t.Context(), "m", stored[:len(stored)-1])
	require.EqualError(t, err, "m: zip archive: a directory at the end of the file expected, found none or a damaged one (is the file truncated?)")
}

// A compressed archive is inflated only when a tensor is asked for, and what
// comes out is compared with what was stated.
func TestCompressedEntries(t *testing.T) {
	values := make([]byte, 4<<20)
	bomb := weightstest.NPY(1, weightstest.NumpyHeader("<f4", false, 1<<20), values)
	file := zipOf(t, weightstest.Entry{Name: "a.npy", Data: bomb, Method: 8})
	require.Less(t, len(file), 10_000)
	opening := testing.AllocsPerRun(1, func() {
		_, err := weights.DecodeFile(t.Context(), "m", file)
		require.NoError(t, err)
	})
	require.Less(t, opening, 500.0)
	f, err := weights.DecodeFile(t.Context(), "m", file)
	require.NoError(t, err)
	got, err := f.Float32Shape(t.Context(), "a", 1<<20)
	require.NoError(t, err)
	require.Zero(t, got[1<<19])

	f, err = weights.DecodeFile(t.Context(), "m", patchDirectory(file, func(h []byte) { h[16]++ }))
	require.NoError(t, err)
	_, _, err = f.Float32(t.Context(), "a")
	require.ErrorContains(t, err, `m: tensor "a": compressed entry: checksum `)

	// The storages and the pickle of a file that was packed again.
	s := []weightstest.Storage{storage(t, "0", 1, 2, 3)}
	pickle := weightstest.NewPickle().State(s, []weightstest.View{{Name: "x", Offset: 1, Shape: []int{2}, Strides: []int{1}}}).Stop()
	f, err = weights.DecodeFile(t.Context(), "m", zipOf(t, weightstest.Entry{Name: "m/data.pkl", Data: pickle, Method: 8}, weightstest.Entry{Name: "m/data/0", Data: s[0].Data, Method: 8}))
	require.NoError(t, err)
	got, err = f.Float32Shape(t.Context(), "x", 2)
	require.NoError(t, err)
	require.Equal(t, []float32{2, 3}, got)
}
