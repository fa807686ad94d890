package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// wasClosed reports whether standard output was closed when the program began,
// as by >&-. Go's runtime then opens the null device in its place, for reading and
// writing, which a shell's >/dev/null is not. Some parents open it just so for a
// program whose output nobody wants, as Python's subprocess.DEVNULL, and the
// system keeps nothing that tells the two apart. So the parent decides: see
// closes.
func wasClosed(stdout io.Writer) bool {
	f, ok := stdout.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || !isNull(info) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR && closes(os.Getppid())
}

// closers are shells: programs that close what they are told to close, and of themselves
// give nobody the null device.
var closers = []string{"sh", "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "tcsh", "yash", "zsh"}

// closes reports whether a process that left its child no standard output but a
// null device must have closed it: it has none itself, or it is a shell whose own
// is another. Whoever cannot be asked has not.
func closes(parent int) bool {
	at := fmt.Sprintf("/proc/%d/", parent)
	program, err := os.Readlink(at + "exe")
	if err != nil {
		return false
	}
	info, err := os.Stat(at + "fd/1")
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	name := strings.TrimSuffix(filepath.Base(program), " (deleted)")
	return err == nil && !isNull(info) && slices.Contains(closers, strings.TrimRight(name, "-.0123456789"))
}

// isNull reports whether a file is the null device.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(null, info)
}
