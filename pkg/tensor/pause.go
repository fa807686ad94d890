package tensor

import "runtime"

// pause lets some time pass in a loop that waits, and lets other goroutines in
// now and then.
func pause(spins int) {
	if spins%64 == 63 {
		runtime.Gosched()
		return
	}
	for range 20 {
		idle()
	}
}

// idle does nothing that the compiler could leave out.
//
//go:noinline
func idle() {}
