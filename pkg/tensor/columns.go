package tensor

// PanelWidth is the number of columns of a packed panel.
const PanelWidth = 32

// Columns is the part of the packed matrix that holds columns [from,to), which
// share its memory. from must be a multiple of PanelWidth, and to another or N.
func (p *Packed) Columns(from, to int) *Packed {
	if from < 0 || from > to || to > p.n || from%PanelWidth != 0 || to%PanelWidth != 0 && to != p.n {
		panic(shapeError("Columns: [%d,%d) of [%d,%d]", from, to, p.k, p.n))
	}
	end := to * p.k
	if to == p.n {
		end = len(p.data)
	}
	return &Packed{data: p.data[from*p.k : end], k: p.k, n: to - from}
}
