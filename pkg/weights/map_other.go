//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package weights

// mapFile returns the bytes of a file and what releases them.
func mapFile(path string) ([]byte, func() error, error) { return readFile(path) }
