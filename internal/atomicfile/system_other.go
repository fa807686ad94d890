//go:build !unix

package atomicfile

// canLock says that a locked file can be written to. Windows holds even the
// process itself to its lock.
const canLock = false

// nonBlocking is nothing where a pipe is no file.
const nonBlocking = 0

func hasNoReader(error) bool { return false }
