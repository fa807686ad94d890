package compare

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Report is a comparison as it is written. Shares and correlations that there are
// none of are null.
type Report struct {
	Graph    circuit.GraphInfo `json:"graph"` // that all circuits are told in
	Total    int               `json:"edges_total"`
	Circuits []ReportCircuit   `json:"circuits"`
	Pairs    []ReportPair      `json:"pairs"`
}

// ReportCircuit is one of the circuits.
type ReportCircuit struct {
	Name string   `json:"name"`
	Kept int      `json:"edges_kept"`
	Lost []string `json:"lost,omitempty"` // on the way to the common graph, in words
}

// ReportPair is the comparison of two of them.
type ReportPair struct {
	A      string      `json:"a"`
	B      string      `json:"b"`
	Edges  ReportSets  `json:"edges"`
	Nodes  ReportSets  `json:"nodes"`
	Common ReportRanks `json:"scores_of_common_edges"`
	Scored ReportRanks `json:"scores_of_all_edges"`
}

// ReportSets are Sets with their shares.
type ReportSets struct {
	Sets
	Jaccard   *float64 `json:"jaccard"`
	Precision *float64 `json:"precision"`
	Recall    *float64 `json:"recall"`
}

// ReportRanks are Ranks.
type ReportRanks struct {
	Edges    int      `json:"edges"`
	Spearman *float64 `json:"spearman"`
	Kendall  *float64 `json:"kendall_tau_b"`
}

// NewReport compares every two circuits of a graph.
func NewReport(g *circuit.Graph, list []Circuit) *Report {
	r := &Report{Total: g.NumEdges()} // panics without a graph
	r.Graph = g.Info()
	for _, c := range list {
		r.Circuits = append(r.Circuits, ReportCircuit{c.Name, c.Mask.Count(), c.Lost.Words()})
	}
	for _, p := range All(g, list) {
		r.Pairs = append(r.Pairs, ReportPair{p.A, p.B, p.Edges.report(), p.Nodes.report(), p.Common.report(), p.Scored.report()})
	}
	return r
}

func (s Sets) report() ReportSets {
	return ReportSets{s, known(s.Jaccard()), known(s.Precision()), known(s.Recall())}
}

func (r Ranks) report() ReportRanks {
	return ReportRanks{r.Edges, known(r.Spearman), known(r.Kendall)}
}

// known is a number, nil for NaN.
func known(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// Encode writes the report as indented JSON.
func (r *Report) Encode(w io.Writer) error {
	r.mustWrite("Encode", w)
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(oneline.JSON(text), '\n'))
	return err
}

// WriteCSV writes a row for every two circuits, with a head. What there is none
// of is empty.
func (r *Report) WriteCSV(w io.Writer) error {
	r.mustWrite("WriteCSV", w)
	head := []string{"a", "b"}
	for _, kind := range []string{"edges", "nodes"} {
		for _, column := range []string{"both", "only_a", "only_b", "jaccard", "precision", "recall"} {
			head = append(head, kind+"_"+column)
		}
	}
	for _, of := range []string{"common", "all"} {
		head = append(head, of+"_scores", of+"_spearman", of+"_kendall_tau_b")
	}
	rows := [][]string{head}
	for _, p := range r.Pairs {
		row := []string{p.A, p.B}
		for _, s := range []ReportSets{p.Edges, p.Nodes} {
			row = append(row, strconv.Itoa(s.Both), strconv.Itoa(s.OnlyA), strconv.Itoa(s.OnlyB), number(s.Jaccard), number(s.Precision), number(s.Recall))
		}
		for _, s := range []ReportRanks{p.Common, p.Scored} {
			row = append(row, strconv.Itoa(s.Edges), number(s.Spearman), number(s.Kendall))
		}
		rows = append(rows, row)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// mustWrite panics without a report or a writer.
func (r *Report) mustWrite(what string, w io.Writer) {
	if r == nil || w == nil {
		panic("compare: " + what + " without a report or a writer")
	}
}

// number writes a number so that the same is read again.
func number(x *float64) string {
	if x == nil {
		return ""
	}
	return strconv.FormatFloat(*x, 'g', -1, 64)
}
