package roc_test

import (
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	graph := func(c circuit.Config) *circuit.Graph {
		g, err := circuit.New(c)
		require.NoError(t, err)
		return g
	}
	own, other := graph(circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 2}), graph(circuit.Config{Definition: circuit.EAP, Layers: 3, Heads: 1})
	truth, err := roc.NewTruth(own, own.Full(), roc.Options{})
	require.NoError(t, err)
	curve, err := truth.FromCircuits(t.Context(), "x", []roc.Found{{Threshold: 1, Mask: own.Full()}})
	require.NoError(t, err)
	strange := roc.Curve{Points: []roc.Point{{Threshold: math.NaN(), Edges: roc.Count{TruePositive: -1, FalseNegative: 1}}}}
	misuse.Walk(t, misuse.Package{
		Types: []any{roc.Options{}, roc.Count{}, roc.Point{}, roc.Curve{}, &roc.Truth{}, &roc.File{}},
		Fresh: []func() any{
			func() any { return truth }, func() any { return curve }, func() any { return strange },
			func() any { return &roc.File{Curves: []roc.Curve{curve}} }, func() any { return &roc.File{Curves: []roc.Curve{strange}} },
		},
		Funcs: []any{roc.Parts, roc.NodeRules, roc.NewTruth, roc.Frontier, roc.Pessimistic, roc.Trapezoid, roc.InterpBench, roc.Decode},
		Arguments: []any{
			own, other, own.Full(), other.Full(), make(circuit.Scores, own.NumEdges()), make(circuit.Scores, other.NumEdges()), roc.Options{Nodes: "all"},
			[]roc.Found{{Threshold: math.NaN()}}, []roc.Found{{Mask: own.Full()}, {Mask: other.Full()}}, roc.Scoring{Thresholds: []float64{math.Inf(1)}},
			[]roc.Rates{{FPR: math.NaN(), TPR: 7}, {FPR: -1, TPR: math.Inf(1)}}, roc.Nodes, roc.Part("faces"), io.Discard, []byte("{"),
		},
	})
}
