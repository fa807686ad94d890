package cli

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// The names of the table's rows; of the circuits the first is as it was saved,
// the second as it was edited.
const (
	rowModel     = "full model"
	rowCircuit   = "circuit"
	rowEdited    = "edited"
	rowCorrupted = "corrupted"
)

// measure evaluates the full model, the circuits and the corrupted run.
func (o *runOptions) measure(ctx context.Context, g *circuit.Graph, in *opened, metrics []metric.Name, masks []circuit.Mask) ([]measured, error) {
	rows := []measured{{Run: rowModel, Edges: g.NumEdges()}}
	for i, m := range masks {
		rows = append(rows, measured{Run: []string{rowCircuit, rowEdited}[i], Edges: m.Count()})
	}
	rows = append(rows, measured{Run: rowCorrupted})
	for i := range rows {
		rows[i].Metrics = map[string]float64{}
	}
	for _, name := range metrics {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := patch.Bind(ctx, patch.Config{Model: in.model.Model, Definition: g.Config().Definition, SplitEmbed: g.Config().SplitEmbed,
			Data: in.data, Metric: name, Ablation: o.ablation, Seed: o.seed, Threads: o.threads})
		if err != nil {
			return nil, err
		}
		rows[0].Metrics[string(name)] = e.CleanMetric()
		for i, m := range masks {
			if rows[1+i].Metrics[string(name)], err = e.PlainMetric(ctx, m); err != nil {
				return nil, err
			}
		}
		rows[len(rows)-1].Metrics[string(name)] = e.CorruptedMetric()
	}
	return rows, nil
}

// describe makes a file say what its edited circuit was measured with.
func (o *runOptions) describe(f *circuit.File, rows []measured, in *opened) {
	name := string(o.metric)
	last := len(rows) - 1
	f.Task, f.Data, f.Model, f.Metric, f.Ablation, f.Seed = o.task, o.data, o.model, name, string(o.ablation), o.seed
	f.Examples = len(in.data.Clean)
	f.Measured.Initial, f.Measured.Final, f.Measured.Corrupted = rows[0].Metrics[name], rows[last-1].Metrics[name], rows[last].Metrics[name]
	f.Measured.Cost = nil // that of the discovery
	for _, e := range o.cut {
		f.Measured.Warnings = append(f.Measured.Warnings, fmt.Sprintf("edge %s was cut by hand", e))
	}
	for _, e := range o.add {
		f.Measured.Warnings = append(f.Measured.Warnings, fmt.Sprintf("edge %s was added by hand", e))
	}
}

func metricTable(rows []measured, metrics []metric.Name) string {
	cells := [][]string{append([]string{"", "EDGES"}, texts(metrics)...)}
	for _, r := range rows {
		line := []string{r.Run, grouped(r.Edges)}
		for _, m := range metrics {
			line = append(line, number(r.Metrics[string(m)]))
		}
		cells = append(cells, line)
	}
	return table(cells)
}
