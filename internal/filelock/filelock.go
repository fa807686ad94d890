// Package filelock keeps other processes away from a file while this one works
// on it.
package filelock

import (
	"errors"
	"syscall"

	"github.com/gofrs/flock"
)

// Lock is a file that is locked.
type Lock struct {
	f        *flock.Flock
	excludes bool
}

// Try locks a file, which is made if it is not there. It reports false if
// another process, or another Lock of this one, has it. A file system that
// cannot lock files, as some network file systems, locks them against nobody.
// The lock ends with the process, if not before.
func Try(path string) (*Lock, bool, error) {
	f := flock.New(path, flock.SetPermissions(0o666))
	ok, err := f.TryLock()
	if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
		return &Lock{f, false}, true, nil
	}
	if err != nil || !ok {
		_ = f.Close() // the first error says more
		return nil, false, err
	}
	return &Lock{f, true}, true, nil
}

// Close gives the file back. It stays where it is.
func (l *Lock) Close() error { return l.f.Close() }

// Excludes reports whether others are kept away, which not every file system
// can do.
func (l *Lock) Excludes() bool { return l.excludes }
