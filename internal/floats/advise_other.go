//go:build !linux

package floats

// advise does nothing: memory has pages of the size that the system gives it.
func advise([]float32) {}
