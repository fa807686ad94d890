package checkpoint

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Processing says how weights are changed without changing what the model
// computes, as TransformerLens does when it loads a pretrained model
// (HookedTransformer.load_and_process_state_dict). What a sender writes does
// change, and so does zero ablation.
type Processing struct {
	// FoldLN folds the norms' weights into the layers that read them, and takes
	// the mean over D out of these; the norms become LNPre. RMS norms, which do not
	// centre, are folded without that, and become RMSPre.
	FoldLN bool `json:"fold_ln"`
	// CenterWritingWeights takes the mean over D out of all that is written to
	// the residual stream, which no norm sees.
	CenterWritingWeights bool `json:"center_writing_weights"`
	// CenterUnembed takes the mean over the vocabulary out of the unembedding,
	// which no softmax sees.
	CenterUnembed bool `json:"center_unembed"`
	// FoldValueBiases moves the values' biases through W_O into b_O, since
	// attention weights add up to 1.
	FoldValueBiases bool `json:"fold_value_biases"`
}

// step is a step of processing: what of it was done, and the switch for it.
type step struct {
	name string
	done func(*Processing) *bool
	want func(*Switches) **bool
}

// steps lists the steps by TransformerLens' names.
var steps = []step{
	{"fold_ln", func(p *Processing) *bool { return &p.FoldLN }, func(s *Switches) **bool { return &s.FoldLN }},
	{"center_writing_weights", func(p *Processing) *bool { return &p.CenterWritingWeights }, func(s *Switches) **bool { return &s.CenterWritingWeights }},
	{"center_unembed", func(p *Processing) *bool { return &p.CenterUnembed }, func(s *Switches) **bool { return &s.CenterUnembed }},
	{"fold_value_biases", func(p *Processing) *bool { return &p.FoldValueBiases }, func(s *Switches) **bool { return &s.FoldValueBiases }},
}

// Steps lists what is done by TransformerLens' names, empty and not nil if it
// is nothing.
func (p Processing) Steps() []string {
	done := []string{}
	for _, s := range steps {
		if *s.done(&p) {
			done = append(done, s.name)
		}
	}
	return done
}

// String is Steps in one line, or "none".
func (p Processing) String() string {
	if p == (Processing{}) {
		return "none"
	}
	return strings.Join(p.Steps(), ", ")
}

// Switches change a layout's default processing: nil leaves a default.
type Switches struct {
	FoldLN, CenterWritingWeights, CenterUnembed, FoldValueBiases *bool
}

// NoProcessing switches all processing off.
func NoProcessing() Switches {
	off := false
	return Switches{&off, &off, &off, &off}
}

// Step is where the switch of a step is; another name is an error that lists
// the valid ones.
func (s *Switches) Step(name string) (**bool, error) {
	var names []string
	for _, step := range steps {
		if step.name == name {
			return step.want(s), nil
		}
		names = append(names, step.name)
	}
	last := len(names) - 1
	return nil, fmt.Errorf("expected %s or %s, found %s", strings.Join(names[:last], ", "), names[last], oneline.Quote(name))
}

// Over returns the switches, with those of base where they say nothing.
func (s Switches) Over(base Switches) Switches {
	for _, step := range steps {
		if given := *step.want(&s); given != nil {
			*step.want(&base) = given
		}
	}
	return base
}

// defaultProcessing is what TransformerLens does to pretrained models: nothing
// to shortformer ones. A state dict that somebody saved is taken as it is.
func defaultProcessing(layout Layout, c Config) Processing {
	if layout == TransformerLens && !c.Published || c.Positions == transformer.Shortformer {
		return Processing{}
	}
	return Processing{FoldLN: c.Norm.Weighted(), CenterWritingWeights: centres(c), CenterUnembed: c.LogitCap == 0, FoldValueBiases: true}
}

// centres reports whether the mean of what is written to the residual stream is
// seen by nothing.
func centres(c Config) bool { return c.Norm.Centred() && !c.PostNorm }

// LeftOut says which steps of a layout's default processing a model does not allow,
// and why, nothing if it allows all.
func LeftOut(c transformer.Config) (out []string) {
	if c.Norm != transformer.NoNorm && !centres(Config{Config: c}) {
		out = append(out, "center_writing_weights, whose mean RMS norms see")
	}
	if c.LogitCap != 0 {
		out = append(out, "center_unembed, whose mean the soft cap of logits sees")
	}
	return out
}

