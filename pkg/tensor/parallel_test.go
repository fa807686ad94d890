package tensor

import (
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A panic of any range, on whatever goroutine, reaches the caller, and Parallel
// works on as before.
func TestParallelRaisesPanicsInTheCaller(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		for bad := range threads {
			var ran atomic.Int64
			assert.PanicsWithValue(t, "tensor: a shape", func() {
				Parallel(threads, threads, func(lo, _ int) {
					ran.Add(1)
					if lo == bad {
						panic("tensor: a shape")
					}
				})
			})
			sum := atomic.Int64{}
			Parallel(100, threads, func(lo, hi int) { sum.Add(int64(hi - lo)) })
			assert.Equal(t, int64(100), sum.Load())
		}
	}
	assert.Panics(t, func() { // a shape mistake within
		x, y := New(4, 3).Matrix(), New(5, 2).Matrix()
		Parallel(4, 2, func(lo, hi int) { MulNN(x.Slice(lo, hi), x.Slice(lo, hi), y) })
	})
}

// Where there are more threads than processors nobody spins.
func TestNoSpinningBeyondTheProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	assert.Equal(t, map[bool]int{false: spinning, true: spinning / 100}[underQuota()], patience(2))
	assert.Zero(t, patience(3))
	start := time.Now()
	for spins := range spinning {
		pause(spins)
	}
	t.Logf("%v of spinning at most", time.Since(start))
}

func TestQuotas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpu.max")
	assert.False(t, hasQuota(path), "no such file")
	for text, want := range map[string]bool{"max 100000\n": false, "150000 100000\n": true, "-1\n": false, "200000": true, "": false, "x": false} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		assert.Equal(t, want, hasQuota(path), text)
	}
}
