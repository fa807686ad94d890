package faithful

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/choice"
)

// Table is a part of a File that is a table.
type Table string

// The tables.
const (
	PointsTable Table = "points" // a row for each circuit of a curve
	AreasTable  Table = "areas"  // a row for each curve
)

// Tables lists the tables.
func Tables() []Table { return []Table{PointsTable, AreasTable} }

// WriteCSV writes a table as CSV, with a head.
func (f *File) WriteCSV(w io.Writer, t Table) error {
	if w == nil {
		panic("faithful: WriteCSV: no writer")
	}
	if _, err := choice.Parse("table", string(t), Tables()); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return fmt.Errorf("curves: %w", err)
	}
	head := []string{"circuit", "algorithm", "task", "model", "data", "half", "metric", "ablation", "seed", "rule", "selection", "edges", "metric_model", "metric_empty"}
	if t == PointsTable {
		head = append(head, "part", "edges_chosen", "edges_kept", "metric_circuit", "faithfulness")
	} else {
		head = append(head, "cpr", "cmd", "mean")
	}
	rows := [][]string{head}
	for _, c := range f.Circuits {
		for _, a := range c.Curves {
			lead := []string{c.Name, c.Found.Algorithm, c.Run.Task, c.Run.Model, c.Run.Data, c.Run.Half, c.Run.Metric, c.Run.Ablation,
				strconv.FormatUint(c.Run.Seed, 10), string(a.Rule), a.By, strconv.Itoa(a.Edges), number(a.Model), number(a.Empty)}
			row := func(cells ...string) { rows = append(rows, append(lead[:len(lead):len(lead)], cells...)) }
			if t == AreasTable {
				row(number(a.CPR), number(a.CMD), number(a.Mean))
				continue
			}
			for _, p := range a.Points {
				row(number(p.Part), strconv.Itoa(p.Chosen), strconv.Itoa(p.Kept), number(p.Metric), number(p.Faithfulness))
			}
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// number writes a number so that the same is read again.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
