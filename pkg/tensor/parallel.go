package tensor

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// Parallel calls f on consecutive ranges [lo, hi) that cover [0, n), at most
// threads of them, on as many goroutines, and returns when all are done. What f
// computes for an index must not depend on the range it falls in; then the
// result does not depend on threads. A panic in f, of whatever goroutine, is a
// panic of the caller, once all the others are done.
//
// The goroutines are kept between calls, and look for more work for some ten
// microseconds before they sleep: a computation in steps of a tenth of a
// millisecond is over before a sleeping one is awake. Calls from several
// goroutines, and calls within f, are served too, by goroutines of their own.
func Parallel(n, threads int, f func(lo, hi int)) {
	if f == nil {
		panic("tensor: Parallel without a function")
	}
	if threads > n {
		threads = n
	}
	if threads <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	j := &job{f: f, n: n, parts: threads}
	j.left.Add(threads)
	if !team.busy.TryLock() {
		for range threads - 1 {
			go j.work()
		}
		j.finish()
		return
	}
	defer team.busy.Unlock()
	for len(team.members) < threads-1 {
		m := &member{wake: make(chan struct{}, 1)}
		team.members = append(team.members, m)
		go m.run()
	}
	for _, m := range team.members[:threads-1] {
		m.give(j)
	}
	j.finish()
}

// job is one call of Parallel. Its ranges go to whoever asks next, so that a
// goroutine that is late keeps nobody waiting.
type job struct {
	f        func(lo, hi int)
	n, parts int
	next     atomic.Int64 // the next range
	done     atomic.Int64 // ranges that are done
	left     sync.WaitGroup
	failed   atomic.Pointer[failure]
}

// failure is a panic of a range, to be raised again in the caller's goroutine.
type failure struct{ value any }

// work computes ranges until none is left.
func (j *job) work() {
	for {
		i := int(j.next.Add(1)) - 1
		if i >= j.parts {
			return
		}
		j.part(i)
	}
}

// part computes one range.
func (j *job) part(i int) {
	defer j.left.Done()
	defer j.done.Add(1)
	defer func() {
		if v := recover(); v != nil {
			j.failed.CompareAndSwap(nil, &failure{v})
		}
	}()
	j.f(i*j.n/j.parts, (i+1)*j.n/j.parts)
}

// finish helps with the ranges and waits for those of others.
func (j *job) finish() {
	j.work()
	for spins := 0; int(j.done.Load()) < j.parts && spins < patience(j.parts); spins++ {
		pause(spins)
	}
	j.left.Wait()
	if f := j.failed.Load(); f != nil {
		panic(f.value)
	}
}

// team are the goroutines that are kept.
var team struct {
	busy    sync.Mutex
	members []*member
}

// member is one of them.
type member struct {
	job    atomic.Pointer[job]
	asleep atomic.Bool
	wake   chan struct{}
}

// give hands the member a job.
func (m *member) give(j *job) {
	m.job.Store(j)
	if m.asleep.Load() {
		select {
		case m.wake <- struct{}{}:
		default: // it has been woken already
		}
	}
}

// patience is how often one looks for work, or waits for that of others, before
// it sleeps: some ten microseconds. Under a quota of processor time it is a few,
// and none where there are more threads than processors: somebody else has
// better use for the time.
func patience(threads int) int {
	switch {
	case threads > runtime.GOMAXPROCS(0):
		return 0
	case underQuota():
		return spinning / 100
	}
	return spinning
}

// spinning is how many pauses last some ten microseconds.
const spinning = 4000

// underQuota reports whether the system hands out processor time by a quota, as
// containers have one: cpu.max of version 2 of control groups, or cfs_quota_us.
var underQuota = sync.OnceValue(func() bool {
	return hasQuota("/sys/fs/cgroup/cpu.max") || hasQuota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
})

// hasQuota reports whether a file of a control group begins with a number of
// microseconds.
func hasQuota(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		return false
	}
	n, err := strconv.Atoi(string(fields[0]))
	return err == nil && n > 0
}

// run serves jobs as long as the program runs.
func (m *member) run() {
	for {
		for spins, most := 0, patience(1); spins < most; spins++ {
			if j := m.job.Swap(nil); j != nil {
				j.work()
				spins, most = 0, patience(j.parts)
			}
			pause(spins)
		}
		m.asleep.Store(true)
		if m.job.Load() == nil {
			<-m.wake
		}
		m.asleep.Store(false)
	}
}
