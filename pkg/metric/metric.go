// Package metric measures how far a patched run is from what it should be.
//
// It knows
//  1. the metrics by name (Names), each minimised by discovery;
//  2. which positions of which examples a metric reads (Rows), and which
//     logits there (Metric.Tokens);
//  3. how one row of logits [V] becomes one number (Metric.Row), what that
//     number's gradient with respect to the logits is (Metric.Gradient), and how
//     the numbers become the metric (Mean) or one value an example (PerExample).
//
// Every metric is a mean over rows, so that rows can be computed in any order
// and on any number of cores with the same result. Each is a type of its own,
// in the file of its name. It does not know models, files or circuits.
package metric

import (
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Name names a metric.
type Name string

// The metrics. Logits are those of the patched run, p the distribution of the
// clean run, q that of the patched run; the formulas are those of the
// reference implementation (acdc_utils.py, Conmy et al. 2023).
const (
	KL          Name = "kl_div"       // Σ_v p(v) (log p(v) − log q(v)), in nats
	LogitDiff   Name = "logit_diff"   // −(mean logit[correct] − mean logit[wrong])
	ProbDiff    Name = "prob_diff"    // −(Σ q(correct) − Σ q(wrong)): greater-than's
	Docstring   Name = "docstring"    // −(mean logit[correct] − max logit[wrong])
	NLL         Name = "nll"          // −log q(label), in nats
	MatchNLL    Name = "match_nll"    // log p(label) − log q(label), in nats
	L2          Name = "l2"           // mean over v of (logit[v] − clean logit[v])²
	L2First     Name = "l2_first"     // (logit[0] − clean logit[0])²
	FracCorrect Name = "frac_correct" // −1 where max logit[correct] > max logit[wrong], else 0
)

// kind is a metric before it is bound to data.
type kind struct {
	name Name
	bind func(Name, Targets) (formula, error)
}

// kinds lists the metrics.
func kinds() []kind {
	return []kind{{KL, bindKL}, {LogitDiff, bindLogitDiff}, {ProbDiff, bindProbDiff}, {Docstring, bindDocstring},
		{NLL, bindNLL}, {MatchNLL, bindMatchNLL}, {L2, bindL2}, {L2First, bindL2First}, {FracCorrect, bindFracCorrect}}
}

// formula is one metric bound to data: what it reads and what it makes of it.
type formula interface {
	rows() []Row
	tokens(i int) []int                           // the logits read at row i, as many at every row; nil for all
	setClean(logits *tensor.Tensor)               // [rows,width] of the clean run, to keep and change
	row(i int, logits []float32) float64          // may overwrite logits
	gradient(i int, logits, grad []float32) error // sets grad to d row / d logits
}

// Names lists the metrics.
func Names() []Name {
	all := kinds()
	out := make([]Name, len(all))
	for i, k := range all {
		out[i] = k.name
	}
	return out
}

// ParseName reads a metric's name; another is an error that lists the valid ones.
func ParseName(s string) (Name, error) { return choice.Parse("metric", s, Names()) }

// Targets is what a metric needs to know of the data.
type Targets struct {
	Clean   [][]int  // tokens [B,T], from which labels are taken where there are none
	Mask    [][]bool // [B,T] counted positions; nil for the metric's own choice
	Correct [][]int  // by example, token ids; or nil
	Wrong   [][]int  // by example, token ids; or nil
	Labels  [][]int  // [B,T] token ids that should come next, or nil
	Pad     []int    // [B] padding tokens in front, which no metric reads; nil for none
	Vocab   int      // logits at a position
}

// Metric is a metric bound to data. After SetClean it is safe for concurrent
// use on different rows.
type Metric struct {
	name    Name
	formula formula
	width   int // logits that a row reads
	clean   bool
	weights []float64 // by row, their sum being 1; nil where all count the same
}

// New binds a metric to data. Rows are the masked positions; without a mask
// the last position, for L2 and L2First all but an example's first (unless
// there is only one). LogitDiff, ProbDiff, Docstring and FracCorrect compare an
// example's answers at one position: a mask that counts several in an example
// is an error; examples without a counted position are left out of the mean.
// What the metric needs and the data lack is an error that names the field.
func New(name Name, t Targets) (*Metric, error) {
	k, err := choice.Find("metric", string(name), kinds(), func(k kind) string { return string(k.name) })
	if err != nil {
		return nil, err
	}
	if err := t.check(name); err != nil {
		return nil, err
	}
	f, err := k.bind(name, t)
	if err != nil {
		return nil, err
	}
	m := &Metric{name: name, formula: f, width: t.Vocab}
	if ids := f.tokens(0); ids != nil {
		m.width = len(ids)
	}
	return m, nil
}

// made is the formula; it panics if New did not make the metric.
func (m *Metric) made() formula {
	if m == nil || m.formula == nil {
		panic("metric: a metric that New did not make")
	}
	return m.formula
}

// Name returns the metric's name.
func (m *Metric) Name() Name { return m.name }

// Rows lists the positions whose logits the metric reads, by example and then
// by position. The caller must not change it.
func (m *Metric) Rows() []Row { return m.made().rows() }

// Tokens lists the logits that Row reads at row i; nil means all of them.
// All rows read as many. The caller must not change it.
func (m *Metric) Tokens(i int) []int {
	m.checkRow("Tokens", i)
	return m.formula.tokens(i)
}

// SetClean tells the metric the clean run's logits [rows,width], in the order
// of Rows: all of a row, or those of Tokens. It must be called once, before
// Row; it keeps the tensor and changes it.
func (m *Metric) SetClean(logits *tensor.Tensor) {
	if logits == nil {
		panic(fmt.Sprintf("metric: SetClean of %s: no logits", m.name))
	}
	if rows, width := len(m.Rows()), m.width; logits.Rows() != rows || logits.Cols() != width {
		panic(fmt.Sprintf("metric: SetClean of %s: expected logits [%d %d], found %v", m.name, rows, width, logits.Shape()))
	}
	if m.clean {
		panic(fmt.Sprintf("metric: SetClean of %s, which was set", m.name))
	}
	m.formula.setClean(logits)
	m.clean = true
}

// Row returns the metric of row i from its logits: all V of them, which it may
// overwrite, or, where Tokens says which, only those.
func (m *Metric) Row(i int, logits []float32) float64 {
	m.check("Row", i, len(logits))
	return m.formula.row(i, logits)
}

// check panics where a method is used too early or with another number of
// logits than a row has.
func (m *Metric) check(method string, i, logits int) {
	m.checkClean(method)
	if logits != m.width {
		panic(fmt.Sprintf("metric: %s of %s: expected %d logits, found %d", method, m.name, m.width, logits))
	}
	m.checkRow(method, i)
}

// checkClean panics before SetClean.
func (m *Metric) checkClean(method string) {
	if !m.clean {
		panic(fmt.Sprintf("metric: %s of %s before SetClean", method, m.name))
	}
}

// checkRow panics where there is no such row.
func (m *Metric) checkRow(method string, i int) {
	if i < 0 || i >= len(m.Rows()) {
		panic(fmt.Sprintf("metric: %s of %s: expected a row from 0 to %d, found %d", method, m.name, len(m.Rows())-1, i))
	}
}

// Weighted is the same metric as a mean in which each row counts as much as its
// weight says. It panics unless there is a weight of at least 0 for each row, and
// one above.
func (m *Metric) Weighted(weights []float64) *Metric {
	m.checkValues("Weighted", weights)
	sum := 0.0
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			panic(fmt.Sprintf("metric: Weighted: expected weights of at least 0, found %v", w))
		}
		sum += w
	}
	if sum == 0 {
		panic("metric: Weighted: expected a weight above 0, found none")
	}
	out := *m
	out.weights = make([]float64, len(weights))
	for i, w := range weights {
		out.weights[i] = w / sum
	}
	return &out
}

