package patch

import (
	"context"
	"fmt"
	"iter"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Config says what is to be bound together.
type Config struct {
	Model      *transformer.Model
	Definition circuit.Definition // ACDC if empty
	SplitEmbed bool               // token and position embeddings are two senders
	Data       task.Data
	Metric     metric.Name
	Ablation   ablate.Ablation
	Seed       uint64 // of the permutation of positions, where one is needed and the data give none
	Batch      int    // examples whose activations are held at a time; 0 for all. No result depends on it.
	Room       Room   // for a batch; no limit if zero. No result depends on it.
	Threads    int    // goroutines; less than 1 means 1. No result depends on it.
}

// Room is the memory that a batch may take, with what is computed on it.
type Room struct {
	Bytes      int64
	PerExample int64 // of these, what an example takes beside a state's own values
	State      int64 // and what these take at most
}

// Left is what a batch leaves for a state's own values, -1 if there is no limit.
func (r Room) Left(examples int) int64 {
	if r.Bytes == 0 {
		return -1
	}
	return max(0, r.Bytes-int64(examples)*r.PerExample)
}

// Safe is the number of examples at a time that no state can outgrow.
func (r Room) Safe() int { return int(max(1, r.Bytes/max(1, r.PerExample+r.State))) }

// Graph makes the graph that Bind would patch.
func (c Config) Graph() (*circuit.Graph, error) {
	g, err := ablate.GraphConfig(c.Model.Config, c.Definition, c.SplitEmbed)
	if err != nil {
		return nil, err
	}
	return circuit.New(g)
}

// Experiment is a model's clean and corrupted run with a metric. It is
// immutable but for Fewer; its other methods may be called from several
// goroutines.
type Experiment struct {
	runs      *ablate.Runs
	metric    *metric.Metric // over all examples; it only knows its rows
	rows      [][2]int       // by batch, its rows of the metric
	cleanRows []float64      // the metric of the clean run, row by row
	coRows    []float64      // the metric of the corrupted run
	whole     *Bound         // where there is only one batch
	room      Room
}

// Bind checks that model, data and metric fit, makes the clean and the
// corrupted run, batch by batch, and measures them. Where one batch is all, its
// activations are kept. Errors name the field that does not fit.
func Bind(ctx context.Context, c Config) (*Experiment, error) {
	if _, err := ablate.Parse(string(c.Ablation)); err != nil {
		return nil, err
	}
	if err := c.Data.Check(); err != nil {
		return nil, err
	}
	g, err := c.Graph()
	if err != nil {
		return nil, err
	}
	runs, err := ablate.Bind(ctx, ablate.Config{Model: c.Model, Graph: g, Data: c.Data, Ablation: c.Ablation, Seed: c.Seed, Batch: c.Batch, Threads: c.Threads})
	if err != nil {
		return nil, err
	}
	m, err := metric.New(c.Metric, targets(c.Data, c.Model.Config))
	if err != nil {
		return nil, err
	}
	e := &Experiment{runs: runs, metric: m, rows: rowsOf(m, runs), room: c.Room}
	e.cleanRows, e.coRows = make([]float64, len(m.Rows())), make([]float64, len(m.Rows()))
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		copy(e.cleanRows[b.Rows[0]:b.Rows[1]], b.CleanRows)
		copy(e.coRows[b.Rows[0]:b.Rows[1]], b.CorruptedRows)
		if len(e.rows) == 1 {
			e.whole = b
		}
	}
	return e, nil
}

// rowsOf lists by batch the rows of the metric.
func rowsOf(m *metric.Metric, runs *ablate.Runs) (out [][2]int) {
	at := 0
	for _, part := range runs.Parts() {
		n := 0
		for at+n < len(m.Rows()) && m.Rows()[at+n].Example < part[1] {
			n++
		}
		out = append(out, [2]int{at, at + n})
		at += n
	}
	return out
}

