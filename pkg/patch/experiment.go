package patch

import (
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/gpt"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Config says what is to be bound together.
type Config struct {
	Model      *gpt.Model
	Definition circuit.Definition // ACDC if empty
	SplitEmbed bool               // token and position embeddings are two senders
	Data       task.Data
	Metric     metric.Name
	Ablation   Ablation
	Seed       uint64 // of the permutation of positions, where one is needed and the data give none
	Threads    int    // goroutines; less than 1 means 1. No result depends on it.
}

// Experiment is a model with data, a metric and a corrupted run. It is
// immutable and safe for concurrent use.
type Experiment struct {
	model       *gpt.Model
	graph       *circuit.Graph
	metric      *metric.Metric
	ablation    Ablation
	permutation []int
	threads     int
	b, t, rows  int // examples, positions, and their product
	clean       struct {
		*run
		tokens [][]int
	}
	co              *run
	senders         []sender       // by number
	flatRows        []int          // by row of the metric, the row of all B·T that it reads
	firstRow        []int          // by example, its first row of the metric; one more at the end
	readout         *tensor.Tensor // rows of W_Uᵀ that the metric reads [rows·n,D], where it reads only n tokens
	readoutB        []float32      // their b_U
	cleanOut, coOut tensor.Matrix  // the final residual streams at the metric's rows [rows,D]
	cleanRows       []float64      // the metric of the clean run, row by row
	coRows          []float64      // the metric of the corrupted run
}

// Bind checks that model, data and metric fit, runs the clean and the
// corrupted run, and returns the experiment. Errors name the field that does
// not fit.
func Bind(c Config) (*Experiment, error) {
	if _, err := ParseAblation(string(c.Ablation)); err != nil {
		return nil, err
	}
	if err := checkData(c); err != nil {
		return nil, err
	}
	graph, err := graphOf(c)
	if err != nil {
		return nil, err
	}
	m, err := metric.New(c.Metric, metric.Targets{
		Clean: c.Data.Clean, Mask: c.Data.Mask, Correct: c.Data.Correct, Wrong: c.Data.Wrong,
		Labels: c.Data.Labels, Vocab: c.Model.Config.VocabOut,
	})
	if err != nil {
		return nil, err
	}
	e := &Experiment{model: c.Model, graph: graph, metric: m, ablation: c.Ablation, threads: max(c.Threads, 1),
		b: len(c.Data.Clean), t: len(c.Data.Clean[0])}
	e.rows = e.b * e.t
	e.clean.tokens = c.Data.Clean
	for _, n := range graph.Senders() {
		e.senders = append(e.senders, e.describe(n))
	}
	e.indexRows()
	if c.SplitEmbed && c.Ablation == Resample {
		e.permutation = c.Data.PosPermutation
		if e.permutation == nil {
			e.permutation = rand.New(rand.NewPCG(c.Seed, 0x705)).Perm(e.t)
		}
	}
	if e.clean.run, err = e.record(c.Data.Clean, nil, nil); err != nil {
		return nil, err
	}
	if e.co, err = e.corruptedRun(c.Data.Corrupt, e.permutation); err != nil {
		return nil, err
	}
	e.setClean()
	return e, nil
}

func checkData(c Config) error {
	if err := c.Data.Check(); err != nil {
		return err
	}
	if err := c.Model.CheckTokens("\"clean\"", c.Data.Clean); err != nil {
		return err
	}
	if c.Data.Corrupt == nil {
		if c.Ablation == Resample {
			return fmt.Errorf("ablation resample: the data have no \"corrupt\": expected prompts of the shape of \"clean\", or ablation zero or mean")
		}
		return nil
	}
	return c.Model.CheckTokens("\"corrupt\"", c.Data.Corrupt)
}

func graphOf(c Config) (*circuit.Graph, error) {
	m := c.Model.Config
	if c.SplitEmbed && m.Positions != gpt.Standard {
		return nil, fmt.Errorf("token and position embeddings cannot be split: the model has positional_embedding_type %q, expected %q", m.Positions, gpt.Standard)
	}
	def := c.Definition
	if def == "" {
		def = circuit.ACDC
	}
	return circuit.New(circuit.Config{Definition: def, Layers: m.Layers, Heads: m.Heads, AttnOnly: m.AttnOnly,
		ParallelAttnMLP: m.ParallelAttnMLP, SplitEmbed: c.SplitEmbed})
}

// indexRows finds each example's rows of the metric, and gathers the columns
// of W_U where the metric reads only a few.
func (e *Experiment) indexRows() {
	rows := e.metric.Rows()
	e.firstRow = make([]int, e.b+1)
	for _, r := range rows {
		e.flatRows = append(e.flatRows, r.Example*e.t+r.Position)
		e.firstRow[r.Example+1]++
	}
	for b := range e.b {
		e.firstRow[b+1] += e.firstRow[b]
	}
	n := len(e.metric.Tokens(0))
	if n == 0 {
		return
	}
	d, v := e.model.Config.DModel, e.model.Config.VocabOut
	e.readout, e.readoutB = tensor.New(len(rows)*n, d), make([]float32, len(rows)*n)
	for i := range rows {
		for j, id := range e.metric.Tokens(i) {
			row := e.readout.Row(i*n + j)
			for k := range row {
				row[k] = e.model.Weights.Unembed.Data[k*v+id]
			}
			e.readoutB[i*n+j] = e.model.Weights.UnembedB[id]
		}
	}
}

// setClean gives the metric the clean run's logits and measures both runs.
func (e *Experiment) setClean() {
	logits := tensor.New(len(e.metric.Rows()), e.logitsWidth())
	e.cleanOut, e.coOut = e.outputRows(e.clean.out), e.outputRows(e.co.out)
	e.parallelRows(func(w *worker, lo, hi int) {
		w.finalLogits(lo, e.cleanOut.Slice(lo, hi), logits.Matrix().Slice(lo, hi))
	})
	e.metric.SetClean(logits)
	e.cleanRows, e.coRows = e.measure(e.cleanOut), e.measure(e.coOut)
}

// outputRows gathers the rows of a final residual stream [B·T,D] that the
// metric reads.
func (e *Experiment) outputRows(out *tensor.Tensor) tensor.Matrix {
	rows := tensor.New(len(e.metric.Rows()), out.Cols())
	for i := range rows.Rows() {
		copy(rows.Row(i), out.Row(e.flatRows[i]))
	}
	return rows.Matrix()
}

// measure computes the metric's value of each gathered row.
func (e *Experiment) measure(x tensor.Matrix) []float64 {
	values := make([]float64, x.Rows)
	e.parallelRows(func(w *worker, lo, hi int) { w.measure(lo, x.Slice(lo, hi), values[lo:hi]) })
	return values
}

// readoutRows bounds the rows whose logits are computed at a time.
const readoutRows = 64

// parallelRows runs f on ranges of the metric's rows, each with its scratch.
func (e *Experiment) parallelRows(f func(w *worker, lo, hi int)) {
	tensor.Parallel(len(e.metric.Rows()), e.threads, func(lo, hi int) {
		w := newWorker(e, readoutRows)
		for ; lo < hi; lo += readoutRows {
			f(w, lo, min(lo+readoutRows, hi))
		}
	})
}

// Graph returns the graph whose edges are patched.
func (e *Experiment) Graph() *circuit.Graph { return e.graph }

// Metric returns the bound metric.
func (e *Experiment) Metric() *metric.Metric { return e.metric }

// Examples is the number of examples.
func (e *Experiment) Examples() int { return e.b }

// Positions is the number of positions of an example.
func (e *Experiment) Positions() int { return e.t }

// PosPermutation returns where the corrupted run takes its position embeddings
// from, or nil if it does not permute them.
func (e *Experiment) PosPermutation() []int { return e.permutation }

// CleanMetric is the metric of the clean run: the full graph.
func (e *Experiment) CleanMetric() float64 { return e.metric.Mean(e.cleanRows) }

// CorruptedMetric is the metric of the corrupted run: the empty graph.
func (e *Experiment) CorruptedMetric() float64 { return e.metric.Mean(e.coRows) }

// ForwardFLOP is the work of one plain forward pass with the logits that the
// metric reads.
func (e *Experiment) ForwardFLOP() int64 {
	c := e.model.Config
	return c.FLOP(e.b, e.t, 0) + int64(len(e.metric.Rows()))*e.logitsFLOP()
}

// logitsWidth is the number of logits that the metric reads at a position.
func (e *Experiment) logitsWidth() int {
	if ids := e.metric.Tokens(0); ids != nil {
		return len(ids)
	}
	return e.model.Config.VocabOut
}

// logitsFLOP is the work of one row's logits.
func (e *Experiment) logitsFLOP() int64 {
	return 2 * int64(e.model.Config.DModel) * int64(e.logitsWidth())
}
