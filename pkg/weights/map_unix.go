//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package weights

import (
	"context"
	"os"

	"golang.org/x/sys/unix"

	"github.com/seed-2c350065/acdc/internal/fileerror"
)

// mapFile returns the bytes of a file and what releases them. File systems
// that cannot map are read whole.
func mapFile(ctx context.Context, path string) ([]byte, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fileerror.At(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fileerror.At(path, err)
	}
	size := int(info.Size())
	if size > 0 && int64(size) == info.Size() {
		data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
		if err == nil {
			return data, func() error { return unix.Munmap(data) }, nil
		}
	}
	return readFile(ctx, path)
}
