package pagedata

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// What a page has of a model.
const (
	MostBytes    = 1_400_000 // of a page with patterns
	mostExamples = 1000      // whose metric is listed
	mostPrompts  = 24        // whose predictions are
	mostTokens   = 3000      // of these prompts together
	top          = 10        // predictions of a run
)

// Runs adds to a page what the model does on the experiment's prompts: whole,
// with the mask's edges, and with none. tok may be nil, where tokens have no
// texts.
func Runs(ctx context.Context, d *page.Data, e *patch.Experiment, mask circuit.Mask, tok task.Tokenizer) error {
	r := &page.Runs{Metric: string(e.Metric().Name()), Total: e.Runs().Examples(), Heads: headsOf(d)}
	w := &watch{d: d, e: e, mask: mask, tok: tok, out: r, heads: r.Heads, data: e.Runs().Data()}
	r.Answer = w.answerText()
	var values [3][]float64
	for i := range values {
		values[i] = make([]float64, len(e.Metric().Rows()))
	}
	isFirst := true
	for b, err := range e.Batches(ctx) {
		if err != nil {
			return err
		}
		own, err := b.Plain(ctx, mask.Gates())
		if err != nil {
			return err
		}
		copy(values[page.RunFull][b.Rows[0]:], b.CleanRows)
		copy(values[page.RunCircuit][b.Rows[0]:], own)
		copy(values[page.RunCorrupted][b.Rows[0]:], b.CorruptedRows)
		if isFirst {
			if err := w.watch(ctx, b); err != nil {
				return err
			}
		}
		isFirst = false
	}
	for i := range values {
		values[i] = e.Metric().PerExample(values[i], r.Total)
	}
	for k := range min(r.Total, mostExamples) {
		var x page.Example
		for i := range values {
			x.Metric[i] = jsonfile.Finite(values[i][k])
		}
		r.Examples = append(r.Examples, x)
	}
	d.Runs = r
	return nil
}

// mostHeads is up to how many heads all of them are shown, those that are not in
// the circuit too.
const mostHeads = 64

// headsOf lists the heads that are watched, as nodes of the page.
func headsOf(d *page.Data) (out []int) {
	all := d.Graph.Layers*d.Graph.Heads <= mostHeads || d.Live != nil
	for i, n := range d.Nodes {
		if n.Kind == circuit.Head && (n.In || all) {
			out = append(out, i)
		}
	}
	return out
}

// watch is what is seen of the first prompts.
type watch struct {
	d     *page.Data
	e     *patch.Experiment
	mask  circuit.Mask
	tok   task.Tokenizer
	out   *page.Runs
	heads []int // nodes
	data  task.Data
}

// seen is a run's activations that are looked at.
type seen struct {
	out      tensor.Matrix   // residual stream at the answers [n,D]
	z        []tensor.Matrix // by layer, heads' values there [n,H·K]
	patterns [][]byte        // by prompt
}

// watch runs the first prompts of a batch.
func (w *watch) watch(ctx context.Context, b *patch.Bound) error {
	n, tokens := 0, 0
	for n < min(b.Examples(), mostPrompts) && (n == 0 || tokens+w.e.Runs().Positions() <= mostTokens) {
		n, tokens = n+1, tokens+w.e.Runs().Positions()
	}
	batch := b.Batch.Part(0, n)
	w.out.Prompts = make([]page.Prompt, n)
	for i := range n {
		w.out.Prompts[i] = w.prompt(b.Lo + i)
	}
	view := w.view(n)
	g := w.e.Graph()
	var runs [3]seen
	for run, mask := range [3]circuit.Mask{g.Full(), w.mask, g.Empty()} {
		s := &runs[run]
		hooks := w.hooks(s, n, view)
		if _, err := patch.Pass(ctx, batch, mask.Gates(), transformer.Options{Hooks: hooks, NoLogits: true}); err != nil {
			return err
		}
		w.predict(run, s)
	}
	for i := range n { // after the full model has said what it predicts
		for run := range runs {
			w.contribute(run, i, &runs[run])
		}
	}
	view.pack(runs)
	w.out.Patterns = view.patterns()
	return nil
}

// prompt is a pair of prompts.
func (w *watch) prompt(i int) page.Prompt {
	shown := study.PairOf(w.data, w.tok, i)
	list := func(s *study.Spelled) (out []page.Token) {
		if s == nil {
			return nil
		}
		for k, id := range s.IDs {
			text := fmt.Sprint(id)
			if s.Texts != nil {
				text = s.Texts[k]
			}
			out = append(out, page.Token{ID: id, Text: text})
		}
		return out
	}
	return page.Prompt{Clean: list(&shown.Clean), Corrupt: list(shown.Corrupt), Differ: shown.Differ, Counted: shown.Counted,
		Right: list(shown.Correct), Wrong: list(shown.Wrong), At: w.e.LastRead(i) - shown.Padding}
}

// hooks keep what is looked at of n prompts.
func (w *watch) hooks(s *seen, n int, view *view) []transformer.Hook {
	c := w.e.Runs().Model().Config
	t := w.e.Runs().Positions()
	answers := func(x *tensor.Tensor) tensor.Matrix {
		all := x.Reshape(n*t, x.Len()/(n*t)).Matrix()
		rows := tensor.New(n, all.Cols).Matrix()
		for i := range n {
			copy(rows.Row(i), all.Row(i*t+w.e.LastRead(i)))
		}
		return rows
	}
	s.z = make([]tensor.Matrix, c.Layers)
	var hooks []transformer.Hook
	at := func(point transformer.Point, layer int, do func(*tensor.Tensor)) {
		hooks = append(hooks, transformer.Hook{At: transformer.HookPoint{Point: point, Layer: layer}, Do: do})
	}
	s.patterns = make([][]byte, len(view.from))
	for l := range c.Layers {
		at(transformer.HookZ, l, func(x *tensor.Tensor) { s.z[l] = answers(x) })
		at(transformer.HookPattern, l, func(x *tensor.Tensor) { view.keep(s, l, x) })
	}
	at(transformer.HookResidPost, c.Layers-1, func(x *tensor.Tensor) { s.out = answers(x) })
	return hooks
}

// predict lists what a run predicts behind each prompt.
func (w *watch) predict(run int, s *seen) {
	m := w.e.Runs().Model()
	normed, logits := tensor.New(s.out.Rows, s.out.Cols).Matrix(), tensor.New(s.out.Rows, m.Config.VocabOut).Matrix()
	m.NormFinal(normed, s.out)
	m.Unembed(logits, normed)
	for i := range logits.Rows {
		list, err := study.Likeliest("of the page", logits.Row(i), top, w.tok)
		if err != nil {
			continue // of a model without norms, whose numbers grew beyond measure
		}
		for _, p := range list {
			w.out.Prompts[i].Predictions[run] = append(w.out.Prompts[i].Predictions[run], page.Prediction{Token: page.Token{ID: p.ID, Text: p.Text}, Probability: p.Probability, Logit: p.Logit})
		}
	}
}
