//go:build unix

package jsonfile

import (
	"os"
	"syscall"
)

// openWriter opens a named pipe to write, which fails if nobody reads it yet.
func openWriter(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}
