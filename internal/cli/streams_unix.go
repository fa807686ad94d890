//go:build linux || darwin

package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// wasClosed reports whether standard output was closed when the program began,
// as by >&-. Go's runtime then opens the null device in its place, for reading
// and writing, which a shell's >/dev/null is not. Daemons' parents do open it
// so, but for standard error as well, and mean it.
//
// A parent that does so for standard output alone cannot be told from one that
// closed it.
func wasClosed(stdout, stderr io.Writer) bool {
	return isStandIn(stdout) && !isStandIn(stderr)
}

func isStandIn(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	if err != nil || !os.SameFile(null, info) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
