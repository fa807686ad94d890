package weightstest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Storage is a run of numbers in a PyTorch file.
type Storage struct {
	Key      string
	Class    string // of package torch, such as FloatStorage
	Elements int64
	Data     []byte
	legacy   bool // its persistent id has a sixth field
}

var classes = map[weights.DType]string{
	weights.F64: "DoubleStorage", weights.F32: "FloatStorage", weights.F16: "HalfStorage", weights.BF16: "BFloat16Storage",
	weights.I64: "LongStorage", weights.I32: "IntStorage", weights.I16: "ShortStorage", weights.I8: "CharStorage",
	weights.U8: "ByteStorage", weights.Bool: "BoolStorage",
}

// NewStorage makes a storage of values in a type.
func NewStorage(key string, d weights.DType, values ...float32) (Storage, error) {
	class, ok := classes[d]
	if !ok {
		return Storage{}, noStorage(d)
	}
	data, err := weights.Encode(values, d)
	return Storage{Key: key, Class: class, Elements: int64(len(values)), Data: data}, err
}

func noStorage(d weights.DType) error {
	return fmt.Errorf("a type with a storage of its own in torch expected, found %q", d)
}

// Legacy returns storages whose persistent ids are those of the older format.
func Legacy(storages []Storage) []Storage {
	out := slices.Clone(storages)
	for i := range out {
		out[i].legacy = true
	}
	return out
}

// state makes a storage and a view of each array.
func state(arrays map[string]weights.Array, d weights.DType) (storages []Storage, views []View, err error) {
	list, err := tensors(arrays, d)
	if err != nil {
		return nil, nil, err
	}
	for i, t := range list {
		class, ok := classes[d]
		if !ok {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, noStorage(d))
		}
		storages = append(storages, Storage{Key: fmt.Sprint(i), Class: class, Elements: int64(len(arrays[t.Name].Values)), Data: t.Data})
		views = append(views, View{Name: t.Name, Storage: i, Shape: t.Shape, Strides: RowMajor(t.Shape...)})
	}
	return storages, views, nil
}

// TorchZip writes a state dict of arrays in one type as torch.save does since
// version 1.6.
func TorchZip(w io.Writer, arrays map[string]weights.Array, d weights.DType) error {
	storages, views, err := state(arrays, d)
	if err != nil {
		return err
	}
	return ZipFile(w, NewPickle().State(storages, views).Stop(), storages)
}

// TorchLegacy writes a state dict of arrays in one type as torch.save did before
// version 1.6, and does with _use_new_zipfile_serialization=False.
func TorchLegacy(w io.Writer, arrays map[string]weights.Array, d weights.DType) error {
	storages, views, err := state(arrays, d)
	if err != nil {
		return err
	}
	storages = Legacy(storages)
	return LegacyFile(w, NewPickle().State(storages, views).Stop(), storages)
}

// Entry is a file in a zip archive.
type Entry struct {
	Name   string
	Data   []byte
	Method uint16 // 0, or 8 for deflate
}

// ZipFile writes PyTorch's zip archive of a pickle and its storages.
func ZipFile(w io.Writer, pickle []byte, storages []Storage) error {
	entries := []Entry{{Name: "archive/data.pkl", Data: pickle}, {Name: "archive/byteorder", Data: []byte("little")}}
	for _, s := range storages {
		entries = append(entries, Entry{Name: "archive/data/" + s.Key, Data: s.Data})
	}
	return Zip(w, append(entries, Entry{Name: "archive/version", Data: []byte("3\n")})...)
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write passes bytes on.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Zip writes an archive, every entry's bytes at a multiple of 64, which PyTorch
// reaches by an extra field FB of Zs.
func Zip(w io.Writer, entries ...Entry) error {
	const localHeader, descriptor, alignment, fieldHeader = 30, 16, 64, 4
	count := &counter{w: w}
	z := zip.NewWriter(count)
	for i, e := range entries {
		if err := z.Flush(); err != nil {
			return err
		}
		at := count.n + localHeader + int64(len(e.Name)) + fieldHeader
		if i > 0 {
			at += descriptor // of the entry before, not yet written
		}
		padding := int(-at & (alignment - 1))
		extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(padding))
		extra = append(extra, strings.Repeat("Z", padding)...)
		f, err := z.CreateHeader(&zip.FileHeader{Name: e.Name, Method: e.Method, Extra: extra})
		if err != nil {
			return err
		}
		if _, err := f.Write(e.Data); err != nil {
			return err
		}
	}
	return z.Close()
}

// LegacyFile writes PyTorch's older format: magic number, protocol, system,
// object, keys of the storages, storages.
func LegacyFile(w io.Writer, object []byte, storages []Storage) error {
	var b bytes.Buffer
	b.Write(NewPickle().Op("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").Stop())
	b.Write(NewPickle().Int(1001).Stop())
	b.Write(NewPickle().Op("}(").Text("protocol_version").Int(1001).Text("little_endian").Op("\x88").
		Text("type_sizes").Op("}(").Text("short").Int(2).Text("int").Int(4).Text("long").Int(4).Op("uu").Stop())
	b.Write(object)
	keys := NewPickle().Op("](")
	for _, s := range storages {
		keys.Text(s.Key)
	}
	b.Write(keys.Op("e").Stop())
	for _, s := range storages {
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(s.Elements)))
		b.Write(s.Data)
	}
	_, err := w.Write(b.Bytes())
	return err
}
