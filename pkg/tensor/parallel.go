package tensor

import "sync"

// Parallel calls f on consecutive ranges [lo, hi) that cover [0, n), one for
// each of at most threads goroutines, and waits for all of them. One range is
// run on the caller's goroutine. What f computes for an index must not depend
// on the range it falls in; then the result does not depend on threads.
func Parallel(n, threads int, f func(lo, hi int)) {
	if threads > n {
		threads = n
	}
	if threads <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	var wg sync.WaitGroup
	for i := 1; i < threads; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(i*n/threads, (i+1)*n/threads)
		}()
	}
	f(0, n/threads)
	wg.Wait()
}
