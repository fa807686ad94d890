//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// asked returns a channel of SIGUSR1, which asks a run how far it is, and what
// ends that.
func asked() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	return c, func() { signal.Stop(c) }
}
