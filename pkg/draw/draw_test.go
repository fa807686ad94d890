package draw

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// small is a graph with the named edges, each with the score given.
func small(t testing.TB, cfg circuit.Config, edges map[string]float64) sample {
	t.Helper()
	g, err := circuit.New(cfg)
	require.NoError(t, err)
	sm := sample{g: g, m: g.Empty(), s: make(circuit.Scores, g.NumEdges())}
	for name, score := range edges {
		i, err := g.ParseEdge(name)
		require.NoError(t, err)
		sm.m[i], sm.s[i] = true, score
	}
	return sm
}

var twoLayers = circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 7}

func TestGolden(t *testing.T) {
	eap := small(t, circuit.Config{Definition: circuit.EAP, Layers: 2, Heads: 2, SplitEmbed: true, ParallelAttnMLP: true}, map[string]float64{
		"embed->a0.h1<k>": 0.5, "pos_embed->a0.h1<q>": -0.25, "a0.h1->m1": 0.1, "a0.h1->a1.h0<v>": math.NaN(),
		"a1.h0->logits": 1, "m1->logits": 2, "embed->m0": -0.02, "m0->logits": 0.4,
	})
	eap.c = Caption{Title: "a title", Lines: []string{"a line"}}
	roles := map[circuit.Node]Group{
		{Kind: circuit.Head, Layer: 0, Head: 1}: {Name: "previous token"},
		{Kind: circuit.Head, Layer: 1, Head: 0}: {Name: "induction", Color: "#ffffaa"},
	}
	idle := small(t, twoLayers, map[string]float64{"input->a0.h4<v>": 2, "a0.h4<v>": 2, "a0.h4->logits": 1, "m0->a1.h2<k>": 9, "a1.h2<k>": 9,
		"a1.h2->logits": -0.5, "input->a1.h3<q>": 3})
	empty := load(t, "induction-9.json")
	empty.m, empty.s = empty.g.Empty(), nil
	for name, got := range map[string][]byte{
		"idle":              dot(t, idle, Options{Idle: idle.g.Idle(idle.m, true)}),
		"idle-all":          dot(t, idle, Options{Idle: idle.g.Idle(idle.m, true), Direct: true}),
		"empty":             dot(t, empty, Options{}),
		"induction-9":       dot(t, load(t, "induction-9.json"), Options{}),
		"induction-9-all":   dot(t, load(t, "induction-9.json"), Options{Direct: true}),
		"induction-60":      dot(t, load(t, "induction-60.json"), Options{}),
		"signs-62":          dot(t, load(t, "signs-62.json"), Options{Color: BySign}),
		"eap-split":         dot(t, eap, Options{}),
		"eap-split-all":     dot(t, eap, Options{Direct: true}),
		"parts":             dot(t, eap, Options{Parts: halves(eap, "both", "only a.json", "only b.json"), Color: BySign}),
		"eap-split-grouped": dot(t, eap, Options{Color: ByKind, Groups: roles}),
	} {
		path := filepath.Join("testdata", name+".dot")
		if *update {
			require.NoError(t, os.WriteFile(path, got, 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s differs; look at it and run go test -update", path)
	}
}

// halves gives each kept edge to one of the named parts in turn, the last one to
// none.
func halves(sm sample, names ...string) []Part {
	var out []Part
	for _, name := range names {
		out = append(out, Part{Name: name, Edges: sm.g.Empty()})
	}
	n := 0
	for i, kept := range sm.m {
		if kept && n < sm.m.Count()-1 {
			out[n%len(out)].Edges[i] = true
			n++
		}
	}
	return out
}

// Parts have a colour each, whatever the scores, and stand in the legend with how
// many edges are drawn of them.
func TestParts(t *testing.T) {
	sm := small(t, twoLayers, map[string]float64{"input->a0.h4<v>": 2, "a0.h4<v>": 2, "a0.h4->logits": -1, "input->logits": 1, "input->a1.h3<q>": 3})
	parts := halves(sm, "of <both>", "of a")
	text := string(dot(t, sm, Options{Parts: parts}))
	for k, drawn := range []int{2, 1} { // the direct edge is folded, the last is of no part
		assert.Equal(t, drawn, strings.Count(text, `[color="`+partInks[k]))
		assert.Contains(t, text, fmt.Sprintf(`COLOR="%s">▬</FONT>`, partInks[k]))
	}
	assert.Contains(t, text, "of &lt;both&gt; (2)")
	assert.Contains(t, text, "of a (1)")
	assert.Equal(t, 1, strings.Count(text, `[color="`+noScore))
	assert.NotContains(t, text, positive)
	assert.NotContains(t, text, negative)
	var b bytes.Buffer
	assert.EqualError(t, WriteDOT(&b, sm.g, sm.m, sm.s, Options{Parts: make4(parts[0])}), "parts: expected at most 3, found 4")
	assert.PanicsWithValue(t, fmt.Sprintf("draw: graph of %d edges, part of 2", sm.g.NumEdges()), func() {
		_ = WriteDOT(&b, sm.g, sm.m, sm.s, Options{Parts: []Part{{Edges: make(circuit.Mask, 2)}}})
	})
}

func make4(p Part) []Part { return []Part{p, p, p, p} }

func TestDeterministic(t *testing.T) {
	groups := map[circuit.Node]Group{}
	sm := made(t, 300, 1)
	for i, n := range sm.g.Senders() {
		groups[n] = Group{Name: fmt.Sprint("role ", i%7)}
	}
	first := dot(t, sm, Options{Groups: groups})
	for range 5 {
		assert.Equal(t, string(first), string(dot(t, sm, Options{Groups: groups})))
	}
}

var arrow = regexp.MustCompile(`(?m)^\t"([^"]+)" -> "([^"]+)"(?::([qkv]):n)? \[(.*)\]$`)

// arrows lists what the DOT text draws, "a0.3 -> a1.6_k", with attributes.
func arrows(t *testing.T, dot []byte) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	for _, m := range arrow.FindAllStringSubmatch(string(dot), -1) {
		if strings.HasPrefix(m[1], "row ") {
			continue // holds the rows in order, unseen
		}
		name := m[1] + " -> " + m[2]
		if m[3] != "" {
			name += "_" + m[3]
		}
		require.NotContains(t, out, name, "drawn twice")
		attrs := map[string]string{}
		for _, a := range regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(m[4], -1) {
			attrs[a[1]] = a[2]
		}
		out[name] = attrs
	}
	return out
}

func TestEveryKeptEdgeIsDrawnOnce(t *testing.T) {
	for name, sm := range map[string]sample{
		"9": load(t, "induction-9.json"), "60": load(t, "induction-60.json"), "62": load(t, "signs-62.json"), "300": made(t, 300, 1),
	} {
		for _, direct := range []bool{false, true} {
			drawn := arrows(t, dot(t, sm, Options{Direct: direct}))
			placeholders := 0
			for _, a := range drawn {
				if strings.HasPrefix(a["tooltip"], "placeholder") {
					placeholders++
				}
			}
			want := 0
			for i, kept := range sm.m {
				e := sm.g.Edge(i)
				if !kept || e.IsDirect() && !direct {
					continue
				}
				want++
				to := nodeName(e.Receiver)
				if !direct {
					to = strings.TrimSuffix(to, "_in")
				}
				assert.Contains(t, drawn, nodeName(e.Sender)+" -> "+to, "%s direct=%v", name, direct)
			}
			assert.Len(t, drawn, want+placeholders, "%s direct=%v", name, direct)
			assert.Equal(t, direct, placeholders > 0)
		}
	}
}

func TestDirectEdgesFoldAway(t *testing.T) {
	sm := small(t, twoLayers, map[string]float64{"input->a1.h6<k>": 1, "a1.h6<k>": 1, "input->a1.h6<v>": 1, "a1.h6->logits": 1, "input->m0": 1, "m0->logits": 1})
	folded := string(dot(t, sm, Options{}))
	assert.NotContains(t, folded, "a1.6_k\"")
	assert.Contains(t, folded, `PORT="k" BGCOLOR="`+letterPale[1])
	assert.Contains(t, folded, `PORT="v" BGCOLOR="`+paleNoTab, "the direct edge of v is not kept")
	assert.NotContains(t, folded, `PORT="q"`)
	assert.Contains(t, folded, "6 of ")
	assert.Contains(t, folded, "1 direct edge not drawn")
	assert.Contains(t, folded, `tooltip="embed → a1.6_k  1"`)
	assert.NotContains(t, folded, "a1.5", "nothing of it is kept")
	all := arrows(t, dot(t, sm, Options{Direct: true}))
	for _, want := range []string{"embed -> a1.6_k_in", "a1.6_k_in -> a1.6_k", "a1.6_k -> a1.6", "m0_in -> m0", "embed -> m0_in", "embed -> a1.6_v_in"} {
		assert.Contains(t, all, want)
	}
	assert.NotContains(t, all, "a1.6_v_in -> a1.6_v")
}

// pen is the width of an arrow.
func pen(t *testing.T, a map[string]string) float64 {
	t.Helper()
	w, err := strconv.ParseFloat(a["penwidth"], 64)
	require.NoError(t, err)
	return w
}

func TestWidthGrowsWithTheSizeOfTheEffect(t *testing.T) {
	scores := []float64{0, 1e-9, 0.001, -0.01, 0.02, -0.5, 3, math.Inf(1)}
	edges := map[string]float64{"a0.h6->logits": math.NaN()}
	for h, s := range scores[:6] {
		edges[fmt.Sprintf("a1.h%d->logits", h)] = s
	}
	edges["a1.h6->logits"], edges["m1->logits"] = scores[6], scores[7]
	a := arrows(t, dot(t, small(t, twoLayers, edges), Options{}))
	var widths []float64
	for h := range 7 {
		widths = append(widths, pen(t, a[fmt.Sprintf("a1.%d -> output", h)]))
	}
	widths = append(widths, pen(t, a["m1 -> output"]))
	assert.IsNonDecreasing(t, widths)
	assert.IsIncreasing(t, widths[2:7])
	assert.Equal(t, minWidth, widths[0])
	assert.Equal(t, maxWidth, widths[7])
	assert.Equal(t, neutralWidth, pen(t, a["a0.6 -> output"]))
}

func TestSimilarEffectsLookSimilar(t *testing.T) {
	a := arrows(t, dot(t, small(t, twoLayers, map[string]float64{"m0->logits": 1.9, "m1->logits": 2}), Options{}))
	assert.InDelta(t, pen(t, a["m0 -> output"]), pen(t, a["m1 -> output"]), 0.2)
	a = arrows(t, dot(t, small(t, twoLayers, map[string]float64{"m0->logits": 2, "m1->logits": -2}), Options{}))
	assert.Equal(t, flatWidth, pen(t, a["m0 -> output"]))
	assert.Equal(t, flatWidth, pen(t, a["m1 -> output"]))
}

func TestColors(t *testing.T) {
	edges := map[string]float64{"input->a1.h0<q>": 1, "input->a1.h0<k>": -1, "input->a1.h0<v>": math.NaN(), "input->m0": 0, "m0->logits": 1}
	both := small(t, twoLayers, edges)
	for color, want := range map[ColorBy][5]string{
		BySign: {positive, negative, noScore, noScore, positive},
		ByKind: {kindQ, kindK, kindV, kindMLP, kindOut},
		ByAuto: {positive, negative, noScore, noScore, positive},
	} {
		a := arrows(t, dot(t, both, Options{Color: color}))
		for i, name := range []string{"embed -> a1.0_q", "embed -> a1.0_k", "embed -> a1.0_v", "embed -> m0", "m0 -> output"} {
			assert.Equal(t, want[i], a[name]["color"][:7], "%s %s", color, name)
		}
	}
	edges["input->a1.h0<k>"] = 1
	a := arrows(t, dot(t, small(t, twoLayers, edges), Options{}))
	assert.Equal(t, kindK, a["embed -> a1.0_k"]["color"][:7], "one sign only: by kind")
}

// An edge is as dark as it is told to be, and never vanishes.
func TestOpacity(t *testing.T) {
	sm := load(t, "induction-9.json")
	opacity := make(circuit.Scores, len(sm.m))
	kept := 0
	for i, present := range sm.m {
		if present {
			opacity[i] = []float64{0, 0.5, 1, 7}[kept%4]
			kept++
		}
	}
	seen := map[string]int{}
	for _, found := range regexp.MustCompile(`color="#[0-9a-f]{6}([0-9a-f]{2})"`).FindAllStringSubmatch(string(dot(t, sm, Options{Direct: true, Opacity: opacity})), -1) {
		seen[found[1]]++
	}
	assert.Equal(t, map[string]int{"14": 3, "80": 2, "ff": 4}, seen)
}

func TestUnknownChoicesAreErrors(t *testing.T) {
	sm := load(t, "induction-9.json")
	err := WriteDOT(&bytes.Buffer{}, sm.g, sm.m, sm.s, Options{Color: "rainbow"})
	assert.EqualError(t, err, `unknown edge colour "rainbow": expected one of auto, sign, kind`)
	n := circuit.Node{Kind: circuit.Head, Layer: 1}
	err = WriteDOT(&bytes.Buffer{}, sm.g, sm.m, sm.s, Options{Groups: map[circuit.Node]Group{n: {Name: "a", Color: "red"}}})
	assert.EqualError(t, err, `group "a": colour "red": expected the form #77aadd`)
	assert.PanicsWithValue(t, "draw: graph of 193 edges, mask of 1, scores of 0, idle edges of 0, opacity of 0, strength of 0", func() {
		_ = WriteDOT(&bytes.Buffer{}, sm.g, make(circuit.Mask, 1), nil, Options{})
	})
}

func TestEffortIsLimitedForHugeCircuits(t *testing.T) {
	sm := load(t, "signs-62.json")
	assert.NotContains(t, string(dot(t, sample{g: sm.g, m: sm.g.Full()}, Options{})), "nslimit")
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 6, Heads: 6})
	require.NoError(t, err)
	assert.Contains(t, string(dot(t, sample{g: g, m: g.Full()}, Options{})), "nslimit")
}

