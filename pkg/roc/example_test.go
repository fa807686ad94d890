package roc_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/roc"
)

// A method's scores against a circuit that is known: the input is read by the
// MLP alone, and the output reads the MLP alone.
func Example() {
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1})
	if err != nil {
		log.Fatal(err)
	}
	mask, scores := g.Empty(), make(circuit.Scores, g.NumEdges())
	for name, score := range map[string]float64{"input->m0": 0.9, "input->logits": 0.5, "m0->logits": 0.2} {
		i, err := g.ParseEdge(name)
		if err != nil {
			log.Fatal(err)
		}
		mask[i], scores[i] = name != "input->logits", score
	}
	truth, err := roc.NewTruth(g, mask, roc.Options{})
	if err != nil {
		log.Fatal(err)
	}
	curve, err := truth.FromScores(context.Background(), "eap", scores, roc.Scoring{})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range curve.Points {
		fmt.Printf("%g: %d edges, tpr %.2f, fpr %.2f; %d nodes\n", p.Threshold, p.Edges.Found(), p.Edges.TPR(), p.Edges.FPR(), p.Nodes.Found())
	}
	file := roc.File{Curves: []roc.Curve{curve}}
	if err := file.WritePoints(io.Discard); err != nil { // the same as a table
		log.Fatal(err)
	}
	if err := file.WriteAreas(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0.9: 1 edges, tpr 0.50, fpr 0.00; 0 nodes
	// 0.5: 2 edges, tpr 0.50, fpr 0.17; 2 nodes
	// 0.2: 3 edges, tpr 1.00, fpr 0.17; 3 nodes
	// 0: 8 edges, tpr 1.00, fpr 1.00; 7 nodes
	// method,points,edges_pessimistic,edges_trapezoid,nodes_pessimistic,nodes_trapezoid,edges_interpbench
	// eap,4,0.9166666666666667,0.9166666666666667,1,1,
}
