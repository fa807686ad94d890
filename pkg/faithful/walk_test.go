package faithful_test

import (
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
		Types: []any{faithful.Curve{}},
		Fresh: []func() any{func() any {
			return faithful.Curve{Points: []faithful.Point{{Part: math.NaN()}, {Faithfulness: math.Inf(1)}}}
		}},
		Funcs: []any{faithful.Normalised, faithful.Measure, faithful.Along},
		Arguments: []any{e, &patch.Experiment{}, make(circuit.Scores, 3), make(circuit.Scores, e.Graph().NumEdges()), faithful.Options{Rule: "best"},
			faithful.Options{Parts: []float64{math.NaN()}}, faithful.Space{}, faithful.Space{Graph: e.Graph()}, faithful.Space{Graph: &circuit.Graph{}}},
	})
}
