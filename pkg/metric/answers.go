package metric

import (
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// answers are the right and wrong answers of examples, which are compared at
// one position of each. What is compared needs no clean run.
type answers struct {
	places
	correct [][]int // by example
	wrong   [][]int // by example
}

func (answers) setClean(*tensor.Tensor) {}

// answersOf takes the answers from the data.
func answersOf(name Name, t Targets) (answers, error) {
	var a answers
	var err error
	if a.correct, err = ids(name, "correct", t.Correct, t); err != nil {
		return a, err
	}
	if a.wrong, err = ids(name, "wrong", t.Wrong, t); err != nil {
		return a, err
	}
	a.places, err = answerPosition(name, t)
	return a, err
}

// ids checks the answers of each example.
func ids(name Name, field string, values [][]int, t Targets) ([][]int, error) {
	if values == nil {
		return nil, fmt.Errorf("metric %s: the data have no %q: expected one token id or more an example", name, field)
	}
	if len(values) != len(t.Clean) {
		return nil, fmt.Errorf("metric %s: %q: expected token ids for each of %d examples, found them for %d", name, field, len(t.Clean), len(values))
	}
	for b, answers := range values {
		if len(answers) == 0 {
			return nil, fmt.Errorf("metric %s: %q: expected at least one token id an example, found none in example %d", name, field, b)
		}
		for _, id := range answers {
			if id < 0 || id >= t.Vocab {
				return nil, fmt.Errorf("metric %s: %q: expected token ids from 0 to %d, found %d in example %d", name, field, t.Vocab-1, id, b)
			}
		}
	}
	return values, nil
}

// answerLogits are answers whose logits are all that is read.
type answerLogits struct {
	answers
	read [][]int // by row: the correct answers, the wrong ones, and the first again until all rows have as many
}

// answerLogitsOf takes the answers from the data and lists the logits to read.
func answerLogitsOf(name Name, t Targets) (answerLogits, error) {
	a, err := answersOf(name, t)
	if err != nil {
		return answerLogits{}, err
	}
	out, width := make([][]int, len(a.places)), 0
	for i, r := range a.places {
		out[i] = slices.Concat(a.correct[r.Example], a.wrong[r.Example])
		width = max(width, len(out[i]))
	}
	for i := range out {
		for len(out[i]) < width {
			out[i] = append(out[i], out[i][0])
		}
	}
	return answerLogits{a, out}, nil
}

func (a answerLogits) tokens(i int) []int { return a.read[i] }

// split parts the logits of row i, or what else there is of each, into those
// of correct and wrong answers.
func (a answerLogits) split(i int, logits []float32) (correct, wrong []float32) {
	b := a.places[i].Example
	n := len(a.correct[b])
	return logits[:n], logits[n : n+len(a.wrong[b])]
}

// mean is the mean of a few logits.
func mean(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return sum / float64(len(x))
}
