package ablate

import (
	"context"
	"os"
	"sync"
	"unsafe"

	"github.com/seed-2c350065/acdc/internal/scratch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Shelf keeps the two runs of batches in a file, for when memory has no room for
// them: to read them costs a fraction of what making them again does, and they
// are the same to the bit. It is a help, not a need: where there is no file, or
// it fails, the shelf is empty, and runs are made again.
//
// Its methods may be called from several goroutines. A nil shelf is empty.
type Shelf struct {
	mu   sync.Mutex
	file *os.File
	at   map[[2]int]int64 // where a batch's runs begin, by its examples
	end  int64
}

// NewShelf makes a shelf in a folder with room for the runs of some examples.
// Without a file it is empty and stays so; Close gives the file back, as does
// the end of the program.
func NewShelf(r *Runs, dir string, examples int) *Shelf {
	r.made()
	s := &Shelf{at: map[[2]int]int64{}}
	s.file, _ = scratch.File(dir, RunBytes(r.model.Config, r.split())*int64(examples*r.Positions()))
	return s
}

// RunBytes is how many bytes the two runs of one position are.
func RunBytes(c transformer.Config, splitEmbed bool) int64 {
	return 2 * 4 * transformer.ActivationFloats(c, splitEmbed)
}

// Close empties the shelf for good.
func (s *Shelf) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close()
}

func (s *Shelf) close() {
	if s.file != nil {
		_ = s.file.Close() // it has no name: nothing is lost
		s.file, s.at = nil, nil
	}
}

// Open reports whether the shelf has a file.
func (s *Shelf) Open() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file != nil
}

// Has reports whether a batch's runs are kept.
func (s *Shelf) Has(b *Batch) bool {
	if b.made(); s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.at[[2]int{b.Lo, b.Hi}]
	return ok
}

// Put keeps a batch's runs, unless it has them.
func (s *Shelf) Put(ctx context.Context, b *Batch) {
	if b.made(); s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]int{b.Lo, b.Hi}
	if _, ok := s.at[key]; ok || s.file == nil {
		return
	}
	at := s.end
	if !s.each(ctx, b, func(part []byte) error {
		_, err := s.file.WriteAt(part, s.end)
		s.end += int64(len(part))
		return err
	}) {
		return
	}
	s.at[key] = at
}

// Get reads the runs of the examples [lo,hi); it returns nil if they are not
// kept.
func (s *Shelf) Get(ctx context.Context, r *Runs, lo, hi int) *Batch {
	if r.made(); s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[[2]int{lo, hi}]
	if !ok {
		return nil
	}
	b := r.batchOf(lo, hi)
	rows := (hi - lo) * r.Positions()
	b.Clean = transformer.NewActivations(r.model.Config, r.split(), rows)
	b.Corrupted = transformer.NewActivations(r.model.Config, r.split(), rows)
	if !s.each(ctx, b, func(part []byte) error {
		_, err := s.file.ReadAt(part, at)
		at += int64(len(part))
		return err
	}) {
		return nil
	}
	b.takeCuts()
	return b
}

// partBytes is how much is written or read between two looks at the context.
const partBytes = 16 << 20

// each goes through the bytes of a batch's runs. An error ends the shelf; the end
// of the context does not, but is reported as well.
func (s *Shelf) each(ctx context.Context, b *Batch, do func(part []byte) error) bool {
	for _, a := range []*transformer.Activations{b.Clean, b.Corrupted} {
		for _, x := range a.Tensors(b.Runs.model.Config) {
			data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x.Data))), 4*len(x.Data))
			for len(data) > 0 {
				part := data[:min(len(data), partBytes)]
				if ctx.Err() != nil {
					return false
				}
				if do(part) != nil {
					s.close()
					return false
				}
				data = data[len(part):]
			}
		}
	}
	return true
}
