//go:build amd64 && !noasm

package kernel

// MulTo: for i: dst[i] = a[i] · b[i]
func MulTo(dst, a, b []float32) {
	switch active() {
	case avx512:
		mulToAVX512(dst, a, b)
	case avx2:
		mulToAVX2(dst, a, b)
	default:
		mulToPortable(dst, a, b)
	}
}

// MulAdd: for i: dst[i] = fma(a[i], b[i], dst[i])
func MulAdd(dst, a, b []float32) {
	switch active() {
	case avx512:
		mulAddAVX512(dst, a, b)
	case avx2:
		mulAddAVX2(dst, a, b)
	default:
		mulAddPortable(dst, a, b)
	}
}

// Sum: for i: s += x[i], in lanes
func Sum(x []float32) float32 {
	switch active() {
	case avx512:
		return sumAVX512(x)
	case avx2:
		return sumAVX2(x)
	default:
		return sumPortable(x)
	}
}

// Dot: for i: s = fma(a[i], b[i], s), in lanes
func Dot(a, b []float32) float32 {
	switch active() {
	case avx512:
		return dotAVX512(a, b)
	case avx2:
		return dotAVX2(a, b)
	default:
		return dotPortable(a, b)
	}
}

// ReLUBackward: for i: if !(x[i] > 0) { dst[i] = 0 }
func ReLUBackward(dst, x []float32) {
	switch active() {
	case avx512:
		reluBackwardAVX512(dst, x)
	case avx2:
		reluBackwardAVX2(dst, x)
	default:
		reluBackwardPortable(dst, x)
	}
}

// GELUBackward: for i: dst[i] *= Φ(x[i]) + x[i]·φ(x[i])
func GELUBackward(dst, x []float32) {
	switch active() {
	case avx512:
		geluBackwardAVX512(dst, x)
	case avx2:
		geluBackwardAVX2(dst, x)
	default:
		geluBackwardPortable(dst, x)
	}
}

// GELUNewBackward: for i: dst[i] *= the slope of GELUNew at x[i]
func GELUNewBackward(dst, x []float32) {
	switch active() {
	case avx512:
		geluNewBackwardAVX512(dst, x)
	case avx2:
		geluNewBackwardAVX2(dst, x)
	default:
		geluNewBackwardPortable(dst, x)
	}
}

// SiLUBackward: for i: dst[i] *= the slope of SiLU at x[i]
func SiLUBackward(dst, x []float32) {
	switch active() {
	case avx512:
		siluBackwardAVX512(dst, x)
	case avx2:
		siluBackwardAVX2(dst, x)
	default:
		siluBackwardPortable(dst, x)
	}
}
