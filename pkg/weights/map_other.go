//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package weights

import "context"

// mapFile returns the bytes of a file and what releases them.
func mapFile(ctx context.Context, path string) ([]byte, func() error, error) {
	return readFile(ctx, path)
}