func TestEmptyCircuit(t *testing.T) {
	sm := load(t, "induction-9.json")
	sm.m = sm.g.Empty()
	out := string(dot(t, sm, Options{}))
	assert.Contains(t, out, `"embed"`)
	assert.Contains(t, out, `"output"`)
	assert.Contains(t, out, "0 of 193 edges: all were cut")
	assert.Empty(t, arrows(t, []byte(out)))
}

func TestCaptionOf(t *testing.T) {
	f := &circuit.File{Run: circuit.Run{Algorithm: "acdc", Task: "ioi", Model: "gpt2", Metric: "kl_div", Ablation: "resample", Threshold: 0.0575,
		AbsoluteValue: true}, Measured: circuit.Measured{Final: 0.2138, Corrupted: -3.411}}
	assert.Equal(t, Caption{"ioi in gpt2", []string{"acdc · resample ablation · τ = 0.0575, |effect|", "kl_div 0.214 (model 0, corrupted −3.41)"}}, CaptionOf(f))
	assert.Equal(t, Caption{}, CaptionOf(&circuit.File{}))
	assert.Equal(t, Caption{"pairs.safetensors", []string{"logit_diff"}}, CaptionOf(&circuit.File{Run: circuit.Run{Data: "pairs.safetensors", Metric: "logit_diff"}}))
}

