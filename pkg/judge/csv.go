package judge

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
)

// Table is a part of a File that is a table.
type Table string

// The tables.
const (
	Metrics      Table = "metrics"      // a row for each data, metric and run
	Examples     Table = "examples"     // and example
	KnockOuts    Table = "completeness" // a row for each set of nodes
	PartsTable   Table = "minimality"   // a row for each edge or node
	Hypotheses   Table = "tests"        // a row for each test
	Distribution Table = "chance"       // a row for each draw of a null distribution
)

// Tables lists the tables.
func Tables() []Table {
	return []Table{Metrics, Examples, KnockOuts, PartsTable, Hypotheses, Distribution}
}

// WriteCSV writes a table as CSV, with a head. What is not there is empty.
func (f *File) WriteCSV(w io.Writer, t Table) error {
	if w == nil {
		panic("judge: WriteCSV: no writer")
	}
	if _, err := choice.Parse("table", string(t), Tables()); err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return fmt.Errorf("judgement: %w", err)
	}
	rows := map[Table]func() [][]string{Metrics: f.metricRows, Examples: f.exampleRows, KnockOuts: f.knockOutRows,
		PartsTable: f.partRows, Hypotheses: f.testRows, Distribution: f.chanceRows}[t]()
	return csv.NewWriter(w).WriteAll(rows)
}

func (f *File) metricRows() [][]string {
	out := [][]string{{"data", "metric", "run", "edges", "mean", "faithfulness", "least", "q05", "q25", "median", "q75", "q95", "most"}}
	for _, m := range f.Measurements {
		for _, r := range m.Runs {
			row := []string{m.Data, string(m.Metric), string(r.Run), strconv.Itoa(r.Edges), number(r.Mean), optional(r.Faithfulness)}
			for _, q := range r.Quantiles {
				row = append(row, number(q))
			}
			out = append(out, row)
		}
	}
	return out
}

func (f *File) exampleRows() [][]string {
	out := [][]string{{"data", "metric", "run", "example", "value"}}
	for _, m := range f.Measurements {
		for _, r := range m.Runs {
			for i, x := range r.Examples {
				out = append(out, []string{m.Data, string(m.Metric), string(r.Run), strconv.Itoa(i + 1), optional(x)})
			}
		}
	}
	return out
}

func (f *File) knockOutRows() [][]string {
	out := [][]string{{"kind", "name", "nodes", "model", "circuit", "gap"}}
	for _, k := range f.Completeness.KnockOuts {
		out = append(out, []string{string(k.Kind), k.Name, strings.Join(k.Nodes, " "), number(k.Model), number(k.Circuit), number(k.Gap)})
	}
	return out
}

func (f *File) partRows() [][]string {
	out := [][]string{{"part", "effect", "square", "most", "under"}}
	for _, p := range f.Minimality {
		out = append(out, []string{p.Name, number(p.Effect), number(p.Square), number(p.Most), p.Under})
	}
	return out
}

func (f *File) testRows() [][]string {
	out := [][]string{{"test", "statistic", "p", "rejected", "outcome", "null_hypothesis", "note"}}
	for _, t := range f.Tests {
		out = append(out, []string{string(t.Name), number(t.Statistic), optional(t.P), strconv.FormatBool(t.Rejected), string(t.Outcome), t.Null, t.Note})
	}
	return out
}

func (f *File) chanceRows() [][]string {
	out := [][]string{{"test", "draw", "value"}}
	for _, t := range f.Tests {
		for i, x := range t.Sample {
			out = append(out, []string{string(t.Name), strconv.Itoa(i + 1), number(x)})
		}
	}
	return out
}

// number writes a number so that the same is read again.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return number(*x)
}
