package weights

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// maxRatio bounds how much deflate can make of a byte; a zip entry that states
// more lies.
const maxRatio = 1032

// archive is the directory of a zip file whose entries have been compared with
// the file: inside it, apart from each other, of different names.
type archive struct {
	file    []byte
	names   []string // in the order of the directory, without folders
	members map[string]member
}

func openArchive(ctx context.Context, file []byte) (*archive, error) {
	z, err := zip.NewReader(readerAt{ctx, bytes.NewReader(file)}, int64(len(file)))
	if err != nil {
		return nil, errors.New("zip archive: a directory at the end of the file expected, found none or a damaged one (is the file truncated?)")
	}
	a := &archive{file: file, members: map[string]member{}}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if len(a.names) == maxKeys {
			return nil, fmt.Errorf("zip archive: at most %d entries expected, found more", maxKeys)
		}
		if _, twice := a.members[f.Name]; twice {
			return nil, fmt.Errorf("zip archive: different names expected, found %s twice", oneline.Quote(f.Name))
		}
		m, err := memberOf(f, int64(len(file)))
		if err != nil {
			return nil, fmt.Errorf("zip entry %s: %w", oneline.Quote(f.Name), err)
		}
		a.names = append(a.names, f.Name)
		a.members[f.Name] = m
	}
	return a, a.checkOverlap()
}

// readerAt reads until the context ends.
type readerAt struct {
	ctx context.Context
	r   io.ReaderAt
}

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.ReadAt(p, at)
}

// memberOf finds the bytes of an entry. Checksums of entries that are not
// compressed are not computed: that would read the whole file.
func memberOf(f *zip.File, fileSize int64) (member, error) {
	start, err := f.DataOffset()
	if err != nil {
		return member{}, errors.New("a local header expected, found none")
	}
	if f.Flags&1 != 0 {
		return member{}, errors.New("plain bytes expected, found encrypted ones")
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return member{}, fmt.Errorf("method 0 (stored) or 8 (deflate) expected, found %d", f.Method)
	}
	if start > fileSize || f.CompressedSize64 > uint64(fileSize-start) {
		return member{}, fmt.Errorf("%d bytes expected, file has %d from there", f.CompressedSize64, max(0, fileSize-start))
	}
	m := member{start: start, size: int64(f.CompressedSize64), crc: f.CRC32}
	if f.Method == zip.Deflate {
		m.compressed = true
		if f.UncompressedSize64 > uint64(m.size)*maxRatio {
			return member{}, fmt.Errorf("at most %d times its %d bytes expected, found %d stated", maxRatio, m.size, f.UncompressedSize64)
		}
	} else if f.UncompressedSize64 != f.CompressedSize64 {
		return member{}, fmt.Errorf("stored in its size of %d bytes expected, found %d", f.UncompressedSize64, f.CompressedSize64)
	}
	m.full = int64(f.UncompressedSize64)
	return m, nil
}

// checkOverlap refuses entries that share bytes, as zip bombs do.
func (a *archive) checkOverlap() error {
	byStart := slices.Clone(a.names)
	slices.SortStableFunc(byStart, func(x, y string) int {
		return cmp.Or(cmp.Compare(a.members[x].start, a.members[y].start), cmp.Compare(a.members[x].size, a.members[y].size))
	})
	for i := 1; i < len(byStart); i++ {
		before, m := a.members[byStart[i-1]], a.members[byStart[i]]
		if before.start+before.size > m.start {
			return fmt.Errorf("zip entry %s: bytes of its own expected, found those of %s", oneline.Quote(byStart[i]), oneline.Quote(byStart[i-1]))
		}
	}
	return nil
}

// text returns the whole of a small entry.
func (a *archive) text(ctx context.Context, name string) ([]byte, error) {
	m := a.members[name]
	if m.compressed && m.full > maxHeader {
		return nil, fmt.Errorf("zip entry %s: at most %d bytes expected, found %d", oneline.Quote(name), maxHeader, m.full)
	}
	b, err := m.bytes(ctx, a.file)
	if err != nil {
		return nil, fmt.Errorf("zip entry %s: %w", oneline.Quote(name), err)
	}
	return b, nil
}
