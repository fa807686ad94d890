//go:build amd64 && !noasm

package kernel

import "golang.org/x/sys/cpu"

// detect returns the levels this machine has, fastest first.
func detect() []level {
	switch x := &cpu.X86; {
	case x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX2 && x.HasFMA:
		return []level{avx512, avx2, portable}
	case x.HasAVX2 && x.HasFMA:
		return []level{avx2, portable}
	}
	return []level{portable}
}
