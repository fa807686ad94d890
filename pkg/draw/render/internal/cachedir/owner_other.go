//go:build !unix

package cachedir

import "io/fs"

// tempVar is the variable that os.TempDir reads.
const tempVar = "TMP"

// sharedName is empty: temporary folders are each user's own.
func sharedName() string { return "" }

// trusted holds: the user's cache folder is closed to others by its access
// control list.
func trusted(info fs.FileInfo, isLeaf bool) bool { return true }
