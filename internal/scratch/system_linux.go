package scratch

import "golang.org/x/sys/unix"

// inMemory reports whether a file system's files lie in memory.
func inMemory(fs unix.Statfs_t) bool {
	switch uint32(fs.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.HUGETLBFS_MAGIC:
		return true
	}
	return false
}
