package page

import (
	"strconv"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// The sizes of nodes, in pixels. The modules have the same in layout.js.
const (
	nodeWidth  = 56
	headHeight = 32 // of which the upper 12 are its ports
	nodeHeight = 22
)

// The distances of the grid.
const (
	columnStep = 68
	rowStep    = 74 // from a layer's heads to its MLP
	layerStep  = 86 // from there to the next layer's heads
	gridMargin = 60
)

// grid places every node: a layer's heads in a row, by their numbers, its MLP
// below them at the right, or beside them where it reads what they read; the
// embedding at the top, the output at the bottom.
func (d *Data) grid() Layout {
	c := d.Graph
	l := Layout{At: make([]*[2]float64, len(d.Nodes)), Rows: []Row{}}
	column := func(i int) float64 { return gridMargin + 30 + float64(i)*columnStep + nodeWidth/2 }
	last := column(c.Heads)
	middle := (column(0) + column(c.Heads-1)) / 2
	y := float64(gridMargin)
	perLayer := float64(layerStep)
	if !c.AttnOnly && !c.ParallelAttnMLP {
		perLayer += rowStep
	}
	l.Width, l.Height = last+nodeWidth/2+gridMargin, y+float64(c.Layers)*perLayer+layerStep+gridMargin
	for i, n := range d.Nodes {
		top := y + layerStep + float64(n.Layer)*perLayer
		var at [2]float64
		switch n.Kind {
		case circuit.Input:
			at = [2]float64{middle, y}
		case circuit.Embed:
			at = [2]float64{middle - columnStep/2, y}
		case circuit.PosEmbed:
			at = [2]float64{middle + columnStep/2, y}
		case circuit.Output:
			at = [2]float64{middle, y + layerStep + float64(c.Layers)*perLayer}
		case circuit.Head:
			at = [2]float64{column(n.Head), top}
		default:
			at = [2]float64{last, top + rowStep}
			if c.ParallelAttnMLP {
				at[1] = top
			}
		}
		l.At[i] = &at
	}
	for k := range c.Layers {
		l.Rows = append(l.Rows, Row{"layer " + strconv.Itoa(k), y + layerStep + float64(k)*perLayer})
	}
	return l
}
