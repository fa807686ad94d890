package circuit_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// The graph of GPT-2 small, under both definitions.
func ExampleNew() {
	for _, d := range circuit.Definitions() {
		g, err := circuit.New(circuit.Config{Definition: d, Layers: 12, Heads: 12})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d, g.NumEdges())
	}
	// Output:
	// acdc 32923
	// eap 32491
}

// An edge has a number, a short name and the hook names of TransformerLens.
func ExampleGraph_ParseEdge() {
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 6, AttnOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	i, err := g.ParseEdge("a0.h4->a1.h1<k>")
	if err != nil {
		log.Fatal(err)
	}
	e := g.Edge(i)
	fmt.Println(e)
	fmt.Println(g.HookName(e.Sender))
	fmt.Println(g.HookName(e.Receiver))

	_, err = g.ParseEdge("a1.h1->a0.h4<k>")
	fmt.Println(err)
	// Output:
	// a0.h4->a1.h1<k>
	// blocks.0.attn.hook_result[:, :, 4]
	// blocks.1.hook_k_input[:, :, 1]
	// edge "a1.h1->a0.h4<k>" is impossible in this graph: a0.h4<k>.input is computed before a1.h1
}

// A saved circuit becomes a graph, a mask and scores.
func ExampleDecode() {
	const text = `{
 "graph": {"definition": "eap", "n_layers": 1, "n_heads": 2},
 "metric": "kl_div", "edges_total": 13, "edges_kept": 2,
 "edges": [
  {"sender": "input", "receiver": "m0", "score": 0.5, "kept": true},
  {"sender": "m0", "receiver": "logits", "score": 0.25, "kept": true}
 ]
}`
	file, err := circuit.Decode(context.Background(), "circuit.json", strings.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	g, mask, scores, err := file.Circuit()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mask.Count(), "of", g.NumEdges())
	for i, present := range mask {
		if present {
			fmt.Println(g.Edge(i), scores[i])
		}
	}
	// Output:
	// 2 of 13
	// input->m0 0.5
	// m0->logits 0.25
}