// Fewer is the same experiment with about half as many examples at a time, but
// no fewer than no state can outgrow; nil where one is taken at a time already.
// Activations that e holds are let go, and made anew when they are needed.
func (e *Experiment) Fewer() *Experiment {
	e.whole = nil
	batch := e.runs.BatchSize()
	if batch == 1 {
		return nil
	}
	fewer := batch / 2
	if safe := e.room.Safe(); safe < batch {
		fewer = max(fewer, safe)
	}
	return e.In(fewer)
}

// In is the same experiment with a number of examples at a time.
func (e *Experiment) In(batch int) *Experiment {
	in := *e
	in.runs, in.whole = e.runs.In(batch), nil
	in.rows = rowsOf(e.metric, in.runs)
	return &in
}

// BatchSize is how many examples are taken at a time.
func (e *Experiment) BatchSize() int { return e.runs.BatchSize() }

// targets is what a metric needs to know of the data.
func targets(d task.Data, c transformer.Config) metric.Targets {
	return metric.Targets{Clean: d.Clean, Mask: d.Mask, Correct: d.Correct, Wrong: d.Wrong, Labels: d.Labels, Pad: d.Pad, Vocab: c.VocabOut}
}

// Allows reports why the data do not allow a metric, nil if they do.
func Allows(name metric.Name, d task.Data, c transformer.Config) error {
	_, err := metric.New(name, targets(d, c))
	return err
}

// Batches binds one batch after the other, leaving out those that the metric
// does not read. Where one batch is all, it is made once.
func (e *Experiment) Batches(ctx context.Context) iter.Seq2[*Bound, error] {
	return func(yield func(*Bound, error) bool) {
		if e.whole != nil {
			yield(e.whole, nil)
			return
		}
		for i, part := range e.runs.Parts() {
			if e.rows[i][0] == e.rows[i][1] {
				continue
			}
			b, err := e.bind(ctx, i, part)
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// bind makes the runs of a batch and measures them.
func (e *Experiment) bind(ctx context.Context, i int, part [2]int) (*Bound, error) {
	b, err := e.runs.Run(ctx, part[0], part[1])
	if err != nil {
		return nil, err
	}
	d := e.runs.Data().Part(part[0], part[1])
	m, err := metric.New(e.metric.Name(), targets(d, e.runs.Model().Config))
	if err != nil {
		return nil, err
	}
	bound, err := newBound(ctx, b, m, e.rows[i], len(e.metric.Rows()))
	if err != nil {
		return nil, err
	}
	bound.room = e.room.Left(part[1] - part[0])
	return bound, nil
}

// InBatches reports whether examples are taken some at a time, or all of them
// anew.
func (e *Experiment) InBatches() bool { return e.whole == nil }

// Whole is all examples bound together. It panics if InBatches.
func (e *Experiment) Whole() *Bound {
	if e.whole == nil {
		panic(fmt.Sprintf("patch: Whole: the experiment is taken in %d batches of examples", len(e.rows)))
	}
	return e.whole
}

// Runs returns the runs that are measured.
func (e *Experiment) Runs() *ablate.Runs { return e.runs }

// Graph returns the graph whose edges are patched.
func (e *Experiment) Graph() *circuit.Graph { return e.runs.Graph() }

// Metric returns the metric over all examples.
func (e *Experiment) Metric() *metric.Metric { return e.metric }

// CleanMetric is the metric of the clean run: the full graph.
func (e *Experiment) CleanMetric() float64 { return e.metric.Mean(e.cleanRows) }

// CorruptedMetric is the metric of the corrupted run: the empty graph.
func (e *Experiment) CorruptedMetric() float64 { return e.metric.Mean(e.coRows) }

// ForwardFLOP is the work of one plain forward pass over all examples, with the
// logits that the metric reads.
func (e *Experiment) ForwardFLOP() int64 {
	c := e.runs.Model().Config
	return c.FLOP(e.runs.Examples(), e.runs.Positions(), 0) + int64(len(e.metric.Rows()))*logitsFLOP(c, e.metric)
}
