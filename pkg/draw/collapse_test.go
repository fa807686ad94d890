package draw

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// boxed is a circuit of three layers with two heads in one box.
func boxed(t *testing.T) sample {
	return small(t, circuit.Config{Definition: circuit.ACDC, Layers: 3, Heads: 3}, map[string]float64{
		"input->a0.h0<q>": 1, "a0.h0<q>": 1, "input->a0.h2<k>": -4, "a0.h0->m0": 2, "m0->a2.h1<v>": 3, "a0.h0->a2.h1<q>": 0.5, "a0.h2->a2.h1<q>": -0.75,
		"a2.h1->logits": 5, "m0->m1": 6, "m1->logits": 0.1})
}

func TestLayersCollapse(t *testing.T) {
	sm := boxed(t)
	out := dot(t, sm, Options{Collapse: CollapseLayers, Color: ByKind})
	a := arrows(t, out)
	assert.Len(t, a, 7)
	assert.Equal(t, "embed → a0: 2 edges (1 q, 1 k)  −4", a["embed -> a0"]["tooltip"], "the strongest of them")
	assert.Equal(t, kindQ+"ff:"+kindK+"ff", a["embed -> a0"]["color"], "in stripes")
	assert.Equal(t, kindQ+"ff", a["a0 -> a2"]["color"])
	assert.Equal(t, "a0 → a2: 2 edges (2 q)  −0.75", a["a0 -> a2"]["tooltip"])
	assert.Contains(t, string(out), ">a0.0 a0.2</FONT>")
	assert.Contains(t, string(out), "10 of ")
	assert.Contains(t, string(out), "7 arrows stand for 9 edges<")
	assert.Contains(t, string(out), "the largest |effect| from 0.1 to 6,")
	bySign := arrows(t, dot(t, sm, Options{Collapse: CollapseLayers}))
	assert.Equal(t, negative, bySign["embed -> a0"]["color"][:7])
	sm.s = nil
	plain := dot(t, sm, Options{Collapse: CollapseLayers})
	assert.Contains(t, string(plain), "line width: edges, from 1 to 2,")
	assert.Greater(t, pen(t, arrows(t, plain)["a0 -> a2"]), pen(t, arrows(t, plain)["m0 -> a2"]))
}

// A box of a group has what is within it in its name, and arrows back do not turn
// the order round.
func TestGroupsCollapse(t *testing.T) {
	sm := boxed(t)
	node := func(kind circuit.Kind, layer, head int) circuit.Node {
		return circuit.Node{Kind: kind, Layer: layer, Head: head}
	}
	roles := map[circuit.Node]Group{node(circuit.Head, 0, 0): {Name: "early & late"}, node(circuit.Head, 2, 1): {Name: "early & late"}}
	out := dot(t, sm, Options{Collapse: CollapseGroups, Groups: roles})
	a := arrows(t, out)
	for from, to := range map[string]string{"embed": "group 0", "group 0": "MLPs from layer 0", "other heads from layer 0": "group 0", "MLPs from layer 0": "output"} {
		assert.Contains(t, a, from+" -> "+to)
	}
	assert.Equal(t, "false", a["MLPs from layer 0 -> group 0"]["constraint"])
	assert.Empty(t, a["group 0 -> MLPs from layer 0"]["constraint"])
	text := string(out)
	assert.Contains(t, text, ">early &amp; late</FONT><BR/>")
	assert.Contains(t, text, ">a0.0 a2.1</FONT>")
	assert.Contains(t, text, ">1 edge within</FONT>")
	assert.Contains(t, text, ">MLPs 0–1</FONT>")
	assert.Contains(t, text, "7 arrows stand for 7 edges, 2 more are within a box<")
	assert.NotContains(t, text, `CELLPADDING="3">`, "no legend of groups that boxes name")
	assert.Equal(t, text, string(dot(t, sm, Options{Collapse: CollapseGroups, Groups: roles})))
	var b bytes.Buffer
	assert.EqualError(t, WriteDOT(&b, sm.g, sm.m, nil, Options{Collapse: CollapseGroups, Direct: true}),
		"direct edges and nodes collapsed to groups: expected one of them, since such edges lie within a box")
	assert.EqualError(t, WriteDOT(&b, sm.g, sm.m, nil, Options{Collapse: "heads"}), `unknown collapse "heads": expected one of none, layers, groups`)
}

