package circuit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	c := circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 2}
	graph := func(c circuit.Config) *circuit.Graph {
		g, err := circuit.New(c)
		require.NoError(t, err)
		return g
	}
	own, other := graph(c), graph(circuit.Config{Definition: circuit.EAP, Layers: 3, Heads: 5, SplitEmbed: true})
	misuse.Walk(t, misuse.Package{
		Types: []any{circuit.Config{}, circuit.Dialect(0), circuit.Edge{}, &circuit.File{}, circuit.Gates{}, &circuit.Graph{}, circuit.Mask{},
			circuit.Node{}, &circuit.Run{}, circuit.Format(""), circuit.Lost{}, circuit.Violation{}, circuit.Selection{}, &circuit.Template{}},
		Fresh: []func() any{func() any { return own }, func() any { return own.Template },
			func() any { f := &circuit.File{}; f.SetCircuit(own, own.Full(), nil, false); return f },
			func() any { return circuit.Selection{Rule: circuit.Top, Edges: 3} }, func() any { return own.Full().Gates() }},
		Funcs: []any{circuit.Definitions, circuit.Dialects, circuit.Rules, circuit.MIBSizes, circuit.New, circuit.NewTemplate, circuit.Decode,
			circuit.Formats, circuit.Detect, circuit.DecodeList, circuit.Inspect, circuit.Common},
		Arguments: []any{own, other, own.Full(), other.Full(), make(circuit.Scores, own.NumEdges()), make(circuit.Scores, other.NumEdges()),
			circuit.Node{Kind: circuit.Output}, circuit.Node{Kind: circuit.MLPIn, Layer: 7}, circuit.Node{Kind: circuit.Kind(200)},
			circuit.Node{Kind: circuit.Q, Layer: -1, Head: -1}, circuit.Node{Kind: circuit.Head, Layer: 1, Head: 4},
			circuit.Edge{}, other.Edge(100), c, circuit.EdgeList, circuit.PruningJSON, []byte("[]"), []byte("a\tb")},
	})
}
