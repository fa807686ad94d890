//go:build arm64 && !noasm

package kernel

// detect returns the levels this machine has, fastest first. Every arm64 has
// NEON.
func detect() []level { return []level{neon, portable} }
