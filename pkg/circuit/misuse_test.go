package circuit_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// What is not of this graph is a panic that names the method, not a wrong answer.
func TestMisuseIsANamedPanic(t *testing.T) {
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 2})
	require.NoError(t, err)
	n := g.NumEdges()
	for what, do := range map[string]func(){
		fmt.Sprintf("circuit: Edge(-1) of a graph of %d edges", n):                  func() { g.Edge(-1) },
		fmt.Sprintf("circuit: Edge(%d) of a graph of %d edges", n, n):               func() { g.Edge(n) },
		fmt.Sprintf("circuit: SpanOf(-1) of a graph of %d edges", n):                func() { g.SpanOf(-1) },
		fmt.Sprintf("circuit: Number(5, 3) of a graph of 1 spans and %d edges", n):  func() { g.Number(5, 3) },
		fmt.Sprintf("circuit: HasOutgoing: a mask of 1 edges, the graph has %d", n): func() { g.HasOutgoing(circuit.Mask{true}, circuit.Node{Kind: circuit.Output}) },
		fmt.Sprintf("circuit: Prune: a mask of 0 edges, the graph has %d", n):       func() { g.Prune(nil, true) },
		fmt.Sprintf("circuit: Idle: a mask of %d edges, the graph has %d", n+1, n):  func() { g.Idle(make(circuit.Mask, n+1), true) },
	} {
		assert.PanicsWithValue(t, what, do)
	}
}
