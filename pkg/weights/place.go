package weights

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// member is a run of a file's bytes: a storage, or an entry of a zip archive.
type member struct {
	start, size int64 // where its bytes lie in the file
	full        int64 // its size when inflated; size if it is not compressed
	compressed  bool
	crc         uint32 // of the inflated bytes, if it is compressed
}

// place says how a tensor's bytes are got from a member.
type place struct {
	member  member
	offset  int64   // of the first element in the inflated member, in bytes
	strides []int64 // in elements, by dimension; nil is row-major order
}

// read returns the bytes of the tensor in row-major order. Its extent has been
// compared with the member before.
func (p place) read(ctx context.Context, file []byte, e Entry) ([]byte, error) {
	if e.Size == 0 {
		return nil, nil
	}
	if e.Size > p.member.full {
		return nil, fmt.Errorf("values of their own expected, found a view that repeats the %d bytes of its storage to fill %d",
			p.member.full, e.Size)
	}
	data, err := p.member.bytes(ctx, file)
	if err != nil {
		return nil, err
	}
	if p.strides == nil {
		return data[p.offset : p.offset+e.Size : p.offset+e.Size], nil
	}
	return gather(ctx, data, e.DType.width(), p.offset, e.Shape, p.strides)
}

// bytes returns the member's bytes, inflated where they are compressed.
func (m member) bytes(ctx context.Context, file []byte) ([]byte, error) {
	if !m.compressed {
		return file[m.start : m.start+m.size : m.start+m.size], nil
	}
	sum := crc32.NewIEEE()
	b, err := io.ReadAll(io.TeeReader(io.LimitReader(m.inflate(ctx, file), m.full+1), sum))
	if err != nil {
		return nil, inflateError(err)
	}
	if int64(len(b)) != m.full {
		found := fmt.Sprint(len(b))
		if int64(len(b)) > m.full {
			found = "more"
		}
		return nil, fmt.Errorf("compressed entry: %d bytes expected, found %s", m.full, found)
	}
	if sum.Sum32() != m.crc {
		return nil, fmt.Errorf("compressed entry: checksum %08x expected, found %08x", m.crc, sum.Sum32())
	}
	return b, nil
}

// prefix returns at most n bytes of the member's start.
func (m member) prefix(file []byte, n int64) ([]byte, error) {
	if !m.compressed {
		return file[m.start : m.start+min(n, m.size)], nil
	}
	b, err := io.ReadAll(io.LimitReader(m.inflate(context.Background(), file), min(n, m.full)))
	if err != nil {
		return nil, inflateError(err)
	}
	return b, nil
}

// inflate reads a compressed member until the context ends.
func (m member) inflate(ctx context.Context, file []byte) io.Reader {
	return jsonfile.Until(ctx, flate.NewReader(bytes.NewReader(file[m.start:m.start+m.size])))
}

func inflateError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("compressed entry: truncated")
	}
	return errors.New("compressed entry: deflate data expected, found other bytes")
}

// rowMajor tells whether strides are those of row-major order without holes.
// The stride of a dimension of one element says nothing.
func rowMajor(shape []int, strides []int64) bool {
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && strides[i] != step {
			return false
		}
		step *= int64(shape[i])
	}
	return true
}

// reach returns how many elements of a storage a tensor needs: none if it is
// empty, else 1 + offset + Σ (shape[i]-1)·strides[i].
func reach(offset int64, shape []int, strides []int64) (int64, error) {
	end := offset
	for i, n := range shape {
		if n == 0 {
			return 0, nil
		}
		if strides[i] == 0 || n == 1 {
			continue
		}
		if strides[i] > (math.MaxInt64-1-end)/int64(n-1) {
			return 0, fmt.Errorf("stride: fewer than 2^63 elements expected, found offset %d, shape %d, stride %d", offset, shape, strides)
		}
		end += strides[i] * int64(n-1)
	}
	return end + 1, nil
}

// gather copies a strided tensor into row-major order.
func gather(ctx context.Context, data []byte, width int, offset int64, shape []int, strides []int64) ([]byte, error) {
	size := width
	for _, n := range shape {
		size *= n
	}
	out := make([]byte, size)
	inner, step := 1, int64(0)
	if last := len(shape) - 1; last >= 0 {
		inner, step = shape[last], strides[last]*int64(width)
		shape, strides = shape[:last], strides[:last]
	}
	index := make([]int, len(shape))
	for at, asked := 0, 0; ; at += inner * width {
		if row := out[at : at+inner*width]; at+len(row) < asked {
			gatherRow(row, data, width, offset, step)
		} else if err := inParts(ctx, inner, func(lo, hi int) error {
			gatherRow(row[lo*width:hi*width], data, width, offset+int64(lo)*step, step)
			return nil
		}); err != nil {
			return nil, err
		} else {
			asked = at + len(row) + part*width
		}
		d := len(index) - 1
		for ; d >= 0; d-- {
			index[d]++
			offset += strides[d] * int64(width)
			if index[d] < shape[d] {
				break
			}
			offset -= strides[d] * int64(width) * int64(shape[d])
			index[d] = 0
		}
		if d < 0 {
			return out, nil
		}
	}
}

// gatherRow fills out with elements that lie step bytes apart.
func gatherRow(out, data []byte, width int, at, step int64) {
	if width == 4 {
		for ; len(out) >= 4; out, at = out[4:], at+step {
			binary.NativeEndian.PutUint32(out, binary.NativeEndian.Uint32(data[at:at+4]))
		}
		return
	}
	for ; len(out) > 0; out, at = out[width:], at+step {
		copy(out, data[at:at+int64(width)])
	}
}
