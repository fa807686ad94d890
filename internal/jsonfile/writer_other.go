//go:build !unix

package jsonfile

import (
	"errors"
	"os"
)

// openWriter stands in where there are no named pipes in the file system.
func openWriter(string) (*os.File, error) { return nil, errors.ErrUnsupported }
