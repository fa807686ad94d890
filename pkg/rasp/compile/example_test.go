package compile_test

import (
	"context"
	"fmt"
	"log"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// A program becomes a transformer that computes it, and the circuit that it is.
func Example() {
	ctx := context.Background()
	f, err := text.Parse("fraction.rasp", `
		# How much of the input so far is x.
		vocab "w", "x"
		max_len 4
		let is_x = numerical(map(t -> t == "x", tokens))
		return aggregate(select(indices, indices, <=), is_x)`)
	if err != nil {
		log.Fatal(err)
	}
	program, err := f.Program()
	if err != nil {
		log.Fatal(err)
	}
	domain, err := f.Domain(nil, 0, false)
	if err != nil {
		log.Fatal(err)
	}
	m, err := compile.Compile(ctx, program, domain, compile.Options{})
	if err != nil {
		log.Fatal(err)
	}
	input, err := text.ParseVocab("x,w,w,x")
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := m.Encode(input)
	if err != nil {
		log.Fatal(err)
	}
	logits, err := m.Transformer.Forward(ctx, [][]int{tokens}, transformer.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var fractions []string
	for i := range input { // behind BOS
		v, err := m.Decode(logits.Row(i + 1))
		if err != nil {
			log.Fatal(err)
		}
		x, _ := v.Float()
		fractions = append(fractions, fmt.Sprintf("%.2f", x))
	}
	fmt.Println(fractions)

	c := m.Transformer.Config
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: c.Layers, Heads: c.Heads, SplitEmbed: true})
	if err != nil {
		log.Fatal(err)
	}
	mask, err := m.Circuit(ctx, g)
	if err != nil {
		log.Fatal(err)
	}
	for i, present := range mask {
		if present {
			fmt.Println(g.Edge(i))
		}
	}
	// Output:
	// [1.00 0.50 0.33 0.50]
	// embed->m0
	// pos_embed->a1.h0<q>
	// pos_embed->a1.h0<k>
	// m0->a1.h0<v>
	// a1.h0->logits
}
