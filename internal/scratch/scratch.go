// Package scratch makes files for numbers that do not fit in memory and are of no
// use to anybody else: they have no name, so that nothing is left of them however
// the program ends.
package scratch

import (
	"errors"
	"fmt"
	"os"
)

// ErrMemory says that a folder's files lie in memory.
var ErrMemory = errors.New("its files lie in memory")

// spare is how many times as much as is asked for has to be free, so that the
// disk is not full for others.
const spare = 2

// File makes an unnamed file in a folder for so many bytes. Errors say why there
// is none: the folder's files lie in memory (ErrMemory), too little is free, the
// system has no unnamed files, or what the system says.
func File(dir string, bytes int64) (*os.File, error) {
	if err := suits(dir, bytes); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	f, err := os.CreateTemp(dir, ".acdc-*.tmp")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// room is the error of a folder in which too little is free.
func room(bytes, free int64) error {
	if free/spare < bytes {
		return fmt.Errorf("expected %d bytes free, %d times what is written, found %d", spare*bytes, spare, free)
	}
	return nil
}
