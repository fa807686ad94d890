package reference

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// The counts are those that the reference implementation's evaluation has.
func TestEdgeCounts(t *testing.T) {
	for task, want := range map[string]struct{ edges, of, direct int }{
		"ioi":         {1041, 32923, 26 * 3},
		"greaterthan": {262, 32923, 9 * 3},
		"docstring":   {37, 1377, 13},
	} {
		r, err := Find(task, "")
		require.NoError(t, err)
		g, err := r.Graph(circuit.ACDC)
		require.NoError(t, err)
		m, err := r.Mask(g)
		require.NoError(t, err)
		assert.Equal(t, want.of, g.NumEdges(), task)
		assert.Equal(t, want.edges, m.Count(), task)
		direct := 0
		for i, present := range m {
			if present && g.Edge(i).IsDirect() {
				direct++
			}
		}
		assert.Equal(t, want.direct, direct, task)

		eap, err := r.Graph(circuit.EAP)
		require.NoError(t, err)
		m, err = r.Mask(eap)
		require.NoError(t, err)
		assert.Equal(t, want.edges-want.direct, m.Count(), "%s without direct edges", task)
	}
}

func TestGroups(t *testing.T) {
	counts := map[string][]int{"ioi": {3, 8, 2, 4, 4, 3, 2}, "greaterthan": {2, 1, 4, 6, 4}, "docstring": {2, 1, 1, 2},
		"or_gate": {1, 1, 1}, "or_bits": {1, 1, 1}, "and_gate": {1, 1, 1}, "xor_gate": {1, 1, 1}, "induction_heads": {1, 1}}
	for _, r := range All() {
		g, err := r.Graph(circuit.ACDC)
		require.NoError(t, err)
		masks, err := r.Masks(g)
		require.NoError(t, err)
		m := g.Empty()
		for i := range m {
			m[i] = slices.ContainsFunc(masks, func(one circuit.Mask) bool { return one[i] })
		}
		seen := map[circuit.Node]string{}
		colors := map[string]bool{}
		var sizes []int
		for _, group := range r.Groups {
			sizes = append(sizes, len(group.Nodes))
			assert.Regexp(t, `^#[0-9a-f]{6}$`, group.Color)
			assert.False(t, colors[group.Color], "%s: colour of %s twice", r.Task, group.Name)
			colors[group.Color] = true
			for _, n := range group.Nodes {
				assert.True(t, g.Has(n), "%s: %v", r.Task, n)
				assert.Empty(t, seen[n], "%s: %v is in two groups", r.Task, n)
				seen[n] = group.Name
				assert.True(t, g.HasOutgoing(m, n), "%s: no edge leaves %v", r.Task, n)
			}
		}
		assert.Equal(t, counts[r.Task], sizes, r.Task)
		for i, present := range m {
			for _, n := range []circuit.Node{g.Edge(i).Sender, g.Edge(i).Receiver} {
				if _, isSide := n.Letter(); present && (isSide || n.Kind == circuit.Head) {
					assert.NotEmpty(t, seen[circuit.Node{Kind: circuit.Head, Layer: n.Layer, Head: n.Head}], "%s: %v", r.Task, g.Edge(i))
				}
			}
		}
	}
}

// Some edges whose being there, or not, the papers tell.
func TestEdges(t *testing.T) {
	for task, want := range map[string]struct{ in, out []string }{
		"ioi": {
			in: []string{"a9.h9->logits", "a8.h6->a9.h9<q>", "a5.h5->a7.h3<v>", "a2.h2->a5.h5<k>", "input->a0.h1<q>",
				"input->a9.h9<k>", "m3->a9.h9<k>", "m11->logits", "a9.h9<q>", "a9.h9->m9", "input->logits", "m0->m1"},
			out: []string{"a7.h3->logits", "input->a9.h9<q>", "a8.h6->a9.h9<k>", "a9.h8->logits", "m0->a9.h8<q>", "a9.h8<q>", "a0.h0->m0"},
		},
		"greaterthan": {
			in:  []string{"a0.h1->m0", "a0.h3->a5.h5<q>", "m4->a9.h1<q>", "m3->a9.h1<v>", "a9.h1->m9", "m8->m11", "m4->m8", "input->m3", "a5.h5->logits"},
			out: []string{"a0.h3->m0", "m4->a9.h1<k>", "m4->m9", "m3->logits", "input->a5.h5<q>", "input->logits", "input->m8"},
		},
		"docstring": {
			in:  []string{"a3.h0->logits", "a3.h6->logits", "a1.h4->a3.h0<q>", "a2.h0->a3.h6<k>", "a0.h5<v>", "input->a0.h5<v>"},
			out: []string{"a0.h5<q>", "a1.h4->logits", "a1.h2<v>", "input->a3.h0<q>"},
		},
	} {
		r, err := Find(task, "")
		require.NoError(t, err)
		g, err := r.Graph(circuit.ACDC)
		require.NoError(t, err)
		m, err := r.Mask(g)
		require.NoError(t, err)
		for _, s := range slices.Concat(want.in, want.out) {
			i, err := g.ParseEdge(s)
			require.NoError(t, err)
			assert.Equal(t, slices.Contains(want.in, s), m[i], "%s: %s", task, s)
		}
	}
}

