package kernel

// Sizes of the blocked product. KC decides bits, the others only speed.
const (
	KC = 256 // rows of b summed before they are added to c
	MR = 12  // rows of a tile
	NR = 32  // columns of a panel
	MC = 504 // rows of a at a time, at most
)

// Panels returns the number of column panels of an n-column matrix.
func Panels(n int) int { return (n + NR - 1) / NR }

// panelWidth returns the width of panel p: NR, or half of it for a last
// panel that needs no more.
func panelWidth(n, p int) int {
	if n-p*NR <= NR/2 {
		return NR / 2
	}
	return NR
}

// PackedLen returns the length of a packed k by n matrix.
func PackedLen(k, n int) int {
	if n == 0 {
		return 0
	}
	last := Panels(n) - 1
	return k * (last*NR + panelWidth(n, last))
}

// Pack lays out b [k,n] in panels: panel p holds columns [32p, 32p+w), row
// after row, padded with zeros to a width w of 32, or 16 for a narrow last
// one; it starts at 32·p·k. dst has PackedLen(k, n).
func Pack(dst, b []float32, ldb, k, n int) {
	for p := range Panels(n) {
		w := panelWidth(n, p)
		cols := min(w, n-p*NR)
		panel := dst[p*NR*k:]
		for i := range k {
			row := panel[i*w : (i+1)*w]
			copy(row, b[i*ldb+p*NR:i*ldb+p*NR+cols])
			clear(row[cols:])
		}
	}
}

// PackTransposed lays out the k by n transpose of scale·b, b [n,k], as Pack
// would.
func PackTransposed(dst, b []float32, ldb, k, n int, scale float32) {
	if k == 0 {
		return
	}
	for p := range Panels(n) {
		w := panelWidth(n, p)
		panel := dst[p*NR*k : p*NR*k+k*w]
		cols := min(w, n-p*NR)
		if cols < w {
			clear(panel)
		}
		rows := b[p*NR*ldb:]
		for j := 0; j < cols; j += 8 {
			if j+8 > cols && cols >= 8 {
				j = cols - 8 // whole eights are faster; some columns are done twice
			}
			packColumns(panel[j:], w, rows[j*ldb:], ldb, k, min(8, cols-j), scale)
		}
	}
}

// Transpose: for i < m, j < n: dst[j·ldd+i] = src[i·lds+j]
func Transpose(dst []float32, ldd int, src []float32, lds, m, n int) {
	for i := 0; i < m; i += 8 {
		packColumns(dst[i:], ldd, src[i*lds:], lds, n, min(8, m-i), 1)
	}
}

// packColumns: for i < n ≤ 8, l < k: dst[l·ldd+i] = scale·src[i·lds+l]
func packColumns(dst []float32, ldd int, src []float32, lds, k, n int, scale float32) {
	from := 0
	if n == 8 {
		from = transpose8(dst, ldd, src, lds, k, scale)
	}
	if from == k {
		return
	}
	for i := range n {
		row := src[i*lds : i*lds+k]
		for l := from; l < k; l++ {
			dst[l*ldd+i] = scale * row[l]
		}
	}
}
