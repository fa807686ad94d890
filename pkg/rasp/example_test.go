package rasp_test

import (
	"fmt"
	"log"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// What a program means needs no model: for each position, how many of all tokens
// are equal to the one that stands there.
func ExampleEval() {
	same := func(key, query rasp.Value) (bool, error) { return key == query, nil }
	program := &rasp.Width{Selector: &rasp.Select{Keys: rasp.Tokens{}, Queries: rasp.Tokens{}, P: same}}
	vocab := []rasp.Value{rasp.String("a"), rasp.String("b")}
	domain, err := rasp.NewDomain(vocab, 5, false)
	if err != nil {
		log.Fatal(err)
	}
	counts, err := rasp.Eval(program, domain, []rasp.Value{vocab[0], vocab[1], vocab[0]})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts)
	// Output: [2 1 2]
}
