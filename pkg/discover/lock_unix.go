//go:build unix && !solaris && !aix

package discover

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from writing to the file while this one lives.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
