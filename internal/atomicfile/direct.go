package atomicfile

import (
	"context"
	"io"
	"io/fs"
	"os"
	"time"
)

// writeDirectly appends to what cannot be replaced.
func writeDirectly(ctx context.Context, path string, write func(io.Writer) error) error {
	f, err := openDirectly(ctx, path)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = f.SetWriteDeadline(time.Now()) // only a pipe has one, and only there does a write wait
	})
	defer stop()
	if err := fill(f, write); err != nil {
		f.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return bare(f.Close())
}

// openDirectly opens a device, a descriptor or a pipe. To open a pipe waits for
// its reader, as the shell does, but no longer than ctx.
func openDirectly(ctx context.Context, path string) (*os.File, error) {
	const again = 20 * time.Millisecond
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|nonBlocking, 0)
		if !hasNoReader(err) {
			return f, bare(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
			return nil, bare(err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(again):
		}
	}
}
