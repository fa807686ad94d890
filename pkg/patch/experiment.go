package patch

import (
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Config says what is to be bound together.
type Config struct {
	Model      *transformer.Model
	Definition circuit.Definition // ACDC if empty
	SplitEmbed bool               // token and position embeddings are two senders
	Data       task.Data
	Metric     metric.Name
	Ablation   Ablation
	Seed       uint64 // of the permutation of positions, where one is needed and the data give none
	Slice      int    // examples whose activations are held at a time; 0 for all. No result depends on it.
	Threads    int    // goroutines; less than 1 means 1. No result depends on it.
}

// Experiment is a model with data, a metric and a corrupted run. It is
// immutable; its methods may be called from several goroutines.
type Experiment struct {
	model       *transformer.Model
	graph       *circuit.Graph
	metric      *metric.Metric
	ablation    Ablation
	permutation []int
	threads     int
	b, t        int // examples, positions
	pad         transformer.Padding
	clean       struct {
		*run
		tokens [][]int
	}
	co        *run
	cuts      []*tensor.Tensor // by layer, co.z − clean.z [B·T,H·K]
	senders   []sender         // by number
	flat      []int            // by row of the metric, the row of all B·T that it reads
	all       []int            // 0, 1, … by row of the metric
	rows      layout           // the rows that a State computes
	columns   *tensor.Tensor   // columns of W_U [rows·n,D], where the metric reads only n logits a row
	columnsB  []float32        // their b_U
	cleanRows []float64        // the metric of the clean run, row by row
	coRows    []float64        // the metric of the corrupted run
	slices    []slice          // where examples are taken some at a time; then there are no runs
}

// Bind checks that model, data and metric fit, runs the clean and the
// corrupted run, and returns the experiment. Errors name the field that does
// not fit. With Config.Slice it keeps no activations of either run.
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
	e, err := newExperiment(c, graph)
	if err != nil {
		return nil, err
	}
	sh := &shared{graph: graph, permutation: e.permutation, first: e.firstDifference(c.Data)}
	if c.Ablation == Mean {
		if sh.means, err = e.referenceMeans(c); err != nil {
			return nil, err
		}
	}
	if c.Slice > 0 && c.Slice < e.b {
		return e, e.bindSlices(c, sh)
	}
	return e, e.bindRuns(c, sh)
}

// shared is what slices of one experiment have in common.
type shared struct {
	graph       *circuit.Graph
	permutation []int
	first       int    // the first position at which the runs can differ
	means       *means // under mean ablation
}

// newExperiment makes an experiment without its runs.
func newExperiment(c Config, graph *circuit.Graph) (*Experiment, error) {
	m, err := metric.New(c.Metric, metric.Targets{
		Clean: c.Data.Clean, Mask: c.Data.Mask, Correct: c.Data.Correct, Wrong: c.Data.Wrong,
		Labels: c.Data.Labels, Pad: c.Data.Pad, Vocab: c.Model.Config.VocabOut,
	})
	if err != nil {
		return nil, err
	}
	e := &Experiment{model: c.Model, graph: graph, metric: m, ablation: c.Ablation, threads: max(c.Threads, 1),
		b: len(c.Data.Clean), t: len(c.Data.Clean[0]), pad: c.Data.Pad}
	e.clean.tokens = c.Data.Clean
	e.permutation = e.permutationOf(c)
	for _, n := range graph.Senders() {
		e.senders = append(e.senders, e.describe(n))
	}
	for i, r := range m.Rows() {
		e.flat = append(e.flat, r.Example*e.t+r.Position)
		e.all = append(e.all, i)
	}
	return e, nil
}

// bindRuns runs the clean and the corrupted run and keeps them.
func (e *Experiment) bindRuns(c Config, sh *shared) error {
	e.permutation = sh.permutation
	e.rows = newLayout(e.b, e.t, sh.first, e.flat, e.pad)
	e.gatherColumns()
	var err error
	if e.clean.run, err = e.record(c.Data.Clean, nil, nil); err != nil {
		return err
	}
	if e.co, err = e.corruptedRun(c.Data.Corrupt, sh.means); err != nil {
		return err
	}
	for l, co := range e.co.z {
		cut := tensor.New(co.Shape()...)
		tensor.SubTo(cut.Data, co.Data, e.clean.z[l].Data)
		e.cuts = append(e.cuts, cut)
	}
	e.setClean()
	return nil
}

