// Package floats makes the large arrays of numbers, of which nearly all memory of
// the program consists. A system that can back them with large pages is asked to:
// with 4 KiB each, a gigabyte costs 260,000 page faults, which on a virtual machine
// take seconds.
package floats

// large is from how many bytes on memory is worth asking for: what is smaller lies
// among others of its kind, where the asking would cost more than the faults.
const large = 64 << 10

// Make is make([]float32, n), which it panics like where n is negative.
func Make(n int) []float32 {
	s := make([]float32, n)
	if 4*n >= large {
		advise(s)
	}
	return s
}

// Grown returns x with n elements: in its own memory where that is large enough,
// else in new. What the elements hold is undefined.
func Grown(x []float32, n int) []float32 {
	if cap(x) < n {
		return Make(n)
	}
	return x[:n]
}
