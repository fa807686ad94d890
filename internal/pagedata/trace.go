package pagedata

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// mostTests bounds a replay.
const mostTests = 40_000

// Trace hears of the tests of a search.
type Trace struct {
	graph                *circuit.Graph
	edges, left          []int
	metrics, effects     []float64
	total, kept, dropped int
}

// NewTrace is of a search in a graph.
func NewTrace(g *circuit.Graph) *Trace { return &Trace{graph: g} }

// Add hears of an event of the search.
func (t *Trace) Add(ev discover.Event) {
	if ev.Learned != nil || ev.Tests == 0 {
		return
	}
	if t.total = ev.Total; len(t.edges) == mostTests {
		t.dropped++
		return
	}
	if ev.Test.Kept {
		t.kept++
	}
	t.AddTest(ev.Edge, ev.Test.Metric, ev.Effect, ev.Test.Kept, ev.Total-ev.Decided+t.kept)
}

// AddTest adds a test of an edge, after which some are left.
func (t *Trace) AddTest(edge int, metric, effect float64, kept bool, left int) {
	word := 2 * left
	if kept {
		word++
	}
	t.edges, t.left = append(t.edges, edge), append(t.left, word)
	t.metrics, t.effects = append(t.metrics, metric), append(t.effects, effect)
}

// Fill adds the trace to a page, unless there was no test. start is the metric
// before the first.
func (t *Trace) Fill(d *page.Data, start float64) {
	if len(t.edges) == 0 {
		d.Lacks = append(d.Lacks, "Replay: the algorithm makes no tests of single edges.")
		return
	}
	if t.dropped > 0 {
		d.Lacks = append(d.Lacks, fmt.Sprintf("Replay: the search made %d tests, more than a page has room for.", t.dropped+len(t.edges)))
		return
	}
	node := map[circuit.Node]int{}
	for i, n := range d.Nodes {
		node[circuit.Node{Kind: n.Kind, Layer: n.Layer, Head: n.Head}] = i
	}
	last := len(t.left) - 1
	t.left[last] = t.left[last] & 1 // what nothing reads by now is dropped untested
	for _, e := range d.Edges {
		if e.Kept {
			t.left[last] += 2
		}
	}
	var from, to []int
	for _, i := range t.edges {
		e := t.graph.Edge(i)
		code := 8*node[e.Receiver.Part()] + 1 + int(page.NoPort)
		if c, ok := e.Receiver.Letter(); ok {
			code += 1 + c
		}
		if e.IsDirect() {
			code += 4
		}
		from, to = append(from, node[e.Sender.Part()]), append(to, code)
	}
	d.Trace = &page.Trace{Tests: len(from), From: page.PackWhole(from), To: page.PackWhole(to), Metric: page.PackFloats(t.metrics),
		Effect: page.PackFloats(t.effects), Left: page.PackWhole(t.left), Total: t.total, Start: start}
}
