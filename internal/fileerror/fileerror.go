// Package fileerror says in one line why a file could not be read.
package fileerror

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// At puts a path in front of the cause, once. A link that leads nowhere is told
// from a file that is not there: it is no [fs.ErrNotExist], since somebody meant
// the file to be there.
func At(path string, err error) error {
	if text := Broken(path); text != "" && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %s", path, text)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Broken says where a link leads whose end is not there, "" for anything else.
func Broken(path string) string {
	to, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return fmt.Sprintf("a link to %s, which is not there", oneline.Quote(to))
}

// Kind says what a path leads to that is no regular file.
func Kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
