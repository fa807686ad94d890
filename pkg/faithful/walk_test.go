package faithful_test

import (
	"io"
	"math"
	"testing"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	e := experiment(t, "kl_div", "resample", circuit.ACDC)
	misuse.Walk(t, misuse.Package{
		Types: []any{faithful.Curve{}, &faithful.File{}, &faithful.Circuit{}, faithful.Areas{}, &faithful.Row{}},
		Fresh: []func() any{func() any {
			return faithful.Curve{Points: []faithful.Point{{Part: math.NaN()}, {Faithfulness: math.Inf(1)}}}
		}, func() any { return curved(t) }, func() any { return &curved(t).Circuits[0] }},
		Funcs: []any{faithful.Normalised, faithful.Measure, faithful.Along, faithful.Digest, faithful.Decode, faithful.Tables, faithful.Leaderboard},
		Arguments: []any{io.Discard, []byte("{"), faithful.AreasTable, faithful.Table("faces"), e, &patch.Experiment{}, make(circuit.Scores, 3), make(circuit.Scores, e.Graph().NumEdges()), faithful.Options{Rule: "best"},
			faithful.Options{Parts: []float64{math.NaN()}}, faithful.Space{}, faithful.Space{Graph: e.Graph()}, faithful.Space{Graph: &circuit.Graph{}}},
	})
}
