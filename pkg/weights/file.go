package weights

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/seed-2c350065/acdc/internal/fileerror"
)

// Entry describes one tensor of a file.
type Entry struct {
	Name   string
	DType  DType
	Shape  []int // empty for a single number
	Offset int64 // of its first byte in the data section; in the other containers of it or its storage in the file
	Size   int64 // in bytes
}

// File is one open file of any container: safetensors, PyTorch or npz. Its
// methods may be called from several goroutines at once, except Close.
type File struct {
	name     string
	names    []string // sorted
	entries  map[string]Entry
	places   map[string]place // of tensors that are no plain run of data
	metadata map[string]string
	data     []byte // the data section; of other containers the whole file
	unmap    func() error
	closed   bool
}

// Open maps a safetensors file into memory and checks its header. The error of
// a missing file wraps [fs.ErrNotExist]. Close releases the mapping; a File that
// is never closed keeps it until the program ends. Where the context ends, its
// error is returned, here and by all else that takes one.
func Open(ctx context.Context, path string) (*File, error) { return openWith(ctx, path, Decode) }

// openWith maps a file and decodes it.
func openWith(ctx context.Context, path string, decode func(context.Context, string, []byte) (*File, error)) (*File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileerror.At(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: a regular file expected, found %s", path, fileerror.Kind(info.Mode()))
	}
	data, unmap, err := mapFile(ctx, path)
	if err != nil {
		return nil, err
	}
	f, err := decode(ctx, path, data)
	if err != nil {
		_ = unmap() // the first error says more, and is to stay one line
		return nil, err
	}
	f.unmap = unmap
	return f, nil
}

// Decode reads a safetensors file that is already in memory. It keeps data, which must not
// change while the File is in use. The name appears in errors only.
func Decode(ctx context.Context, name string, data []byte) (*File, error) {
	f, err := decode(ctx, data)
	if err != nil {
		return nil, failed(ctx, name, err)
	}
	f.name = name
	return f, nil
}

// failed puts the file's name in front of an error, unless it is that the context
// has ended.
func failed(ctx context.Context, name string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return fmt.Errorf("%s: %w", name, err)
}

func decode(ctx context.Context, file []byte) (*File, error) {
	text, data, err := split(file)
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := checkLayout(h.entries, int64(len(data))); err != nil {
		return nil, err
	}
	f := newFile(h.entries, data)
	f.metadata = h.metadata
	return f, nil
}

// newFile makes a File of entries with different names.
func newFile(entries []Entry, data []byte) *File {
	f := &File{entries: make(map[string]Entry, len(entries)), data: data}
	for _, e := range entries {
		f.entries[e.Name] = e
		f.names = append(f.names, e.Name)
	}
	slices.Sort(f.names)
	return f
}

// Close releases the file. Slices that [File.Float32] handed out without
// copying must not be touched afterwards; reading a tensor is then an error.
// A second Close does nothing.
func (f *File) Close() error {
	unmap := f.unmap
	f.data, f.unmap, f.closed = nil, nil, true
	if unmap == nil {
		return nil
	}
	if err := unmap(); err != nil {
		return fmt.Errorf("%s: close: %w", f.name, err)
	}
	return nil
}

// Name returns the path or name the file was opened with.
func (f *File) Name() string { return f.name }

// Files returns the path alone.
func (f *File) Files() []string { return []string{f.name} }

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Has tells whether the file has a tensor of this name.
func (f *File) Has(name string) bool {
	_, ok := f.entries[name]
	return ok
}

// Shape returns the shape of the tensor of this name, empty for a single number.
func (f *File) Shape(name string) ([]int, bool) {
	e, ok := f.entries[name]
	return slices.Clone(e.Shape), ok
}

// Entry describes the tensor of this name.
func (f *File) Entry(name string) (Entry, bool) {
	e, ok := f.entries[name]
	e.Shape = slices.Clone(e.Shape)
	return e, ok
}

// Metadata returns the free texts of a safetensors header, or what a dict beside
// a PyTorch file's tensors says in numbers and texts, such as "cfg.n_layers"; nil
// if there are none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }
