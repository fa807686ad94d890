package kernel

// gemmPortable is Gemm without fused multiply-add.
func gemmPortable(c []float32, ldc int, a []float32, lda, m, k int, b []float32, n, from, to int, add bool) {
	for p := from; p < to; p++ {
		w := panelWidth(n, p)
		cols := min(w, n-p*NR)
		panel := b[p*NR*k:]
		for i := range m {
			row := c[i*ldc+p*NR : i*ldc+p*NR+cols]
			if k == 0 && !add {
				clear(row)
			}
			for k0 := 0; k0 < k; k0 += KC {
				k1 := min(k0+KC, k)
				var acc [NR]float32
				chainPortable(acc[:w], a[i*lda+k0:i*lda+k1], panel[k0*w:k1*w])
				if k0 == 0 && !add {
					copy(row, acc[:cols])
				} else {
					addToPortable(row, row, acc[:cols])
				}
			}
		}
	}
}

// chainPortable: for l, j: acc[j] += a[l]·b[l·len(acc)+j]
func chainPortable(acc, a, b []float32) {
	w := len(acc)
	for l, v := range a {
		row := b[l*w : l*w+w]
		for j, u := range row {
			acc[j] += float32(v * u)
		}
	}
}
