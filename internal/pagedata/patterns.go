package pagedata

import (
	"encoding/base64"
	"encoding/json"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// The patterns of a page.
const (
	mostPatternBytes = 400_000 // before they are base64
	mostWindow       = 48      // positions
	leastWindow      = 6
	ownBytes         = 160_000 // a page without data
)

// view says of which prompts patterns are kept, and which positions of them.
type view struct {
	w      *watch
	from   []int // by prompt, with padding
	pad    []int
	size   []int
	causal bool
	packed []byte
}

// view fits patterns into what room the page has.
func (w *watch) view(n int) *view {
	c := w.e.Runs().Model().Config
	v := &view{w: w, causal: c.Direction == transformer.Causal}
	used := 0
	if text, err := json.Marshal(w.d); err == nil {
		used = len(text)
	}
	room := min(mostPatternBytes, (MostBytes-ownBytes-used-n*2500-2*mostTokens*24)*3/4)
	window := min(w.e.Runs().Positions(), mostWindow)
	bytes := func(size int) int {
		cells := size * size
		if v.causal {
			cells = size * (size + 1) / 2
		}
		return 2 * 3 * len(w.heads) * cells
	}
	for window > leastWindow && bytes(window) > room {
		window--
	}
	if len(w.heads) == 0 || bytes(window) > room {
		w.d.Lacks = append(w.d.Lacks, "Attention patterns: the circuit's heads are too many for a page that can be mailed.")
		return v
	}
	for i := range min(n, room/bytes(window)) {
		pad := study.Padding(w.data, i)
		size := min(window, w.e.Runs().Positions()-pad)
		v.pad, v.size = append(v.pad, pad), append(v.size, size)
		v.from = append(v.from, max(pad, min(w.e.LastRead(i)+1, w.e.Runs().Positions())-size))
	}
	return v
}

// keep keeps the patterns [n,H,T,T] of a layer's heads.
func (v *view) keep(s *seen, layer int, x *tensor.Tensor) {
	h, t := x.Dim(1), x.Dim(2)
	for i, from := range v.from {
		for _, node := range v.w.heads {
			n := v.w.d.Nodes[node]
			if n.Layer != layer {
				continue
			}
			for row := range v.size[i] {
				at := ((i*h+n.Head)*t+from+row)*t + from
				last := v.size[i]
				if v.causal {
					last = row + 1
				}
				s.patterns[i] = page.AppendWeights(s.patterns[i], x.Data[at:at+last])
			}
		}
	}
}

// pack joins the patterns of three runs, prompt by prompt.
func (v *view) pack(runs [3]seen) {
	for i := range v.from {
		for _, s := range runs {
			v.packed = append(v.packed, s.patterns[i]...)
		}
	}
}

// patterns are what a page has of them, nil for none.
func (v *view) patterns() *page.Patterns {
	if len(v.from) == 0 {
		return nil
	}
	p := &page.Patterns{Heads: v.w.heads, Causal: v.causal, Size: v.size, Weights: base64.StdEncoding.EncodeToString(v.packed)}
	for i, from := range v.from {
		p.From = append(p.From, from-v.pad[i])
	}
	return p
}