// referenceMeans are the means of every sender over the corrupt prompts, or
// over the clean ones where there are no others.
func (e *Experiment) referenceMeans(c Config) (*means, error) {
	reference := c.Data.Corrupt
	if reference == nil {
		reference = c.Data.Clean
	}
	m := newMeans(e.model.Config, e.t)
	per := c.Slice
	if per < 1 {
		per = len(reference)
	}
	for lo := 0; lo < len(reference); lo += per {
		hi := min(lo+per, len(reference))
		if err := m.add(e.model, reference[lo:hi], e.pad.Part(lo, hi), e.threads); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func checkData(c Config) error {
	if err := c.Data.Check(); err != nil {
		return err
	}
	if err := c.Model.CheckTokens("\"clean\"", c.Data.Clean); err != nil {
		return err
	}
	if c.SplitEmbed && c.Ablation == Resample && c.Data.Pad != nil {
		return fmt.Errorf("token and position embeddings cannot be split: positions of prompts of unequal length cannot be permuted, expected prompts of one length, or ablation zero or mean")
	}
	if c.Data.Corrupt == nil {
		if c.Ablation == Resample {
			return fmt.Errorf("ablation resample: the data have no \"corrupt\": expected prompts of the shape of \"clean\", or ablation zero or mean")
		}
		return nil
	}
	return c.Model.CheckTokens("\"corrupt\"", c.Data.Corrupt)
}

// Graph returns the graph that Bind would patch.
func (c Config) Graph() (*circuit.Graph, error) { return graphOf(c) }

func graphOf(c Config) (*circuit.Graph, error) {
	m := c.Model.Config
	if c.SplitEmbed && m.Positions != transformer.Standard {
		return nil, fmt.Errorf("token and position embeddings cannot be split: the model has positional_embedding_type %q, expected %q", m.Positions, transformer.Standard)
	}
	def := c.Definition
	if def == "" {
		def = circuit.ACDC
	}
	return circuit.New(circuit.Config{Definition: def, Layers: m.Layers, Heads: m.Heads, AttnOnly: m.AttnOnly,
		ParallelAttnMLP: m.ParallelAttnMLP, SplitEmbed: c.SplitEmbed})
}

// permutationOf is where the corrupted run takes its position embeddings from.
func (e *Experiment) permutationOf(c Config) []int {
	if !c.SplitEmbed || c.Ablation != Resample {
		return nil
	}
	if c.Data.PosPermutation != nil {
		return c.Data.PosPermutation
	}
	return rand.New(rand.NewPCG(c.Seed, 0x705)).Perm(e.t)
}

// firstDifference is the first position at which the clean and the corrupted
// run can differ, in any example: under resampling in a causal model the first
// whose tokens do. It is 0 where leaving out the positions before it would save
// less than carrying their keys and values along costs.
func (e *Experiment) firstDifference(d task.Data) int {
	if e.ablation != Resample || e.model.Config.Direction != transformer.Causal || e.permutation != nil {
		return 0
	}
	for p := range e.t {
		for b := range e.b {
			if d.Clean[b][p] == d.Corrupt[b][p] && p < e.t-1 {
				continue
			}
			if p*8 < e.t {
				return 0
			}
			return p
		}
	}
	return 0
}

// gatherColumns gathers the columns of W_U where the metric reads only a few.
func (e *Experiment) gatherColumns() {
	rows := e.metric.Rows()
	n := len(e.metric.Tokens(0))
	if n == 0 {
		return
	}
	width, v := e.model.Config.DModel, e.model.Config.VocabOut
	e.columns, e.columnsB = tensor.New(len(rows)*n, width), make([]float32, len(rows)*n)
	for i := range rows {
		for j, id := range e.metric.Tokens(i) {
			row := e.columns.Row(i*n + j)
			for k := range row {
				row[k] = e.model.Params.Unembed.Data[k*v+id]
			}
			e.columnsB[i*n+j] = e.model.Params.UnembedB[id]
		}
	}
}

// setClean gives the metric the clean run's logits and measures both runs.
func (e *Experiment) setClean() {
	clean := e.outputRows(e.clean.out)
	logits := tensor.New(len(e.flat), e.logitsWidth())
	tensor.Parallel(clean.Rows, e.threads, func(lo, hi int) {
		normed := tensor.New(hi-lo, clean.Cols).Matrix()
		e.model.NormFinal(normed, clean.Slice(lo, hi))
		e.finalLogits(logits.Matrix().Slice(lo, hi), normed, e.all[lo:hi])
	})
	e.metric.SetClean(logits)
	e.cleanRows, e.coRows = e.measure(clean), e.measure(e.outputRows(e.co.out))
}

// outputRows gathers the rows of a final residual stream [B·T,D] that the
// metric reads.
func (e *Experiment) outputRows(out *tensor.Tensor) tensor.Matrix {
	rows := tensor.New(len(e.flat), out.Cols())
	for i, row := range e.flat {
		copy(rows.Row(i), out.Row(row))
	}
	return rows.Matrix()
}

// measure computes the metric's value of each of its rows, from gathered
// residuals.
func (e *Experiment) measure(x tensor.Matrix) []float64 {
	values := make([]float64, x.Rows)
	(&readout{e: e}).measure(x, e.all, values)
	return values
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
	return e.model.Config.FLOP(e.b, e.t, 0) + int64(len(e.flat))*e.logitsFLOP()
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
