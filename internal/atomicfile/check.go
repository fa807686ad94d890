package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Check reports why WriteFile could not write path, so that a long computation
// need not find out at its end. It leaves everything as it was, but for what a
// killed process left behind.
func Check(path string) error {
	if err := check(path); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func check(path string) error {
	if path == "" {
		return errors.New("a file name expected, found none")
	}
	if standardStream(path) != nil {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return errors.New("a file expected, found a directory")
	case err == nil && !info.Mode().IsRegular():
		return nil // opening a pipe would wait for its reader
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return bare(err)
	}
	target, err := resolve(path)
	if err != nil || strings.HasPrefix(target, "/proc/") {
		return err
	}
	if _, err := existing(target); err != nil {
		return err
	}
	temp, err := createTemp(target)
	if err != nil {
		return fmt.Errorf("folder %s: %w", filepath.Dir(target), bare(err))
	}
	return bare(temp.discard())
}
