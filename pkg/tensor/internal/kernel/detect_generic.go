//go:build !amd64 || noasm

package kernel

// detect returns the highest level this machine has.
func detect() level { return portable }
