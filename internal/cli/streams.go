package cli

import (
	"context"
	"errors"
	"io"
)

// awaited writes to a stream whose reader may be slow, or not read at all. It
// waits for the reader no longer than ctx lasts; then the write is left to the
// kernel, which drops it when the process ends.
type awaited struct {
	ctx context.Context
	w   io.Writer
}

func (a awaited) Write(p []byte) (int, error) {
	type answer struct {
		n   int
		err error
	}
	own := append([]byte(nil), p...) // p is the caller's again if ctx ends first
	done := make(chan answer, 1)
	go func() {
		n, err := a.w.Write(own)
		done <- answer{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-a.ctx.Done():
		return 0, a.ctx.Err()
	}
}

// closedStream stands for a standard output that was closed before the program
// began.
type closedStream struct{}

func (closedStream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return 0, errors.New("closed (> /dev/null discards it)")
}
