package cli

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// rowEndings are those of the files that a row of the leaderboard is written to.
var rowEndings = []string{".csv", ".json"}

// judging are the flags of evaluate that a row of the leaderboard knows nothing of.
var judging = []string{"samples", "permutations", "knock-outs", "level", "parts", "table"}

// checkRow refuses what does not go with --mib: other tests, and another measure than
// MIB's, which is fixed here.
func (o *evaluateOptions) checkRow(fs *pflag.FlagSet) error {
	for _, name := range judging {
		if fs.Changed(name) {
			return usagef("--%s: expected no --mib, whose row has nothing of it", name)
		}
	}
	s := &o.spec
	if m := cmp.Or(s.Metric, metric.LogitDiff); m != metric.LogitDiff {
		return usagef("--metric %s: expected %s, by which --mib measures", m, metric.LogitDiff)
	}
	if x := cmp.Or(s.Ablation, ablate.Resample); x != ablate.Resample {
		return usagef("--ablation %s: expected %s, by which --mib measures", x, ablate.Resample)
	}
	s.Metric, s.Ablation, o.endings = metric.LogitDiff, ablate.Resample, rowEndings
	return nil
}

// leaderboard prints the circuit's row of MIB's leaderboard.
func (a *app) leaderboard(ctx context.Context, o *evaluateOptions) error {
	if err := cmp.Or(o.check(), a.clash(places("-o", o.files...), append(inputs(o.spec, nil), a.circuitPlace(o.circuit)...))); err != nil {
		return err
	}
	f, err := a.readCircuit(ctx, o.circuit)
	if err != nil {
		return err
	}
	c, err := a.curvesOf(ctx, &o.subject, &o.report, o.circuit, f, []faithful.Options{{}, {Absolute: true}})
	if err != nil {
		return err
	}
	row, err := c.Row()
	if err != nil {
		return err
	}
	err = a.writeReport(ctx, &o.report, func(b *bytes.Buffer, ending string) error {
		if ending == ".csv" {
			return row.WriteCSV(b)
		}
		return row.Encode(b)
	})
	if err == nil && o.format == tableText {
		a.print(table(rowText(row), columns(a.stdout)))
	}
	return err
}

// rowText is the row under the leaderboard's titles, with CPR and CMD in its cell.
func rowText(r *faithful.Row) [][]string {
	titles, own := r.Cells()
	cells := slices.Repeat([]string{"-"}, len(titles))
	two := func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
	cells[own] = "CPR " + two(r.CPR) + ", CMD " + two(r.CMD)
	return [][]string{append([]string{"Method"}, titles...), append([]string{r.Method}, cells...)}
}
