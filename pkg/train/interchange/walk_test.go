package interchange

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	p, m := pairOf(t, specOf(t, "proportion"), 2)
	_, other := pairOf(t, specOf(t, "histogram"), 3)
	graph := func(c circuit.Config) *circuit.Graph {
		g, err := circuit.New(c)
		require.NoError(t, err)
		return g
	}
	misuse.Walk(t, misuse.Package{
		Types: []any{Spec{}, &Pair{}, Quality{}},
		Fresh: []func() any{func() any { return p }, func() any { return Quality{Accuracy: math.NaN(), Effect: math.Inf(1)} }},
		Funcs: []any{New, Shape},
		Arguments: []any{
			specOf(t, "proportion"), specOf(t, "sort"), m.Config, other.Config, m, other, &transformer.Model{},
			rand.New(rand.NewPCG(1, 2)), transformer.NewParams(m.Config), transformer.NewParams(other.Config),
			graph(circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 2}), graph(circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 2}),
			graph(circuit.Config{Definition: circuit.ACDC, Layers: 5, Heads: 1}),
			[][]int{{0, 2, 3}}, [][]int{{}}, [][]int{{-1}}, [][]int{{1}, {1, 2}},
		},
	})
}
