//go:build !amd64 || noasm

package kernel

// MulTo: for i: dst[i] = a[i] · b[i]
func MulTo(dst, a, b []float32) { mulToPortable(dst, a, b) }

// MulAdd: for i: dst[i] = fma(a[i], b[i], dst[i])
func MulAdd(dst, a, b []float32) { mulAddPortable(dst, a, b) }

// Sum: for i: s += x[i], in lanes
func Sum(x []float32) float32 { return sumPortable(x) }

// Dot: for i: s = fma(a[i], b[i], s), in lanes
func Dot(a, b []float32) float32 { return dotPortable(a, b) }

// ReLUBackward: for i: if !(x[i] > 0) { dst[i] = 0 }
func ReLUBackward(dst, x []float32) { reluBackwardPortable(dst, x) }

// GELUBackward: for i: dst[i] *= Φ(x[i]) + x[i]·φ(x[i])
func GELUBackward(dst, x []float32) { geluBackwardPortable(dst, x) }

// GELUNewBackward: for i: dst[i] *= the slope of GELUNew at x[i]
func GELUNewBackward(dst, x []float32) { geluNewBackwardPortable(dst, x) }

// SiLUBackward: for i: dst[i] *= the slope of SiLU at x[i]
func SiLUBackward(dst, x []float32) { siluBackwardPortable(dst, x) }
