package judge

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Kind is how a set of nodes that are knocked out was chosen.
type Kind string

// The kinds.
const (
	None   Kind = "none"   // nothing is knocked out: the circuit's distance from the model
	Single Kind = "node"   // each node alone
	Group  Kind = "group"  // nodes that belong together
	Chance Kind = "random" // each node with a probability of one half
	Greedy Kind = "greedy" // one node after the other, that of the widest gap
)

// KnockOut is the model and the circuit without the same nodes.
type KnockOut struct {
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"` // of a group, or its place among those by chance
	Nodes   []string `json:"nodes"`
	Model   float64  `json:"model"`   // m(M \ K)
	Circuit float64  `json:"circuit"` // m(C \ K)
	Gap     float64  `json:"gap"`     // the size of their difference
}

// Completeness is how far the circuit falls behind the model under knock-outs
// (Wang et al. 2022, section 4).
type Completeness struct {
	KnockOuts []KnockOut `json:"knock_outs"`
	Most      float64    `json:"most"`  // the widest gap
	Share     *float64   `json:"share"` // of |m(M) − m(∅)|, null where that is 0
}

// nodes are the heads and MLPs of a circuit: those that send through an edge that
// carries something. Embeddings are none: without them nothing is left to compare.
func (b *bench) nodes() []circuit.Node {
	live := b.live(b.mask)
	var out []circuit.Node
	for _, s := range b.graph.Senders() {
		if s.Kind != circuit.Head && s.Kind != circuit.MLP {
			continue
		}
		for i, present := range live {
			if present && b.graph.Edge(i).Sender == s {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// without is a mask without the edges that leave some nodes.
func (b *bench) without(m circuit.Mask, k []circuit.Node) circuit.Mask {
	out := m.Clone()
	for i, present := range m {
		if present && slices.Contains(k, b.graph.Edge(i).Sender) {
			out[i] = false
		}
	}
	return out
}

// knockOut measures the model and the circuit without some nodes.
func (b *bench) knockOut(ctx context.Context, kind Kind, name string, k []circuit.Node) (KnockOut, error) {
	out := KnockOut{Kind: kind, Name: name, Nodes: []string{}}
	for _, n := range k {
		out.Nodes = append(out.Nodes, n.String())
	}
	var err error
	if out.Model, err = b.mean(ctx, b.without(b.graph.Full(), k)); err != nil {
		return out, err
	}
	out.Circuit, err = b.mean(ctx, b.without(b.mask, k))
	out.Gap = math.Abs(out.Model - out.Circuit)
	return out, err
}

// What the greedy search tries.
const (
	greedyWidth = 10 // nodes a step, by chance where there are more
	greedyDepth = 10 // steps
)

// completeness knocks out nothing, every node, every group, sets by chance, and
// what the greedy search finds.
func (b *bench) completeness(ctx context.Context, o Options) (*Completeness, error) {
	nodes, out := b.nodes(), &Completeness{}
	rng := rand.New(rand.NewPCG(o.Seed, 0xc0))
	type set struct {
		kind  Kind
		name  string
		nodes []circuit.Node
	}
	sets := []set{{None, "", nil}}
	for _, n := range nodes {
		sets = append(sets, set{Single, n.String(), []circuit.Node{n}})
	}
	for _, g := range b.groups(o.Groups, nodes) {
		sets = append(sets, set{Group, g.Name, g.Nodes})
	}
	for i, k := range chanceSets(rng, nodes, o.KnockOuts) {
		sets = append(sets, set{Chance, fmt.Sprint(i + 1), k})
	}
	for _, s := range sets {
		k, err := b.knockOut(ctx, s.kind, s.name, s.nodes)
		if err != nil {
			return nil, err
		}
		out.KnockOuts = append(out.KnockOuts, k)
	}
	if len(nodes) > 0 {
		k, err := b.greedy(ctx, rng, nodes, out.KnockOuts[0])
		if err != nil {
			return nil, err
		}
		out.KnockOuts = append(out.KnockOuts, k)
	}
	for _, k := range out.KnockOuts {
		out.Most = max(out.Most, k.Gap)
	}
	if out.Share = b.ofSpan(out.Most); out.Share != nil {
		*out.Share = math.Abs(*out.Share)
	}
	return out, nil
}

// chanceSets are sets that have each node with a probability of one half.
func chanceSets(rng *rand.Rand, nodes []circuit.Node, n int) [][]circuit.Node {
	if len(nodes) == 0 {
		return nil
	}
	out := make([][]circuit.Node, n)
	for i := range out {
		for _, v := range nodes {
			if rng.IntN(2) == 1 {
				out[i] = append(out[i], v)
			}
		}
	}
	return out
}

// NamedNodes are nodes that belong together.
type NamedNodes struct {
	Name  string
	Nodes []circuit.Node
}

// groups are the given ones as far as the circuit has their nodes, or the layers.
func (b *bench) groups(given []NamedNodes, nodes []circuit.Node) []NamedNodes {
	if given == nil {
		for l := range b.graph.Config().Layers {
			given = append(given, NamedNodes{Name: fmt.Sprintf("layer %d", l)})
			for _, n := range nodes {
				if n.Layer == l {
					given[l].Nodes = append(given[l].Nodes, n)
				}
			}
		}
	}
	var out []NamedNodes
	for _, g := range given {
		g.Nodes = slices.DeleteFunc(slices.Clone(g.Nodes), func(n circuit.Node) bool { return !slices.Contains(nodes, n) })
		if len(g.Nodes) > 0 {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b NamedNodes) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// greedy adds to the set, step by step, the node that makes the gap widest, and
// returns the widest gap on the way.
func (b *bench) greedy(ctx context.Context, rng *rand.Rand, nodes []circuit.Node, start KnockOut) (KnockOut, error) {
	best := start
	best.Kind = Greedy
	var k []circuit.Node
	left := slices.Clone(nodes)
	for range min(greedyDepth, len(nodes)) {
		rng.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		var step KnockOut
		at := -1
		for i, v := range left[:min(greedyWidth, len(left))] {
			tried, err := b.knockOut(ctx, Greedy, "", append(slices.Clone(k), v))
			if err != nil {
				return best, err
			}
			if at < 0 || tried.Gap > step.Gap {
				step, at = tried, i
			}
		}
		k = append(k, left[at])
		left = slices.Delete(left, at, at+1)
		if step.Gap > best.Gap {
			best = step
		}
	}
	return best, nil
}
