package metric

import (
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// probDiff is −(Σ q(correct) − Σ q(wrong)), q = softmax(x) of all logits x
// (Hanna et al. 2023, arXiv:2305.00586).
type probDiff struct {
	answers
	everyLogit
}

func bindProbDiff(name Name, t Targets) (formula, error) {
	a, err := answersOf(name, t)
	return probDiff{answers: a}, err
}

func (m probDiff) row(i int, logits []float32) float64 {
	tensor.LogSoftmax(logits, logits)
	b := m.places[i].Example
	return -(probability(logits, m.correct[b]) - probability(logits, m.wrong[b]))
}

// probability is the sum of the probabilities of some tokens.
func probability(logp []float32, ids []int) float64 {
	sum := 0.0
	for _, id := range ids {
		sum += math.Exp(float64(logp[id]))
	}
	return sum
}

// gradient is q(v) (Δ − n(v)): Δ is Σ q(correct) − Σ q(wrong), and n(v) how
// often v is among the correct answers less how often it is among the wrong.
func (m probDiff) gradient(i int, logits, grad []float32) error {
	b, lse := m.places[i].Example, logSumExp(logits)
	q := func(id int) float64 { return math.Exp(float64(logits[id]) - lse) }
	n, delta := map[int]float64{}, 0.0
	count := func(ids []int, sign float64) {
		for _, id := range ids {
			n[id] += sign
			delta += sign * q(id)
		}
	}
	count(m.correct[b], 1)
	count(m.wrong[b], -1)
	for v := range logits {
		grad[v] = float32(q(v) * delta)
	}
	for id, often := range n {
		grad[id] = float32(q(id) * (delta - often))
	}
	return nil
}
