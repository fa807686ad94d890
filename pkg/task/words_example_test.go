package task_test

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// The first pair of two of the tasks.
func ExampleGenerator_Pairs() {
	for _, g := range task.Generators()[:2] {
		pairs, err := g.Pairs(context.Background(), task.Draw{Seed: 0, Examples: 1}, tokenizer.GPT2())
		if err != nil {
			fmt.Println(err)
			return
		}
		p := pairs[0]
		fmt.Printf("%s ->%q\n", p.Clean.Text, p.Correct[0].Text)
		fmt.Println(p.Corrupt.Text)
	}
	// Output:
	// Then, Ruth and Amy went to the hotel. Amy gave a bottle to ->" Ruth"
	// Then, Karen and Andrea went to the hotel. Monica gave a bottle to
	// The exile lasted from the year 1687 to 16 ->"88"
	// The exile lasted from the year 1601 to 16
}
