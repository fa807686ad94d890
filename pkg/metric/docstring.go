package metric

import "slices"

// docstring is −(mean x[correct] − max x[wrong]) of logits x (Heimersheim and
// Janiak 2023).
type docstring struct{ answerLogits }

func bindDocstring(name Name, t Targets) (formula, error) {
	a, err := answerLogitsOf(name, t)
	return docstring{a}, err
}

func (m docstring) row(i int, logits []float32) float64 {
	correct, wrong := m.split(i, logits)
	return -(mean(correct) - float64(slices.Max(wrong)))
}

// gradient is −1/C at each of C correct answers, 1 at the largest wrong one,
// of equal ones the first.
func (m docstring) gradient(i int, logits, grad []float32) error {
	clear(grad)
	correct, wrong := m.split(i, grad)
	setAll(correct, -1/float64(len(correct)))
	_, x := m.split(i, logits)
	top := 0
	for k, v := range x {
		if v > x[top] {
			top = k
		}
	}
	wrong[top] = 1
	return nil
}
