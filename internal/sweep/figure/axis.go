package figure

import (
	"gonum.org/v1/plot/plotter"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
)

// axes are those of edges and of divergence.
func (p panel) axes() (x, y plotstyle.Log) {
	var edges, kl []float64
	for _, s := range p.series {
		for _, points := range [][]point{s.frontier, s.dominated} {
			for _, at := range points {
				edges, kl = append(edges, at.edges), append(kl, at.kl)
			}
		}
	}
	return plotstyle.NewLog(edges), plotstyle.NewLog(kl)
}

// place puts points on two axes.
func place(x, y plotstyle.Log, points []point) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		out[i] = plotter.XY{X: x.At(p.edges), Y: y.At(p.kl)}
	}
	return out
}