// of applies the switches to the default of a layout, and refuses what would
// change what a model computes.
func (s Switches) of(layout Layout, c Config) (Processing, error) {
	p := defaultProcessing(layout, c)
	for _, step := range steps {
		if on := *step.want(&s); on != nil {
			*step.done(&p) = *on
		}
	}
	if p.FoldLN && !c.Norm.Weighted() {
		return p, fmt.Errorf("fold_ln: expected a model with LayerNorm weights, or those of RMS norms, found normalization_type %s", choice.Quoted([]transformer.Normalization{c.Norm}))
	}
	if p.CenterWritingWeights && !centres(c) {
		found := "none"
		if c.Norm != transformer.NoNorm {
			found = "RMS norms, which see the mean"
		}
		return p, fmt.Errorf("center_writing_weights: expected a model with LayerNorm, found %s", found)
	}
	if p.CenterUnembed && c.LogitCap != 0 {
		return p, fmt.Errorf("center_unembed: expected logits without a soft cap, which sees their mean, found one of %g", c.LogitCap)
	}
	if c.Positions == transformer.Shortformer && (p.FoldLN || p.CenterWritingWeights || p.CenterUnembed) {
		return p, fmt.Errorf("processing %v: expected none but fold_value_biases, since shortformer positions are added after the norm", p)
	}
	return p, nil
}

// Detached reports whether no weight lies in the source any more, which then
// need not outlive the model: folding and centering have copied all of them.
func (m *Model) Detached() bool { return m.Processing.FoldLN && m.Processing.CenterWritingWeights }

// process changes the weights, in TransformerLens' order, until the context ends.
func (w *draft) process(ctx context.Context, c *Config, p Processing, threads int) {
	if p == (Processing{}) {
		return
	}
	tensor.Parallel(len(w.Blocks), threads, func(lo, hi int) {
		for l := lo; l < hi; l++ {
			w.Blocks[l].process(ctx, c, p)
		}
	})
	if p.CenterWritingWeights {
		w.Embed = centered(ctx, w.Embed, w.owned, threads)
		if w.Pos != nil {
			w.Pos = centered(ctx, w.Pos, w.owned, threads)
		}
	}
	if p.FoldLN || p.CenterUnembed {
		w.UnembedB = append([]float32(nil), w.UnembedB...)
	}
	if p.FoldLN {
		into := target(w.Unembed, w.owned)
		foldNorm(ctx, into.Matrix(), w.Unembed.Matrix(), w.UnembedB, w.LNFW, w.LNFB, threads)
		w.Unembed, w.LNFW, w.LNFB = into, nil, nil
		w.own(into)
		c.Norm = c.Norm.Folded()
	}
	if p.CenterUnembed {
		w.Unembed = centered(ctx, w.Unembed, w.owned, threads)
		centerRow(w.UnembedB, w.UnembedB)
	}
}

// own notes that a tensor may be written to.
func (w *draft) own(t *tensor.Tensor) {
	if w.owned == nil {
		w.owned = map[*tensor.Tensor]bool{}
	}
	w.owned[t] = true
}

// target is where a changed tensor goes: its own place, or another if it lies
// in the source.
func target(t *tensor.Tensor, owned map[*tensor.Tensor]bool) *tensor.Tensor {
	if owned[t] {
		return t
	}
	return tensor.New(t.Shape()...)
}

// centered takes its mean out of each row, the last dimension.
func centered(ctx context.Context, t *tensor.Tensor, owned map[*tensor.Tensor]bool, threads int) *tensor.Tensor {
	into := target(t, owned)
	n := t.Dim(len(t.Shape()) - 1)
	tensor.Parallel(t.Len()/n, threads, func(lo, hi int) {
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			centerRow(into.Data[i*n:(i+1)*n], t.Data[i*n:(i+1)*n])
		}
	})
	return into
}

func (b *blockDraft) process(ctx context.Context, c *Config, p Processing) {
	if p.FoldLN {
		b.foldNorms(ctx, c)
	}
	if p.CenterWritingWeights {
		b.WO, b.BO = centered(ctx, b.WO, b.owned, 1), append([]float32(nil), b.BO...)
		centerRow(b.BO, b.BO)
		if !c.AttnOnly {
			b.WOut, b.BOut = centered(ctx, b.WOut, b.owned, 1), append([]float32(nil), b.BOut...)
			centerRow(b.BOut, b.BOut)
		}
	}
	if p.FoldValueBiases {
		b.foldValueBiases(ctx, c)
	}
}