// A circuit of a model by hand is that of its ablation, by default of the task's own,
// and a paper's the same under all; no ablation of a task has two.
func TestCircuitsByAblation(t *testing.T) {
	for _, r := range All() {
		first, err := Find(r.Task, "")
		require.NoError(t, err)
		of, err := task.Find(r.Task)
		require.NoError(t, err)
		own, err := Find(r.Task, of.Ablation)
		require.NoError(t, err)
		assert.Equal(t, own, first, r.Task)
		for _, ablation := range r.Ablations {
			found, err := Find(r.Task, ablation)
			require.NoError(t, err)
			assert.Equal(t, r, found, "%s %s", r.Task, ablation)
		}
	}
	assert.Equal(t, []string{"ioi", "greaterthan", "docstring", "or_gate", "or_bits", "and_gate", "xor_gate", "induction_heads"}, Tasks())
}

// No edge of a reference circuit hangs loose. Where zero ablation leaves a sender
// something to say, nothing need reach it.
func TestCircuitsAreConnected(t *testing.T) {
	for _, r := range All() {
		g, err := r.Graph(circuit.ACDC)
		require.NoError(t, err)
		masks, err := r.Masks(g)
		require.NoError(t, err)
		assert.Len(t, masks, 1+len(r.Others), r.Task)
		for _, m := range masks {
			assert.Zero(t, g.Prune(m, !slices.Contains(r.Ablations, zero)), r.Task)
		}
	}
}

func TestRefusals(t *testing.T) {
	_, err := Find("induction", "")
	assert.EqualError(t, err, `task "induction" has no reference circuit: expected one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads`)
	_, err = Find("and_gate", "optimal")
	assert.EqualError(t, err, `task and_gate has no reference circuit under ablation "optimal": expected one of resample, mean, zero`)
	r, err := Find("docstring", "")
	require.NoError(t, err)
	for _, c := range []struct {
		config circuit.Config
		found  string
	}{
		{circuit.Config{Definition: circuit.ACDC, Layers: 4, Heads: 8}, "4 layers of 8 heads"},
		{circuit.Config{Definition: circuit.ACDC, Layers: 2, Heads: 8, AttnOnly: true}, "2 layers of 8 heads without MLPs"},
		{circuit.Config{Definition: circuit.EAP, Layers: 4, Heads: 8, AttnOnly: true, SplitEmbed: true},
			"4 layers of 8 heads without MLPs with split embeddings"},
		{circuit.Config{Definition: circuit.EAP, Layers: 4, Heads: 8, ParallelAttnMLP: true}, "4 layers of 8 heads with parallel MLPs"},
	} {
		g, err := circuit.New(c.config)
		require.NoError(t, err)
		_, err = r.Mask(g)
		assert.EqualError(t, err, "reference circuit of docstring: expected a graph of 4 layers of 8 heads without MLPs, found "+c.found)
	}
}

// Every wire is of names that are known, and puts in an edge of every graph.
func TestEveryWireCarriesSomething(t *testing.T) {
	for _, r := range All() {
		for _, d := range circuit.Definitions() {
			g, err := r.Graph(d)
			require.NoError(t, err)
			for _, w := range r.Wires {
				one := r
				one.Wires = []Wire{w}
				m, err := one.Mask(g)
				require.NoError(t, err)
				edges := 0
				for i, present := range m {
					if present && !g.Edge(i).IsDirect() {
						edges++
					}
				}
				assert.Positive(t, edges, "%s %s: %v", r.Task, d, w)
			}
		}
	}
}

func TestWiresOfUnknownNames(t *testing.T) {
	r, err := Find("docstring", "")
	require.NoError(t, err)
	g, err := r.Graph(circuit.ACDC)
	require.NoError(t, err)
	for w, want := range map[Wire]string{
		{"movers", "logits", ""}: `expected the name of a group, a set or a node, found "movers"`,
		{"input", "x", "q"}:      `expected the name of a group, a set or a node, found "x"`,
		{"input", "a1.h2", "qo"}: `expected letters of q, k and v, found "qo"`,
	} {
		r.Wires = []Wire{w}
		_, err := r.Mask(g)
		assert.EqualError(t, err, "reference circuit of docstring: wire 0: "+want)
	}
}

// The circuits are of tasks that exist, in the models that these are for; every
// task in text has one.
func TestCircuitsAreOfTasks(t *testing.T) {
	for _, g := range task.Generators() {
		_, err := Find(g.Name, "")
		assert.NoError(t, err)
	}
	for _, r := range All() {
		of, err := task.Find(r.Task)
		require.NoError(t, err)
		assert.Equal(t, of.Model, r.Model, r.Task)
	}
}
