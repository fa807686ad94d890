package metric

import "github.com/seed-2c350065/acdc/pkg/tensor"

// squares are metrics of squared differences from the clean run's logits.
type squares struct {
	places
	clean *tensor.Tensor // [rows,width]
}

func (m *squares) setClean(logits *tensor.Tensor) { m.clean = logits }

// gradient is 2 (x − x°) / width of logits x and clean logits x°.
func (m *squares) gradient(i int, logits, grad []float32) error {
	clean := m.clean.Row(i)
	for v, x := range logits {
		grad[v] = float32(2 * (float64(x) - float64(clean[v])) / float64(len(logits)))
	}
	return nil
}

// l2 is the mean over v of (x[v] − x°[v])².
type l2 struct {
	squares
	everyLogit
}

func bindL2(name Name, t Targets) (formula, error) {
	rows, err := laterPositions(name, t)
	return &l2{squares: squares{places: rows}}, err
}

func (m *l2) row(i int, logits []float32) float64 {
	return tensor.SquaredDistance(logits, m.clean.Row(i)) / float64(len(logits))
}

// l2First is (x[0] − x°[0])², for models of whose outputs the first is a
// number and no class.
type l2First struct{ squares }

func bindL2First(name Name, t Targets) (formula, error) {
	rows, err := laterPositions(name, t)
	return &l2First{squares{places: rows}}, err
}

func (m *l2First) tokens(int) []int { return []int{0} }

func (m *l2First) row(i int, logits []float32) float64 {
	d := float64(logits[0]) - float64(m.clean.Row(i)[0])
	return d * d
}
