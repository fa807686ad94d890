package stability

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Picture is the graph, the edges that were found, how often, and their effect,
// NaN where an edge has none.
func (r *Result) Picture() (g *circuit.Graph, found circuit.Mask, frequency, effect circuit.Scores, err error) {
	g, err = circuit.New(circuit.Config(r.Graph))
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("field \"graph\": %w", err)
	}
	if n := g.NumEdges(); n != r.EdgesTotal {
		return nil, nil, nil, nil, fmt.Errorf("field \"edges_total\": expected %d, those of the graph, found %d", n, r.EdgesTotal)
	}
	found, frequency, effect = g.Empty(), make(circuit.Scores, r.EdgesTotal), make(circuit.Scores, r.EdgesTotal)
	for i := range effect {
		effect[i] = math.NaN()
	}
	for k, e := range r.Edges {
		i, err := g.ParseEdge(e.Name)
		if err == nil && found[i] {
			err = fmt.Errorf("edge %s: expected it once, found it twice", oneline.Quote(e.Name))
		}
		if err != nil {
			return nil, nil, nil, nil, fmt.Errorf("field \"edges\"[%d]: %w", k, err)
		}
		if found[i], frequency[i] = true, e.Frequency; e.Effect != nil {
			effect[i] = *e.Effect
		}
	}
	return g, found, frequency, effect, nil
}

// Check refuses what no result can be.
func (r *Result) Check() error {
	if err := r.Options.Check(); err != nil {
		return fmt.Errorf("field \"options\": %w", err)
	}
	n := len(r.Circuits)
	if want := len(r.Options.Seeds) * (1 + r.Options.Drawings); n != want {
		return fmt.Errorf("field \"circuits\": expected %d, one for each seed and drawing, found %d", want, n)
	}
	if _, _, _, _, err := r.Picture(); err != nil {
		return err
	}
	for i, e := range r.Edges {
		switch {
		case e.Found < 1 || e.Found > n:
			return fmt.Errorf("field \"edges\"[%d]: field \"found\": expected a whole number from 1 to %d, found %d", i, n, e.Found)
		case math.Abs(e.Frequency-float64(e.Found)/float64(n)) > 1e-9:
			return fmt.Errorf("field \"edges\"[%d]: field \"frequency\": expected %v, found %v", i, float64(e.Found)/float64(n), e.Frequency)
		case (e.Scored > 0) != (e.Effect != nil) || (e.Effect == nil) != (e.Low == nil) || (e.Low == nil) != (e.High == nil):
			return fmt.Errorf("field \"edges\"[%d]: expected an effect with its interval where the edge was scored, and none else", i)
		case e.Low != nil && *e.Low > *e.High:
			return fmt.Errorf("field \"edges\"[%d]: field \"low\": expected at most %v, the high end, found %v", i, *e.High, *e.Low)
		}
	}
	return nil
}

// Encode writes the result as indented JSON. What a terminal would obey is
// escaped.
func (r *Result) Encode(w io.Writer) error {
	if w == nil {
		panic("stability: Encode: no writer")
	}
	return jsonfile.WriteChecked(w, "stability", r)
}

// Decode reads the JSON that Result.Encode writes; name is what errors call it.
func Decode(ctx context.Context, name string, data []byte) (*Result, error) {
	return jsonfile.DecodeChecked[Result](ctx, name, data)
}

// WriteCSV writes the edges as CSV, with a head. What is not there is empty.
func (r *Result) WriteCSV(w io.Writer) error {
	if w == nil {
		panic("stability: WriteCSV: no writer")
	}
	if err := r.Check(); err != nil {
		return fmt.Errorf("stability: %w", err)
	}
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	rows := [][]string{{"edge", "kept", "found", "circuits", "frequency", "scored", "effect", "low", "high"}}
	for _, e := range r.Edges {
		rows = append(rows, []string{e.Name, strconv.FormatBool(e.Kept), strconv.Itoa(e.Found), strconv.Itoa(len(r.Circuits)), number(&e.Frequency), strconv.Itoa(e.Scored), number(e.Effect), number(e.Low), number(e.High)})
	}
	return csv.NewWriter(w).WriteAll(rows)
}
