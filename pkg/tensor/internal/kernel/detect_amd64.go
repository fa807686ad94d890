//go:build amd64 && !noasm

package kernel

import "golang.org/x/sys/cpu"

// detect returns the highest level this machine has.
func detect() level {
	switch x := &cpu.X86; {
	case x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX2 && x.HasFMA:
		return avx512
	case x.HasAVX2 && x.HasFMA:
		return avx2
	}
	return portable
}