// A name is the last part of a path, and never broken in the middle of a word.
func TestCaptionsNameFilesShortly(t *testing.T) {
	f := &circuit.File{Run: circuit.Run{Data: "/home/somebody/experiments/2026/pairs/greater_than-held_out.json", Model: `C:\models\my-finetuned-gpt2-small\`}}
	assert.Equal(t, "greater_than-held_out.json in my-finetuned-gpt2-small", CaptionOf(f).Title)
	f.Model = "/models/" + strings.Repeat("a", 50) + strings.Repeat("z", 50)
	assert.Equal(t, "greater_than-held_out.json in "+strings.Repeat("a", 18)+"…"+strings.Repeat("z", 17), CaptionOf(f).Title)
	f.Data, f.Task, f.Model = "", "ioi", "ioi"
	assert.Equal(t, "ioi", CaptionOf(f).Title)
	assert.Equal(t, []string{"one two", "three-", "four_five"}, wrap("one two three-four_five", 9))
	assert.Equal(t, []string{"abcdefghi", "jkl"}, wrap("abcdefghijkl", 9), "without a separator")
}

// Edges that carry nothing look like nothing else, and decide on no width and
// no colour.
func TestIdleEdges(t *testing.T) {
	sm := small(t, twoLayers, map[string]float64{"input->m0": 1, "m0->logits": 2, "m1->logits": -50, "a1.h0->logits": math.NaN()})
	idle := sm.g.Idle(sm.m, true)
	require.Equal(t, 2, idle.Count())
	with, without := string(dot(t, sm, Options{Idle: idle})), string(dot(t, sm, Options{}))
	a := arrows(t, []byte(with))
	for name, isIdle := range map[string]bool{"embed -> m0": false, "m0 -> output": false, "m1 -> output": true, "a1.0 -> output": true} {
		want := ""
		if isIdle {
			want = "dashed"
		}
		assert.Equal(t, want, a[name]["style"], name)
		assert.Equal(t, isIdle, a[name]["color"] == inkMuted, name)
		assert.Equal(t, isIdle, pen(t, a[name]) == idleWidth, name)
		assert.Equal(t, isIdle, strings.HasSuffix(a[name]["tooltip"], ", carries nothing"), name)
	}
	assert.Equal(t, maxWidth, pen(t, a["m0 -> output"]))
	assert.Contains(t, with, "carries nothing</FONT>")
	assert.Contains(t, with, ", 2 of them carry nothing")
	assert.NotContains(t, with, "effect &lt; 0", "only an idle edge has a negative score")
	assert.Contains(t, without, "effect &lt; 0")
	assert.NotContains(t, without, "nothing")
	assert.NotContains(t, without, "dashed")
}

func TestHostileCaptionsStayText(t *testing.T) {
	sm := load(t, "induction-9.json")
	sm.c = Caption{Title: "<b>&amp;\"q\"\\N\nnext\x00\xff]}", Lines: []string{strings.Repeat("§", 500)}}
	out := string(dot(t, sm, Options{}))
	assert.Contains(t, out, `&lt;b&gt;&amp;amp;&#34;q&#34;\\N next`+"�]}")
	assert.NotContains(t, out, strings.Repeat("§", captionWidth+1))
	assert.Equal(t, captionLines*captionWidth-1, strings.Count(out, "§"))
	assert.Equal(t, 1, strings.Count(out, "…"))
	sm.c = Caption{Title: "\x01", Lines: []string{"", "\x02"}}
	assert.NotContains(t, string(dot(t, sm, Options{})), "></FONT>", "Graphviz fails on empty cells")
	assert.Equal(t, `"a&#34;b\\N&amp;lt; "`, quote("a\"b\\N&lt;\n"))
}
