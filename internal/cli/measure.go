package cli

import (
	"context"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// The names of the table's rows; of the circuits the first is as it was saved,
// the second as it was edited.
const (
	rowModel     = "full model"
	rowCircuit   = "circuit"
	rowEdited    = "edited"
	rowCorrupted = "corrupted"
)

// measure evaluates the full model, the circuits and the corrupted run, and
// returns the provenance of the first metric.
func measure(ctx context.Context, g *circuit.Graph, in *study.Study, metrics []metric.Name, masks []circuit.Mask) ([]measured, circuit.Run, error) {
	var provenance circuit.Run
	rows := []measured{{Run: rowModel, Edges: g.NumEdges()}}
	for i, m := range masks {
		rows = append(rows, measured{Run: []string{rowCircuit, rowEdited}[i], Edges: m.Count()})
	}
	rows = append(rows, measured{Run: rowCorrupted})
	for i := range rows {
		rows[i].Metrics = map[string]float64{}
	}
	for _, name := range metrics {
		c := in.Config(g.Config().Definition, g.Config().SplitEmbed)
		c.Metric = name
		e, err := patch.Bind(ctx, c)
		if err != nil {
			return nil, provenance, err
		}
		if name == metrics[0] {
			provenance = in.Run(e)
		}
		rows[0].Metrics[string(name)] = e.CleanMetric()
		for i, m := range masks {
			if rows[1+i].Metrics[string(name)], err = incremental.Metric(ctx, e, m); err != nil {
				return nil, provenance, err
			}
		}
		rows[len(rows)-1].Metrics[string(name)] = e.CorruptedMetric()
	}
	return rows, provenance, nil
}

// describe makes a file say what its edited circuit was measured with. How its
// edges were found stays as the file has it.
func (o *runOptions) describe(f *circuit.File, rows []measured, provenance circuit.Run) {
	name, last := provenance.Metric, len(rows)-1
	study.Edited(f, provenance, circuit.Measured{Initial: rows[0].Metrics[name], Final: rows[last-1].Metrics[name], Corrupted: rows[last].Metrics[name]}, o.cut, o.add)
}

func metricTable(rows []measured, metrics []metric.Name, width int) string {
	cells := [][]string{append([]string{"", "EDGES"}, texts(metrics)...)}
	for _, r := range rows {
		line := []string{r.Run, grouped(r.Edges)}
		for _, m := range metrics {
			line = append(line, number(r.Metrics[string(m)]))
		}
		cells = append(cells, line)
	}
	return table(cells, width)
}
