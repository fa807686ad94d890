//go:build unix

package atomicfile

import (
	"errors"
	"syscall"
)

// canLock says that a locked file can be written to.
const canLock = true

// nonBlocking has the opening of a pipe return at once.
const nonBlocking = syscall.O_NONBLOCK

// hasNoReader reports whether that is why a pipe was not opened.
func hasNoReader(err error) bool { return errors.Is(err, syscall.ENXIO) }
