package floats

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// page is the size of a large page, of amd64 and of arm64 with pages of 4 KiB.
const page = 2 << 20

// advise asks for large pages for all that the memory of s touches. The rest of
// the first and the last of them belongs to other arrays or to nobody, for whom
// it is as good. It is a wish: a system that refuses has pages of its usual size.
func advise(s []float32) {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	to := from + uintptr(4*len(s))
	from, to = from&^(page-1), (to+page-1)&^(page-1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_HUGEPAGE)
}
