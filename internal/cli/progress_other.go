//go:build !unix

package cli

import "os"

// asked is nothing where there is no signal to ask with.
func asked() (<-chan os.Signal, func()) { return nil, func() {} }