// Every edge is in an arrow or within a box, whatever is collapsed.
func TestNoEdgeIsLost(t *testing.T) {
	sm := made(t, 300, 1)
	roles := map[circuit.Node]Group{}
	for i, n := range sm.g.Senders() {
		if n.Kind != circuit.Input && i%3 > 0 {
			roles[n] = Group{Name: fmt.Sprint("role ", i%7)}
		}
	}
	for _, c := range []Collapse{CollapseLayers, CollapseGroups} {
		sum := 0
		for _, a := range arrows(t, dot(t, sm, Options{Collapse: c, Groups: roles})) {
			var n int
			_, err := fmt.Sscanf(a["tooltip"][strings.LastIndex(a["tooltip"], ": ")+2:], "%d", &n)
			require.NoError(t, err)
			sum += n
		}
		p, err := newPicture(sm.g, sm.m, sm.s, Options{Collapse: c, Groups: roles})
		require.NoError(t, err)
		assert.Equal(t, sm.m.Count(), sum+p.within+p.hidden, c)
	}
}

func TestMaxEdges(t *testing.T) {
	sm := boxed(t)
	out := dot(t, sm, Options{MaxEdges: 3})
	a := arrows(t, out)
	assert.Len(t, a, 3)
	for _, name := range []string{"embed -> a0.2_k", "a2.1 -> output", "m0 -> m1"} {
		assert.Contains(t, a, name)
	}
	assert.Contains(t, string(out), "the strongest 3 of 9 edges, |effect| at least 4<")
	assert.NotContains(t, string(out), `"a0.0"`, "nothing of it is drawn")
	for n, want := range map[int]Size{0: {9, 0, true}, 3: {3, 6, true}, 9: {9, 0, true}, 10: {9, 0, true}} {
		size, err := SizeOf(sm.g, sm.m, sm.s, Options{MaxEdges: n})
		require.NoError(t, err)
		assert.Equal(t, want, size)
	}
	size, err := SizeOf(sm.g, sm.m, sm.s, Options{MaxEdges: 3, Collapse: CollapseLayers})
	require.NoError(t, err)
	assert.Equal(t, Size{3, 4, true}, size)
	assert.Contains(t, string(dot(t, sample{g: sm.g, m: sm.m}, Options{MaxEdges: 3})), "the first 3 of 9 edges: none has an effect<")
	assert.Contains(t, string(dot(t, sample{g: sm.g, m: sm.m}, Options{MaxEdges: 1, Collapse: CollapseLayers})), "the widest 1 of 7 arrows, each for at least 2 edges<")
	strength := make(circuit.Scores, len(sm.m))
	for i := range strength {
		strength[i] = math.NaN()
	}
	i, err := sm.g.ParseEdge("m1->logits")
	require.NoError(t, err)
	strength[i] = 1
	out = dot(t, sm, Options{MaxEdges: 1, Strength: strength})
	assert.Contains(t, arrows(t, out), "m1 -> output")
	assert.Contains(t, string(out), "the strongest 1 of 9 edges<")
}

// With direct edges a frame holds all that belongs to a head.
func TestFrames(t *testing.T) {
	out := string(dot(t, load(t, "induction-9.json"), Options{Direct: true}))
	frames := regexp.MustCompile(`subgraph "cluster (a\d+\.\d+)" \{ .*"; (.*) \}`).FindAllStringSubmatch(out, -1)
	require.Len(t, frames, 3)
	for _, f := range frames {
		for _, n := range strings.Split(f[2], "; ") {
			assert.Regexp(t, `^"`+regexp.QuoteMeta(f[1])+`(_[qkv](_in)?)?"$`, n)
		}
	}
	assert.NotContains(t, string(dot(t, load(t, "induction-9.json"), Options{})), "cluster")
}
