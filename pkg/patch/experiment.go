package patch

import (
	"context"
	"fmt"
	"iter"
	"slices"

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
	Seed       uint64             // of the permutation of positions, where one is needed and the data give none
	Batch      int                // examples whose activations are held at a time; 0 for all. No result depends on it.
	Constants  *circuit.Constants // of ablation optimal
	Room       Room               // for a batch; no limit if zero. No result depends on it.
	Scratch    string             // a folder for a file of the runs that memory does not hold; "" to make them anew. No result depends on it.
	Threads    int                // goroutines; less than 1 means 1. No result depends on it.
	Later      bool               // Bind makes no run: each is made, and measured, when its batch is first asked for. For those who go through the batches once.
}

// Graph makes the graph that Bind would patch.
func (c Config) Graph() (*circuit.Graph, error) {
	if c.Model == nil {
		panic("patch: a configuration without a model")
	}
	g, err := ablate.GraphConfig(c.Model.Config, c.Definition, c.SplitEmbed)
	if err != nil {
		return nil, err
	}
	return circuit.New(g)
}

// Experiment is a model's clean and corrupted run with a metric. It is
// immutable but for what it holds and has measured; of Batches, only one may be iterated at a
// time where some are not held yet.
type Experiment struct {
	runs      *ablate.Runs
	metric    *metric.Metric // over all examples; it only knows its rows
	rows      [][2]int       // by batch, its rows of the metric
	cleanRows []float64      // the metric of the clean run, row by row
	coRows    []float64      // the metric of the corrupted run
	measured  []bool         // by row of the metric, whether both are known
	held      []*Bound       // the first batches, whose runs stay
	room      Room
	scratch   string
	shelf     *ablate.Shelf // has the runs of the others, if there is a folder for them
}

// Bind checks that model, data and metric fit, makes the clean and the
// corrupted run, batch by batch, and measures them, unless that is left for
// later. Where one batch is all, its activations are kept. Errors name the field
// that does not fit.
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
	runs, err := ablate.Bind(ctx, ablate.Config{Model: c.Model, Graph: g, Data: c.Data, Ablation: c.Ablation, Seed: c.Seed, Batch: c.Batch, Threads: c.Threads, Constants: c.Constants})
	if err != nil {
		return nil, err
	}
	m, err := metric.New(c.Metric, targets(c.Data, c.Model.Config))
	if err != nil {
		return nil, err
	}
	e := &Experiment{runs: runs, metric: m, rows: rowsOf(m, runs), room: c.Room, scratch: c.Scratch}
	e.takeShelf()
	e.unmeasured()
	if c.Later {
		return e, nil
	}
	return e, e.Measure(ctx)
}

// With is the same runs under another metric. Those that e holds are shared, so
// that nothing is run again where e is not in batches.
func (e *Experiment) With(ctx context.Context, name metric.Name) (*Experiment, error) {
	m, err := metric.New(name, targets(e.made().runs.Data(), e.runs.Model().Config))
	if err != nil {
		return nil, err
	}
	in := &Experiment{runs: e.runs, metric: m, rows: rowsOf(m, e.runs), room: e.room, scratch: e.scratch}
	in.takeShelf()
	in.unmeasured()
	for i, part := range e.runs.Parts() {
		at := slices.IndexFunc(e.held, func(b *Bound) bool { return b.Lo == part[0] })
		if at < 0 || in.rows[i][0] == in.rows[i][1] || i >= in.holds() {
			continue
		}
		b, err := in.bound(ctx, i, e.held[at].Batch)
		if err != nil {
			return nil, err
		}
		in.held = append(in.held, b)
	}
	return in, in.Measure(ctx)
}

// unmeasured makes room for the metric of both runs.
func (e *Experiment) unmeasured() {
	n := len(e.metric.Rows())
	e.cleanRows, e.coRows, e.measured = make([]float64, n), make([]float64, n), make([]bool, n)
}

