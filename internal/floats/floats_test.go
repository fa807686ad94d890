package floats

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMakeIsMake(t *testing.T) {
	for _, n := range []int{0, 1, large/4 - 1, large / 4, 3 << 20} {
		x := Make(n)
		assert.Len(t, x, n)
		for _, v := range x {
			if v != 0 {
				t.Fatal(v)
			}
		}
		y := Grown(x, n/2)
		assert.Len(t, y, n/2)
		assert.Same(t, unsafe.SliceData(x), unsafe.SliceData(y), "there was room")
		assert.Len(t, Grown(x, n+1), n+1)
	}
	assert.Panics(t, func() { Make(-1) })
}

// Large arrays lie in memory for which large pages were asked for, from the first
// number to the last.
func TestLargeArraysAskForLargePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("the system has no large pages: ", err)
	}
	x := Make(5 << 20)
	for _, at := range []*float32{&x[0], &x[len(x)/2], &x[len(x)-1]} {
		assert.Contains(t, flags(t, uintptr(unsafe.Pointer(at))), "hg")
	}
}

// flags are those of the mapping in which an address lies.
func flags(t *testing.T, at uintptr) []string {
	f, err := os.Open("/proc/self/smaps")
	require.NoError(t, err)
	defer f.Close()
	lines, inside := bufio.NewScanner(f), false
	for lines.Scan() {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if text, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && inside {
			return strings.Fields(text)
		}
	}
	t.Fatal("no mapping has the address")
	return nil
}
