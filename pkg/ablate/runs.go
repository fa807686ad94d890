package ablate

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Config says what is to be run.
type Config struct {
	Model    *transformer.Model
	Graph    *circuit.Graph // of the model's shape
	Data     task.Data
	Ablation Ablation
	Seed     uint64 // of the permutation of positions, where one is needed and the data give none
	Batch    int    // examples whose activations are held at a time; 0 for all. No result depends on it.
	Threads  int    // goroutines; less than 1 means 1. No result depends on it.

	Constants *circuit.Constants // of ablation Optimal; none of another
}

// Runs are the clean and the corrupted run of a model on data, of which no more
// than a batch of examples is held at a time. They are immutable; their methods
// may be called from several goroutines.
type Runs struct {
	model       *transformer.Model
	graph       *circuit.Graph
	data        task.Data
	pad         transformer.Padding
	ablation    Ablation
	permutation []int
	replaced    []replacement // what senders are replaced by, unless they are resampled
	senders     []Sender
	batch       int
	threads     int
	first       int // the first position at which the two runs can differ
}

// Bind checks that model, graph and data fit, and takes the means of mean
// ablation. The runs themselves are made batch by batch. Errors name the field
// that does not fit.
func Bind(ctx context.Context, c Config) (*Runs, error) {
	if _, err := Parse(string(c.Ablation)); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	b, t := len(c.Data.Clean), len(c.Data.Clean[0])
	r := &Runs{model: c.Model, graph: c.Graph, data: c.Data, pad: c.Data.Pad, ablation: c.Ablation, threads: max(c.Threads, 1), batch: b}
	if c.Batch > 0 {
		r.batch = min(c.Batch, b)
	}
	for _, n := range c.Graph.Senders() {
		r.senders = append(r.senders, senderOf(n, c.Model.Config))
	}
	r.permutation = r.permutationOf(c.Seed)
	r.first = r.firstDifference()
	switch c.Ablation {
	case Zero:
		r.replaced = newMeans(c.Model.Config, t).replacements()
	case Mean:
		return r, r.takeMeans(ctx)
	case Optimal:
		var err error
		r.replaced, err = constants(c.Model.Config, c.Constants, t)
		return r, err
	}
	return r, nil
}