// Measure takes the metric of both runs of the batches that were left for later
// and that nobody has asked for since; else it does nothing.
func (e *Experiment) Measure(ctx context.Context) error {
	for i, part := range e.made().runs.Parts() {
		if rows := e.rows[i]; !slices.Contains(e.measured[rows[0]:rows[1]], false) {
			continue
		}
		if _, err := e.batch(ctx, i, part); err != nil {
			return err
		}
	}
	return nil
}

// keep takes the metric of a batch that was bound for the first time.
func (e *Experiment) keep(b *Bound) {
	for i := b.Rows[0]; i < b.Rows[1]; i++ {
		if !e.measured[i] {
			e.cleanRows[i], e.coRows[i], e.measured[i] = b.CleanRows[i-b.Rows[0]], b.CorruptedRows[i-b.Rows[0]], true
		}
	}
}

// made is the experiment itself; it panics if Bind did not make it.
func (e *Experiment) made() *Experiment {
	if e == nil || e.runs == nil {
		panic("patch: an experiment that Bind did not make")
	}
	return e
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

// Fewer is the same experiment with fewer examples at a time or held, for states
// larger than those reckoned with; nil if no state can be larger. Activations
// that e holds are let go, and made anew when they are needed.
func (e *Experiment) Fewer() *Experiment {
	room, ok := e.made().room.more(e.runs.BatchSize(), e.runs.Examples())
	if !ok {
		return nil
	}
	e.held = nil
	return e.Reckoning(room.Share)
}

// Reckoning is the same experiment with as many examples at a time and held as
// there is room for if the own values of a state take one in share of what they
// take at most.
func (e *Experiment) Reckoning(share int) *Experiment {
	if share < 1 {
		panic(fmt.Sprintf("patch: Reckoning with one in %d", share))
	}
	in := *e.made()
	in.room.Share, in.held = share, nil
	in.runs = e.runs.In(in.room.Batch(e.runs.Examples()))
	in.rows = rowsOf(e.metric, in.runs)
	in.takeShelf()
	return &in
}

// takeShelf makes a new shelf for the runs that are not held, if there are any
// and a folder for them.
func (e *Experiment) takeShelf() {
	if e.shelf != nil {
		e.shelf.Close()
		e.shelf = nil
	}
	parts := e.runs.Parts()
	if others := len(parts) - e.holds(); others > 0 && e.scratch != "" {
		e.shelf = ablate.NewShelf(e.runs, e.scratch, e.runs.Examples()-parts[e.holds()][0])
	}
}

// Share is the share of what a state may take that is reckoned with, as one in
// so many.
func (e *Experiment) Share() int { return e.room.Share }

// MakingFLOP is the work of having a batch once more: nothing if its runs are
// held; the metric's logits of both, and once more of the clean one, if they are
// read from a file; or both runs.
func (e *Experiment) MakingFLOP(b *Bound) int64 {
	e.made()
	b.made()
	switch {
	case slices.Contains(e.held, b):
		return 0
	case e.shelf.Has(b.Batch):
		return 3 * int64(len(b.flat)) * b.LogitsFLOP()
	}
	return 2 * b.ForwardFLOP()
}

// HeldFLOP is the work of making the runs that are held or kept in a file.
func (e *Experiment) HeldFLOP() (flop int64) {
	parts := e.made().runs.Parts()
	if !e.shelf.Open() {
		parts = parts[:e.holds()]
	}
	for i, part := range parts {
		flop += 2 * e.flop(part[1]-part[0], e.rows[i][1]-e.rows[i][0])
	}
	return flop
}

// holds is how many batches are held: as many as there is room for, and one that
// is all.
func (e *Experiment) holds() int {
	return max(e.room.Held(e.runs.BatchSize(), e.runs.Examples()), 2-len(e.rows))
}

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
// does not read. Those that are held are made once.
func (e *Experiment) Batches(ctx context.Context) iter.Seq2[*Bound, error] {
	return func(yield func(*Bound, error) bool) {
		for i, part := range e.made().runs.Parts() {
			if e.rows[i][0] == e.rows[i][1] {
				continue
			}
			b, err := e.batch(ctx, i, part)
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// batch binds a batch, unless it is held.
func (e *Experiment) batch(ctx context.Context, i int, part [2]int) (*Bound, error) {
	for _, b := range e.held {
		if b.Lo == part[0] {
			return b, nil
		}
	}
	b, err := e.bind(ctx, i, part)
	if err == nil && i < e.holds() {
		e.held = append(e.held, b)
	}
	return b, err
}

// bind makes the runs of a batch and measures them.
func (e *Experiment) bind(ctx context.Context, i int, part [2]int) (*Bound, error) {
	b, err := e.run(ctx, i, part)
	if err != nil {
		return nil, err
	}
	return e.bound(ctx, i, b)
}

// bound measures the runs of batch i.
func (e *Experiment) bound(ctx context.Context, i int, b *ablate.Batch) (*Bound, error) {
	bound, err := bindTo(ctx, b, e.metric.Name(), e.rows[i], len(e.metric.Rows()))
	if err != nil {
		return nil, err
	}
	e.keep(bound)
	bound.room = e.room.left(b.Examples(), e.holds(), e.runs.Examples())
	return bound, nil
}

// run makes the runs of a batch, or reads them where they were kept.
func (e *Experiment) run(ctx context.Context, i int, part [2]int) (*ablate.Batch, error) {
	if e.shelf == nil || i < e.holds() {
		return e.runs.Run(ctx, part[0], part[1])
	}
	if b := e.shelf.Get(ctx, e.runs, part[0], part[1]); b != nil {
		return b, nil
	}
	b, err := e.runs.Run(ctx, part[0], part[1])
	if err == nil {
		e.shelf.Put(ctx, b)
	}
	return b, err
}

// InBatches reports whether examples are taken some at a time, or all of them
// anew.
func (e *Experiment) InBatches() bool { return len(e.made().rows) > 1 || len(e.held) == 0 }

// Whole is all examples bound together. It panics if InBatches.
func (e *Experiment) Whole() *Bound {
	if e.InBatches() {
		panic(fmt.Sprintf("patch: Whole: the experiment is taken in %d batches of examples", len(e.rows)))
	}
	return e.held[0]
}

// Runs returns the runs that are measured.
func (e *Experiment) Runs() *ablate.Runs { return e.made().runs }

// Graph returns the graph whose edges are patched.
func (e *Experiment) Graph() *circuit.Graph { return e.made().runs.Graph() }

// Metric returns the metric over all examples.
func (e *Experiment) Metric() *metric.Metric { return e.made().metric }

// LastRead is the last position of an example that the metric reads, or, where it
// reads none, the last.
func (e *Experiment) LastRead(example int) int {
	for _, r := range slices.Backward(e.made().metric.Rows()) {
		if r.Example == example {
			return r.Position
		}
	}
	return e.runs.Positions() - 1
}

// CleanMetric is the metric of the clean run: the full graph. It panics where
// batches that were left for later are still not measured.
func (e *Experiment) CleanMetric() float64 { return e.mean("CleanMetric", e.made().cleanRows) }

// CorruptedMetric is the metric of the corrupted run: the empty graph. It panics
// as CleanMetric does.
func (e *Experiment) CorruptedMetric() float64 { return e.mean("CorruptedMetric", e.made().coRows) }

func (e *Experiment) mean(what string, rows []float64) float64 {
	if slices.Contains(e.measured, false) {
		panic(fmt.Sprintf("patch: %s before Measure, where Bind left the runs for later", what))
	}
	return e.metric.Mean(rows)
}

// ForwardFLOP is the work of one plain forward pass over all examples, with the
// logits that the metric reads.
func (e *Experiment) ForwardFLOP() int64 {
	return e.flop(e.made().runs.Examples(), len(e.metric.Rows()))
}

// flop is that of some examples with some rows of the metric.
func (e *Experiment) flop(examples, rows int) int64 {
	c := e.runs.Model().Config
	return c.FLOP(examples, e.runs.Positions(), 0) + int64(rows)*logitsFLOP(c, e.metric)
}
