//go:build arm64 && !noasm

package kernel

// Gemm: c = a·b, or c += a·b with add, for the columns of b's panels
// [from,to); c [m,n], a [m,k], b [k,n] packed by Pack.
//
//	for each block [k0, k0+KC) of [0,k): acc = 0
//		for l in block: acc = fma(a[i,l], b[l,j], acc)
//		c[i,j] += acc
func Gemm(c []float32, ldc int, a []float32, lda, m, k int, b []float32, n, from, to int, add bool) {
	if active() == portable || k == 0 {
		gemmPortable(c, ldc, a, lda, m, k, b, n, from, to, add)
		return
	}
	for p := from; p < to; p++ {
		w := panelWidth(n, p)
		cols := min(w, n-p*NR)
		for k0 := 0; k0 < k; k0 += KC {
			panel := b[p*NR*k+k0*w:]
			depth := min(KC, k-k0)
			for j := 0; j < cols; j += 8 {
				columns8(c[p*NR+j:], ldc, a[k0:], lda, m, depth, panel[j:], w, min(8, cols-j), add || k0 > 0)
			}
		}
	}
}

// columns8 is a block of up to KC of k by 8 columns, cols of them in use.
func columns8(c []float32, ldc int, a []float32, lda, m, k int, b []float32, ldb, cols int, add bool) {
	var tile [8 * 8]float32
	for i := 0; i < m; {
		rows := 1
		if m-i >= 8 {
			rows = 8
		} else if m-i >= 4 {
			rows = 4
		}
		if cols == 8 {
			tile8(rows, k, &a[i*lda], lda, &b[0], ldb, &c[i*ldc], ldc, add)
		} else {
			tile8(rows, k, &a[i*lda], lda, &b[0], ldb, &tile[0], 8, false)
			for r := range rows {
				row, sums := c[(i+r)*ldc:(i+r)*ldc+cols], tile[8*r:]
				for j := range row {
					if add {
						row[j] += sums[j]
					} else {
						row[j] = sums[j]
					}
				}
			}
		}
		i += rows
	}
}

// tile8 is rows by 8 columns of c.
func tile8(rows, k int, a *float32, lda int, b *float32, ldb int, c *float32, ldc int, add bool) {
	switch rows {
	case 8:
		gemm8x8NEON(k, a, lda, b, ldb, c, ldc, add)
	case 4:
		gemm4x8NEON(k, a, lda, b, ldb, c, ldc, add)
	default:
		gemm1x8NEON(k, a, lda, b, ldb, c, ldc, add)
	}
}

// MulNN: c [m,n] = a [m,k] · b [k,n], in Gemm's order
func MulNN(c []float32, ldc int, a []float32, lda int, b []float32, ldb, m, n, k int) {
	mulNNPacked(c, ldc, a, lda, b, ldb, m, n, k)
}

// transpose8 would do whole eights of columns of
//
//	for i < 8, l < k: dst[l·ldd+i] = scale·src[i·lds+l]
//
// and return their number.
func transpose8([]float32, int, []float32, int, int, float32) int { return 0 }

// FMALoop has no measure here; it returns 0.
func FMALoop(int) (flops int) { return 0 }
