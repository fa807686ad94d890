package metric

import "slices"

// fracCorrect is −1 where max x[correct] > max x[wrong] of logits x, else 0:
// minus the fraction of examples that are answered right.
type fracCorrect struct{ answerLogits }

func bindFracCorrect(name Name, t Targets) (formula, error) {
	a, err := answerLogitsOf(name, t)
	return fracCorrect{a}, err
}

func (m fracCorrect) row(i int, logits []float32) float64 {
	if correct, wrong := m.split(i, logits); slices.Max(correct) > slices.Max(wrong) {
		return -1
	}
	return 0
}

func (fracCorrect) gradient(int, []float32, []float32) error { return ErrNoGradient }
