package roc

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WritePoints writes the curves as CSV, one row a point, with a head.
func (f *File) WritePoints(w io.Writer) error {
	if err := f.sound("WritePoints", w); err != nil {
		return err
	}
	head := []string{"method", "threshold"}
	for _, part := range Parts() {
		for _, column := range []string{"found", "true_positive", "false_positive", "true_negative", "false_negative", "tpr", "fpr", "precision"} {
			head = append(head, string(part)+"_"+column)
		}
	}
	rows := [][]string{head}
	for _, c := range f.Curves {
		for _, p := range c.Points {
			row := []string{c.Name, number(p.Threshold)}
			for _, part := range Parts() {
				n := p.Of(part)
				for _, count := range []int{n.Found(), n.TruePositive, n.FalsePositive, n.TrueNegative, n.FalseNegative} {
					row = append(row, strconv.Itoa(count))
				}
				row = append(row, number(n.TPR()), number(n.FPR()), number(n.Precision()))
			}
			rows = append(rows, row)
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// WriteAreas writes the areas as CSV, one row a method, with a head;
// InterpBench's is empty where there is none.
func (f *File) WriteAreas(w io.Writer) error {
	if err := f.sound("WriteAreas", w); err != nil {
		return err
	}
	rows := [][]string{{"method", "points", "edges_pessimistic", "edges_trapezoid", "nodes_pessimistic", "nodes_trapezoid", "edges_interpbench"}}
	for _, c := range f.Curves {
		row := []string{c.Name, strconv.Itoa(len(c.Points))}
		for _, part := range Parts() {
			row = append(row, number(c.Pessimistic(part)), number(c.Trapezoid(part)))
		}
		interpBench := ""
		if c.InterpBench != nil {
			interpBench = number(*c.InterpBench)
		}
		rows = append(rows, append(row, interpBench))
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// number writes a number so that the same is read again.
func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
