package pagedata

import (
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// answerText says what contributions are to.
func (w *watch) answerText() string {
	what := "the logit of the full model's likeliest token"
	switch {
	case w.data.Correct != nil && w.data.Wrong != nil:
		what = "the mean logit of the right answers, less that of the wrong ones"
	case w.data.Correct != nil:
		what = "the mean logit of the right answers"
	case w.data.Labels != nil:
		what = "the logit of the token that should come next"
	}
	return "What the head's output, as it is in each run, adds by itself to " + what +
		", the final norm's scale held as it is: along the edge to the output, whether that is present or not."
}

// answer is what is asked of a prompt's logits: their weighted sum.
func (w *watch) answer(i int) map[int]float32 {
	out := map[int]float32{}
	add := func(ids []int, sign float32) {
		for _, id := range ids {
			out[id] += sign / float32(len(ids))
		}
	}
	switch {
	case w.data.Correct != nil:
		add(w.data.Correct[i], 1)
		if w.data.Wrong != nil {
			add(w.data.Wrong[i], -1)
		}
	case w.data.Labels != nil:
		add(w.data.Labels[i][w.e.LastRead(i):][:1], 1)
	case len(w.out.Prompts[i].Predictions[page.RunFull]) > 0:
		out[w.out.Prompts[i].Predictions[page.RunFull][0].ID] = 1
	}
	return out
}

// contribute lists what each head adds to a prompt's answer in a run: with y the
// gradient of the answer with respect to the final residual stream, 1/σ of the
// norm held fixed, and z the head's values there, y · z W_O.
func (w *watch) contribute(run, i int, s *seen) {
	m := w.e.Runs().Model()
	v := m.Config.VocabOut
	y := tensor.New(1, m.Config.DModel).Matrix()
	for id, weight := range w.answer(i) {
		for k := range m.Config.DModel {
			y.Row(0)[k] += weight * m.Params.Unembed.Data[k*v+id]
		}
	}
	std := m.NewStandardized(1)
	m.Standardize(std, s.out.Slice(i, i+1))
	m.NormFinalBackward(y, y, std, transformer.Rules{FixedNorm: true})
	out := tensor.New(1, m.Config.DModel).Matrix()
	list := make([]float32, len(w.heads))
	for j, node := range w.heads {
		n := w.d.Nodes[node]
		clear(out.Row(0))
		m.AddHeadOut(n.Layer, n.Head, out, s.z[n.Layer].Slice(i, i+1).Columns(n.Head*m.Config.DHead, (n.Head+1)*m.Config.DHead))
		sum := float32(0)
		for k, x := range out.Row(0) {
			sum += x * y.Row(0)[k]
		}
		if sum-sum == 0 {
			list[j] = sum
		}
	}
	w.out.Prompts[i].Direct[run] = list
}
