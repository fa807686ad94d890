package task

import "math/rand/v2"

// Random makes prompts of random tokens for a model of any vocabulary, with
// unrelated corrupt prompts and random correct and wrong answers: data to
// measure speed with, behind which there is no behaviour.
func Random(seed uint64, examples, tokens, vocab int) Data {
	rng := rand.New(rand.NewPCG(seed, 0x5a9d0e))
	grid := func() [][]int {
		rows := make([][]int, examples)
		for i := range rows {
			rows[i] = make([]int, tokens)
			for t := range rows[i] {
				rows[i][t] = rng.IntN(vocab)
			}
		}
		return rows
	}
	d := Data{Clean: grid(), Corrupt: grid(), Correct: make([]int, examples), Wrong: make([]int, examples)}
	for i := range examples {
		d.Correct[i] = rng.IntN(vocab)
		d.Wrong[i] = rng.IntN(vocab)
		if d.Wrong[i] == d.Correct[i] {
			d.Wrong[i] = (d.Wrong[i] + 1) % vocab
		}
	}
	return d
}