// check checks that model, graph and data fit.
func (c Config) check() error {
	if c.Model == nil || c.Graph == nil {
		panic("ablate: Bind without a model or a graph")
	}
	if c.Constants != nil && c.Ablation != Optimal {
		return fmt.Errorf("constants: expected ablation %s, found %s", Optimal, c.Ablation)
	}
	if err := c.Data.Check(); err != nil {
		return err
	}
	if err := c.Model.CheckTokens("\"clean\"", c.Data.Clean); err != nil {
		return err
	}
	if want, err := GraphConfig(c.Model.Config, c.Graph.Config().Definition, c.Graph.Config().SplitEmbed); err != nil || want != c.Graph.Config() {
		if err == nil {
			err = fmt.Errorf("graph: expected that of the model, %v, found %v", want, c.Graph.Config())
		}
		return err
	}
	if c.Graph.Spans() != 1 {
		return fmt.Errorf("graph over %d spans of positions: expected one", c.Graph.Spans())
	}
	if c.Graph.Config().SplitEmbed && c.Ablation == Resample && c.Data.Pad != nil {
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

// GraphConfig is the configuration of a model's graph. An empty definition is
// ACDC's.
func GraphConfig(m transformer.Config, d circuit.Definition, splitEmbed bool) (circuit.Config, error) {
	if splitEmbed && m.Positions != transformer.Standard {
		return circuit.Config{}, fmt.Errorf("token and position embeddings cannot be split: the model has positional_embedding_type %q, expected %q", m.Positions, transformer.Standard)
	}
	if d == "" {
		d = circuit.ACDC
	}
	return circuit.Config{Definition: d, Layers: m.Layers, Heads: m.Heads, AttnOnly: m.AttnOnly,
		ParallelAttnMLP: m.ParallelAttnMLP, SplitEmbed: splitEmbed}, nil
}

// takeMeans takes the means of every sender over the corrupt prompts, or over
// the clean ones where there are no others.
func (r *Runs) takeMeans(ctx context.Context) error {
	reference := r.data.Corrupt
	if reference == nil {
		reference = r.data.Clean
	}
	m := newMeans(r.model.Config, r.Positions())
	for lo := 0; lo < len(reference); lo += r.batch {
		hi := min(lo+r.batch, len(reference))
		if err := m.add(ctx, r.model, reference[lo:hi], r.pad.Part(lo, hi), r.threads); err != nil {
			return err
		}
	}
	r.replaced = m.replacements()
	return nil
}

// permutationOf is where the corrupted run takes its position embeddings from.
func (r *Runs) permutationOf(seed uint64) []int {
	if !r.split() || r.ablation != Resample {
		return nil
	}
	if r.data.PosPermutation != nil {
		return r.data.PosPermutation
	}
	return rand.New(rand.NewPCG(seed, 0x705)).Perm(r.Positions())
}

// firstDifference is the first position at which the clean and the corrupted
// run can differ, in any example: under resampling in a causal model the first
// whose tokens do. It is 0 where leaving out the positions before it would save
// less than carrying their keys and values along costs.
func (r *Runs) firstDifference() int {
	if r.ablation != Resample || r.model.Config.Direction != transformer.Causal || r.permutation != nil {
		return 0
	}
	last := r.Positions() - 1
	for p := range last {
		for b := range r.data.Clean {
			if r.data.Clean[b][p] != r.data.Corrupt[b][p] {
				return atLeastAnEighth(p, last+1)
			}
		}
	}
	return atLeastAnEighth(last, last+1)
}

// atLeastAnEighth is p of t, or 0 where that is less than an eighth.
func atLeastAnEighth(p, t int) int {
	if p*8 < t {
		return 0
	}
	return p
}

// split reports whether token and position embeddings are two senders.
func (r *Runs) split() bool { return r.graph.Config().SplitEmbed }

// made is the runs themselves; it panics if Bind did not make them.
func (r *Runs) made() *Runs {
	if r == nil || r.model == nil {
		panic("ablate: runs that Bind did not make")
	}
	return r
}

// Model returns the model.
func (r *Runs) Model() *transformer.Model { return r.made().model }

// Graph returns the graph whose edges are patched.
func (r *Runs) Graph() *circuit.Graph { return r.made().graph }

// Data returns the data.
func (r *Runs) Data() task.Data { return r.made().data }

// Ablation returns what the corrupted run is.
func (r *Runs) Ablation() Ablation { return r.made().ablation }

// Examples is the number of examples.
func (r *Runs) Examples() int { return len(r.made().data.Clean) }

// Positions is the number of positions of an example.
func (r *Runs) Positions() int { return len(r.made().data.Clean[0]) }

// BatchSize is how many examples are held at a time.
func (r *Runs) BatchSize() int { return r.made().batch }

// Threads is how many goroutines to use.
func (r *Runs) Threads() int { return r.made().threads }

// Senders say where the values of the graph's senders lie, by number. The
// caller must not change it.
func (r *Runs) Senders() []Sender { return r.made().senders }

// PosPermutation returns where the corrupted run takes its position embeddings
// from, or nil if it does not permute them.
func (r *Runs) PosPermutation() []int { return r.made().permutation }

// FirstDifference is the first position whose values can differ between the
// two runs.
func (r *Runs) FirstDifference() int { return r.made().first }

// Batch is some of the examples with their two runs.
type Batch struct {
	Runs      *Runs
	Lo, Hi    int // examples
	Tokens    [][]int
	Pad       transformer.Padding
	Clean     *transformer.Activations
	Corrupted *transformer.Activations
	cuts      []*tensor.Tensor    // by layer, corrupted z − clean z [B·T,H·K]
	sums      [2][]*tensor.Tensor // by layer, of the corrupted run, what the norm behind attention reads and gives [B·T,D]; none without
}

// In is the same runs with another number of examples held at a time.
func (r *Runs) In(batch int) *Runs {
	in := *r.made()
	in.batch = max(1, min(batch, r.Examples()))
	return &in
}

// Batches makes the two runs of one batch of examples after the other. What is
// handed out is not kept: an iteration holds one batch at a time, unless its
// caller keeps them.
func (r *Runs) Batches(ctx context.Context) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for _, part := range r.Parts() {
			b, err := r.Run(ctx, part[0], part[1])
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// Parts lists the batches, each as its first example and the one behind its
// last.
func (r *Runs) Parts() [][2]int {
	var out [][2]int
	for lo := 0; lo < r.Examples(); lo += r.batch {
		out = append(out, [2]int{lo, min(lo+r.batch, r.Examples())})
	}
	return out
}

// Run makes the two runs of the examples [lo,hi).
func (r *Runs) Run(ctx context.Context, lo, hi int) (*Batch, error) {
	if lo < 0 || lo >= hi || hi > r.Examples() {
		panic(fmt.Sprintf("ablate: Run of examples [%d,%d) of %d", lo, hi, r.Examples()))
	}
	b := r.batchOf(lo, hi)
	var err error
	if b.Clean, err = r.record(ctx, b.Tokens, lo, hi, nil); err != nil {
		return nil, err
	}
	if b.Corrupted, err = r.corruptedRun(ctx, lo, hi); err != nil {
		return nil, err
	}
	b.takeCuts()
	return b, nil
}

// batchOf is a batch without its runs.
func (r *Runs) batchOf(lo, hi int) *Batch {
	return &Batch{Runs: r, Lo: lo, Hi: hi, Tokens: r.data.Clean[lo:hi], Pad: r.pad.Part(lo, hi)}
}

// takeCuts takes the differences of the two runs' z.
func (b *Batch) takeCuts() {
	for l := range b.Clean.Layers {
		co := b.Corrupted.Layers[l].Z
		cut := tensor.New(co.Shape()...)
		clean := b.Clean.Layers[l].Z
		tensor.Parallel(cut.Len(), b.Runs.threads, func(lo, hi int) { tensor.SubTo(cut.Data[lo:hi], co.Data[lo:hi], clean.Data[lo:hi]) })
		b.cuts = append(b.cuts, cut)
	}
	m := b.Runs.model
	if !m.Config.PostNorm {
		return
	}
	for l := range b.Corrupted.Layers {
		z := b.Corrupted.Layers[l].Z
		sum, out := tensor.New(z.Rows(), m.Config.DModel), tensor.New(z.Rows(), m.Config.DModel)
		tensor.Parallel(z.Rows(), b.Runs.threads, func(lo, hi int) {
			m.AttnSum(l, sum.Matrix().Slice(lo, hi), z.Matrix().Slice(lo, hi))
			copy(out.Data[lo*out.Cols():hi*out.Cols()], sum.Data[lo*out.Cols():hi*out.Cols()])
			m.AttnPost(l, out.Matrix().Slice(lo, hi))
		})
		b.sums[0], b.sums[1] = append(b.sums[0], sum), append(b.sums[1], out)
	}
}

// AttnSum is, in the corrupted run of a model with norms behind attention, the sum
// of a layer's heads' outputs and b_O, which the norm reads, and what it gives, each
// [B·T,D].
func (b *Batch) AttnSum(layer int) (sum, out tensor.Matrix) {
	if b.made(); layer < 0 || layer >= len(b.sums[0]) {
		panic(fmt.Sprintf("ablate: AttnSum of layer %d of %d that have a norm behind attention", layer, len(b.sums[0])))
	}
	return b.sums[0][layer].Matrix(), b.sums[1][layer].Matrix()
}

// Part is the batch's examples [lo,hi), in the same memory.
func (b *Batch) Part(lo, hi int) *Batch {
	if b.made(); lo < 0 || lo >= hi || hi > len(b.Tokens) {
		panic(fmt.Sprintf("ablate: Part of examples [%d,%d) of %d", lo, hi, len(b.Tokens)))
	}
	c, t := b.Runs.model.Config, b.Runs.Positions()
	out := &Batch{Runs: b.Runs, Lo: b.Lo + lo, Hi: b.Lo + hi, Tokens: b.Tokens[lo:hi], Pad: b.Pad.Part(lo, hi),
		Clean: b.Clean.Slice(c, lo*t, hi*t), Corrupted: b.Corrupted.Slice(c, lo*t, hi*t)}
	for _, cut := range b.cuts {
		out.cuts = append(out.cuts, cut.Slice(lo*t, hi*t))
	}
	for i, all := range b.sums {
		for _, x := range all {
			out.sums[i] = append(out.sums[i], x.Slice(lo*t, hi*t))
		}
	}
	return out
}

// made is the batch itself; it panics if no runs made it.
func (b *Batch) made() *Batch {
	if b == nil || b.Clean == nil || b.Corrupted == nil {
		panic("ablate: a batch that no Runs made")
	}
	return b
}

// Examples is the number of examples of the batch.
func (b *Batch) Examples() int { return b.made().Hi - b.Lo }

// Rows is the number of rows of its activations.
func (b *Batch) Rows() int { return b.Examples() * b.Runs.Positions() }

// Cut is what cutting a head's edge adds to a residual stream, in the head's
// own space, as long as the head sends its clean values: its corrupted z less
// its clean one [B·T,K].
func (b *Batch) Cut(s Sender) tensor.Matrix {
	if b.made(); !s.IsHead || s.Layer < 0 || s.Layer >= len(b.cuts) {
		panic(fmt.Sprintf("ablate: Cut of a sender of layer %d that is no head of the batch's model of %d layers", s.Layer, len(b.cuts)))
	}
	return s.of(b.cuts[s.Layer])
}

// Floats is how many numbers a batch keeps of one position.
func Floats(c transformer.Config, splitEmbed bool) int64 {
	n := 2*transformer.ActivationFloats(c, splitEmbed) + int64(c.Layers*c.Heads*c.DHead)
	if c.PostNorm {
		n += int64(2 * c.Layers * c.DModel)
	}
	return n
}