// Mean is the metric of a run from the values of all rows.
func (m *Metric) Mean(values []float64) float64 {
	m.checkValues("Mean", values)
	if m.weights != nil {
		sum := 0.0
		for i, v := range values {
			if m.weights[i] > 0 { // what does not count may be infinite
				sum += m.weights[i] * v
			}
		}
		return sum
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// checkValues panics unless there is a value for each row.
func (m *Metric) checkValues(method string, values []float64) {
	if len(values) != len(m.Rows()) {
		panic(fmt.Sprintf("metric: %s of %d values, the metric has %d rows", method, len(values), len(m.Rows())))
	}
}

// PerExample returns each example's mean over its own rows, NaN where an
// example has none.
func (m *Metric) PerExample(values []float64, examples int) []float64 {
	m.checkValues("PerExample", values)
	if least := m.Rows()[len(values)-1].Example + 1; examples < least {
		panic(fmt.Sprintf("metric: PerExample of %d examples, the metric reads %d", examples, least))
	}
	sums, counts := make([]float64, examples), make([]int, examples)
	for i, r := range m.Rows() {
		sums[r.Example] += values[i]
		counts[r.Example]++
	}
	for b := range sums {
		if counts[b] == 0 {
			sums[b] = math.NaN()
			continue
		}
		sums[b] /= float64(counts[b])
	}
	return sums
}

// Softmax returns the probabilities of tokens by their logits, p(v) = exp(l(v) −
// max l) / Σ exp(l − max l), in double precision.
func Softmax(logits []float32) []float64 {
	largest, sum := math.Inf(-1), 0.0
	for _, x := range logits {
		largest = max(largest, float64(x))
	}
	out := make([]float64, len(logits))
	for i, x := range logits {
		out[i] = math.Exp(float64(x) - largest)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}
