//go:build unix

package cachedir

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// tempVar is the variable that os.TempDir reads.
const tempVar = "TMPDIR"

// sharedName is the folder's name where other users have theirs beside it.
func sharedName() string { return "acdc-cache-" + strconv.Itoa(os.Geteuid()) }

// trusted reports whether a folder belongs to the user, or to root unless it
// is the cache itself, and is writable for nobody else. The user's own group
// and root's may write: they are one person. In a sticky folder nobody can
// replace what is the user's.
func trusted(info fs.FileInfo, isLeaf bool) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	uid, gid, mode := int(st.Uid), int(st.Gid), info.Mode()
	if uid != os.Geteuid() && (isLeaf || uid != 0) {
		return false
	}
	if isLeaf {
		return mode&0o022 == 0
	}
	if mode&fs.ModeSticky != 0 {
		return true
	}
	return mode&0o002 == 0 && (mode&0o020 == 0 || gid == os.Geteuid() || gid == 0)
}
