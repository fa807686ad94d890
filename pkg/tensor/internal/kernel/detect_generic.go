//go:build (!amd64 && !arm64) || noasm

package kernel

// detect returns the levels this machine has, fastest first.
func detect() []level { return []level{portable} }
