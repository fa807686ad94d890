package metric

import (
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// nll is −log q(label), q = softmax(x) of all logits x.
type nll struct {
	places
	everyLogit
	labels []int // by row
}

func bindNLL(name Name, t Targets) (formula, error) {
	m, err := nllOf(name, t)
	return m, err
}

func nllOf(name Name, t Targets) (m nll, err error) {
	if m.places, err = lastPosition(name, t); err != nil {
		return m, err
	}
	m.labels, err = labelsOf(name, t, m.places)
	return m, err
}

// labelsOf finds, for each row, the token that should come next: the given
// label, at the last position the first correct answer, else the next clean token.
func labelsOf(name Name, t Targets, rows []Row) ([]int, error) {
	out := make([]int, len(rows))
	for i, r := range rows {
		last := r.Position == len(t.Clean[r.Example])-1
		switch {
		case t.Labels != nil:
			out[i] = t.Labels[r.Example][r.Position]
		case !last:
			out[i] = t.Clean[r.Example][r.Position+1]
		case r.Example < len(t.Correct) && len(t.Correct[r.Example]) > 0:
			out[i] = t.Correct[r.Example][0]
		default:
			return nil, fmt.Errorf("metric %s: the last position has no next token: expected \"labels\" or \"correct\" in the data, or a mask without it", name)
		}
		if out[i] < 0 || out[i] >= t.Vocab {
			return nil, fmt.Errorf("metric %s: expected labels from 0 to %d, found %d in example %d at position %d", name, t.Vocab-1, out[i], r.Example, r.Position)
		}
	}
	return out, nil
}

func (nll) setClean(*tensor.Tensor) {}

func (m nll) row(i int, logits []float32) float64 {
	tensor.LogSoftmax(logits, logits)
	return -float64(logits[m.labels[i]])
}

// gradient is q(v), less 1 at the label.
func (m nll) gradient(i int, logits, grad []float32) error {
	lse, label := logSumExp(logits), m.labels[i]
	for v, x := range logits {
		grad[v] = float32(math.Exp(float64(x) - lse))
	}
	grad[label] = float32(math.Expm1(float64(logits[label]) - lse))
	return nil
}

// matchNLL is log p(label) − log q(label), p being the clean run's q. Its
// gradient is nll's.
type matchNLL struct {
	nll
	clean []float64 // by row, log p(label)
}

func bindMatchNLL(name Name, t Targets) (formula, error) {
	m, err := nllOf(name, t)
	return &matchNLL{nll: m}, err
}

func (m *matchNLL) setClean(logits *tensor.Tensor) {
	m.clean = make([]float64, len(m.places))
	for i, label := range m.labels {
		tensor.LogSoftmax(logits.Row(i), logits.Row(i))
		m.clean[i] = float64(logits.Row(i)[label])
	}
}

func (m *matchNLL) row(i int, logits []float32) float64 { return m.clean[i] + m.nll.row(i, logits) }
