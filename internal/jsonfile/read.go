package jsonfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/seed-2c350065/acdc/internal/fileerror"
)

// chunk is how much is read between two looks at the context.
const chunk = 1 << 20

// ReadFile reads a whole file, or what comes through a pipe or from a device, of
// at most limit bytes; kind is what it should be, as "a circuit file". It
// returns soon after the context ends, even if nothing comes.
func ReadFile(ctx context.Context, name, kind string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := open(ctx, name)
	if err != nil {
		return nil, at(name, err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("expected %s, found a directory", kind)
	case err == nil && info.Mode().IsRegular() && info.Size() > limit:
		err = tooLarge(kind, limit, fmt.Sprintf("%d bytes", info.Size()))
	}
	if err != nil {
		_ = f.Close() // the first error says more
		return nil, at(name, err)
	}
	// A read that waits at a pipe ends at the deadline; the file is closed behind it.
	data, err := await(ctx, func() ([]byte, error) {
		defer f.Close()
		return readAll(ctx, f, kind, limit, info.Size())
	})
	if ctx.Err() != nil {
		_ = f.SetReadDeadline(time.Unix(1, 0)) // it may be closed by now
	}
	return data, at(name, err)
}

// ReadRegular is [ReadFile] of a file on disk; anything else, which might never
// end or never come, is refused unopened.
func ReadRegular(ctx context.Context, name, kind string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, at(name, err)
	}
	if !info.Mode().IsRegular() && !info.IsDir() {
		return nil, fmt.Errorf("%s: a regular file expected, found %s", name, fileerror.Kind(info.Mode()))
	}
	return ReadFile(ctx, name, kind, limit)
}

// ReadAll is [ReadFile] of what is open already, such as standard input. A read
// that nothing comes for is left behind when the context ends.
func ReadAll(ctx context.Context, name, kind string, r io.Reader, limit int64) ([]byte, error) {
	data, err := await(ctx, func() ([]byte, error) { return readAll(ctx, r, kind, limit, 0) })
	return data, at(name, err)
}

// at puts the file's name in front of an error, but not of an interruption.
func at(name string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fileerror.At(name, err)
}

// open opens a file. A named pipe that nobody writes to blocks, and is let go
// when the context ends.
func open(ctx context.Context, name string) (*os.File, error) {
	opened := make(chan struct{})
	var f *os.File
	file, err := await(ctx, func() (*os.File, error) {
		defer close(opened)
		var err error
		f, err = os.Open(name)
		return f, err
	})
	if err != nil && ctx.Err() != nil {
		go func() {
			release(name, opened)
			<-opened
			if f != nil {
				_ = f.Close() // nobody reads it
			}
		}()
	}
	return file, err
}

// release lets a reader of a named pipe go that waits for a writer.
func release(name string, opened <-chan struct{}) {
	info, err := os.Stat(name)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return
	}
	for {
		if w, err := openWriter(name); err == nil {
			_ = w.Close() // nothing is written
		}
		select {
		case <-opened:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// await returns what a function returns, or the context's error once it ends.
func await[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	done := make(chan answer, 1)
	go func() {
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		if err := ctx.Err(); err != nil {
			return none, err
		}
		return a.value, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// NewReader reads a text until the context ends.
func NewReader(ctx context.Context, text []byte) io.Reader { return Until(ctx, bytes.NewReader(text)) }

// Until reads until the context ends, at most 1 MiB at a time.
func Until(ctx context.Context, r io.Reader) io.Reader { return until{ctx, r} }

type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p[:min(len(p), chunk)])
}

// readAll reads up to the limit; size is how much will probably come.
func readAll(ctx context.Context, r io.Reader, kind string, limit, size int64) ([]byte, error) {
	data := make([]byte, 0, max(min(size, limit)+1, 512))
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Read(data[len(data):min(cap(data), len(data)+chunk)])
		data = data[:len(data)+n]
		if int64(len(data)) > limit {
			return nil, tooLarge(kind, limit, "more")
		}
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// tooLarge is the error of what goes beyond a limit.
func tooLarge(kind string, limit int64, found string) error {
	unit := fmt.Sprintf("%d bytes", limit)
	if limit%(1<<20) == 0 {
		unit = fmt.Sprintf("%d MiB", limit>>20)
	}
	return fmt.Errorf("expected %s of at most %s, found %s", kind, unit, found)
}
