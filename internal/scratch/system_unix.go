//go:build linux || darwin

package scratch

import (
	"os"

	"golang.org/x/sys/unix"
)

// suits reports why a folder does not suit, nil if it does.
func suits(dir string, bytes int64) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	if inMemory(fs) {
		return ErrMemory
	}
	return room(bytes, int64(fs.Bavail)*int64(fs.Bsize))
}
