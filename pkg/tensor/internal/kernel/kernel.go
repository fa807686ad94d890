// Package kernel holds the loops over flat []float32 that package tensor is
// made of: one portable version of each, AVX-512 and AVX2 versions in
// assembly, and NEON ones of matrix products. It checks no shapes; its callers have.
//
// Sums run in 16 lanes, element i in lane i mod 16, each lane in order; then
// the lanes are added as a tree: i with i+8, then i+4, i+2, i+1. LayerNorm has
// 64 lanes, of which i is first added to i+32 and i+16. All implementations
// follow it, and those of amd64 in assembly agree bit for bit.
//
// Matrix products: see Gemm.
package kernel

import "sync/atomic"

//go:generate go run ./gen

// level is an instruction set.
type level int32

const (
	portable level = iota
	avx2           // with FMA
	avx512         // F, VL, DQ and BW, with FMA
	neon           // matrix products only
)

var levelNames = [...]string{portable: "portable", avx2: "avx2", avx512: "avx512", neon: "neon"}

// current is the level in use.
var current atomic.Int32

func init() { current.Store(int32(detect()[0])) }

func active() level { return level(current.Load()) }

// Name returns the name of the kernels in use.
func Name() string { return levelNames[active()] }

// Names lists the kernels this machine has, fastest first.
func Names() []string {
	var names []string
	for _, l := range detect() {
		names = append(names, levelNames[l])
	}
	return names
}

// Force makes the named kernels the ones in use, and returns a function that
// undoes it; ok is false for a name this machine has not.
func Force(name string) (restore func(), ok bool) {
	for _, l := range detect() {
		if levelNames[l] == name {
			old := current.Swap(int32(l))
			return func() { current.Store(old) }, true
		}
	}
	return nil, false
}
