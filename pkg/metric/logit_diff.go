package metric

// logitDiff is −(mean x[correct] − mean x[wrong]) of logits x (Wang et al.
// 2022, arXiv:2211.00593).
type logitDiff struct{ answerLogits }

func bindLogitDiff(name Name, t Targets) (formula, error) {
	a, err := answerLogitsOf(name, t)
	return logitDiff{a}, err
}

func (m logitDiff) row(i int, logits []float32) float64 {
	correct, wrong := m.split(i, logits)
	return -(mean(correct) - mean(wrong))
}

// gradient is −1/C at each of C correct answers, 1/W at each of W wrong ones.
func (m logitDiff) gradient(i int, _, grad []float32) error {
	clear(grad)
	correct, wrong := m.split(i, grad)
	setAll(correct, -1/float64(len(correct)))
	setAll(wrong, 1/float64(len(wrong)))
	return nil
}