// foldNorms folds ln1 into queries, keys and values and ln2 into the MLP.
func (b *blockDraft) foldNorms(ctx context.Context, c *Config) {
	d, k := c.DModel, c.DHead
	for side, from := range b.W {
		into := target(from, b.owned)
		b.W[side], b.B[side] = into, append([]float32(nil), b.B[side]...)
		for h := range c.SideHeads(side) {
			at := func(t *tensor.Tensor) tensor.Matrix {
				return tensor.Matrix{Data: t.Data[h*d*k : (h+1)*d*k], Rows: d, Cols: k, Stride: k}
			}
			foldNorm(ctx, at(into), at(from), b.B[side][h*k:(h+1)*k], b.LN1W, b.LN1B, 1)
		}
	}
	b.LN1W, b.LN1B = nil, nil
	if !c.AttnOnly {
		fold := func(w **tensor.Tensor, bias *[]float32) {
			into := target(*w, b.owned)
			*bias = append([]float32(nil), *bias...)
			foldNorm(ctx, into.Matrix(), (*w).Matrix(), *bias, b.LN2W, b.LN2B, 1)
			*w = into
		}
		if fold(&b.WIn, &b.BIn); c.GatedMLP {
			fold(&b.WGate, &b.BGate)
		}
		b.LN2W, b.LN2B = nil, nil
	}
}

// Columns are folded some at a time, so that they stay in the cache, and sums
// over some rows are kept in 32 bits before they are added up in 64.
const (
	foldColumns = 512
	foldRows    = 32
)

// foldNorm folds a norm's weight w and bias beta [D] into the matrix m [D,n]
// and bias [n] that read it: bias += beta m, into = diag(w) m, and of each
// column the mean is taken out, which the norm's centering hides. A norm without
// bias, beta being nil, does not centre: then only into = diag(w) m. into may be m.
func foldNorm(ctx context.Context, into, m tensor.Matrix, bias, w, beta []float32, threads int) {
	blocks := (m.Cols + foldColumns - 1) / foldColumns
	tensor.Parallel(blocks, threads, func(lo, hi int) {
		for from := lo * foldColumns; from < min(hi*foldColumns, m.Cols) && ctx.Err() == nil; from += foldColumns {
			to := min(from+foldColumns, m.Cols)
			foldBlock(into.Columns(from, to), m.Columns(from, to), bias[from:to], w, beta)
		}
	})
}

// foldBlock is foldNorm of at most foldColumns columns.
func foldBlock(into, m tensor.Matrix, bias, w, beta []float32) {
	if beta == nil {
		for d := range m.Rows {
			for j, v := range m.Row(d) {
				into.Row(d)[j] = v * w[d]
			}
		}
		return
	}
	var added, means [foldColumns]float64
	var part [2][foldColumns]float32
	add, mean := part[0][:m.Cols], part[1][:m.Cols]
	for d := range m.Rows {
		x, y, g := m.Row(d), into.Row(d), w[d]
		tensor.Axpy(add, beta[d], x)
		for j, v := range x {
			y[j] = v * g
		}
		tensor.Add(mean, y)
		if (d+1)%foldRows == 0 || d+1 == m.Rows {
			for j := range add {
				added[j] += float64(add[j])
				means[j] += float64(mean[j])
			}
			clear(add)
			clear(mean)
		}
	}
	for j := range mean {
		bias[j] += float32(added[j])
		mean[j] = float32(means[j] / float64(m.Rows))
	}
	for d := range m.Rows {
		tensor.Sub(into.Row(d), mean)
	}
}

// centerRow sets into = row − mean(row). They may be the same.
func centerRow(into, row []float32) {
	var sums [4]float64 // four, so that additions need not wait for each other
	n := len(row) &^ 3
	for i := 0; i < n; i += 4 {
		x := row[i : i+4 : i+4]
		sums[0] += float64(x[0])
		sums[1] += float64(x[1])
		sums[2] += float64(x[2])
		sums[3] += float64(x[3])
	}
	sum := sums[0] + sums[1] + sums[2] + sums[3]
	for _, v := range row[n:] {
		sum += float64(v)
	}
	mean := float32(sum / float64(len(row)))
	into = into[:len(row)]
	for i, v := range row {
		into[i] = v - mean
	}
}

// foldValueBiases sets b_O += Σ_h b_V[h] W_O[h] and b_V = 0.
func (b *blockDraft) foldValueBiases(ctx context.Context, c *Config) {
	sums := make([]float64, c.DModel)
	for h := range c.Heads {
		from, to := c.SideColumns(2, h, len(b.B[2]))
		for i, bias := range b.B[2][from:to] {
			if ctx.Err() != nil {
				return
			}
			row := b.WO.Data[(h*c.DHead+i)*c.DModel : (h*c.DHead+i+1)*c.DModel]
			for d, v := range row {
				sums[d] += float64(bias) * float64(v)
			}
		}
	}
	b.BO, b.B[2] = append([]float32(nil), b.BO...), make([]float32, len(b.B[2]))
	for d, v := range sums {
		b.BO[d] += float32(v)
	}
}
