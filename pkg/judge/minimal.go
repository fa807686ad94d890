package judge

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Part is what one edge or node adds to the circuit.
type Part struct {
	Name   string  `json:"name"`
	Effect float64 `json:"effect"` // m(C \ v) − m(C): how much worse it is without
	Square float64 `json:"square"` // d(C, C \ v)
	Most   float64 `json:"most"`   // the most of |m(C \ (K ∪ v)) − m(C \ K)| over the sets K, nothing among them
	Under  string  `json:"under"`  // that set, empty for nothing
}

// cut is what one edge's removal does.
type cut struct{ rise, square float64 }

// live are the edges of a mask that carry something.
func (b *bench) live(m circuit.Mask) circuit.Mask {
	out := m.Clone()
	b.graph.Prune(out, b.e.Runs().Ablation() == ablate.Resample)
	return out
}

// minimality takes every edge, or every node, out of the circuit, as it is and
// with sets of nodes by chance knocked out. An edge that such a set silences is
// left out with it: it cannot be cut twice.
func (b *bench) minimality(ctx context.Context, o Options) ([]Part, error) {
	nodes := b.nodes()
	rng := rand.New(rand.NewPCG(o.Seed, 0x313))
	var parts []Part
	for i, k := range append([][]circuit.Node{nil}, chanceSets(rng, nodes, o.KnockOuts)...) {
		cuts, names, err := b.cuts(ctx, k, nodes, o.Nodes)
		if err != nil {
			return nil, err
		}
		for p, c := range cuts {
			if i == 0 {
				parts = append(parts, Part{Name: names[p], Effect: c.rise, Square: c.square, Most: math.Abs(c.rise)})
			} else if size := math.Abs(c.rise); size > parts[p].Most {
				parts[p].Most, parts[p].Under = size, fmt.Sprintf("random %d", i)
			}
		}
	}
	return parts, nil
}

// cuts takes each part out of the circuit without some nodes.
func (b *bench) cuts(ctx context.Context, k, nodes []circuit.Node, byNode bool) (out []cut, names []string, err error) {
	base := b.without(b.mask, k)
	if byNode {
		for _, n := range nodes {
			c := cut{}
			if !slices.Contains(k, n) {
				if c, err = b.cutNode(ctx, base, n); err != nil {
					return nil, nil, err
				}
			}
			out, names = append(out, c), append(names, n.String())
		}
		return out, names, nil
	}
	all, err := b.cutEdges(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	for i, present := range b.mask {
		if present {
			out, names = append(out, all[i]), append(names, b.graph.Edge(i).String())
		}
	}
	return out, names, nil
}

// cutNode takes a node out of a mask.
func (b *bench) cutNode(ctx context.Context, m circuit.Mask, n circuit.Node) (cut, error) {
	before, err := b.rows(ctx, m)
	if err != nil {
		return cut{}, err
	}
	after, err := b.rows(ctx, b.without(m, []circuit.Node{n}))
	if err != nil {
		return cut{}, err
	}
	rise, square, read := b.compare(before, after, 0, len(before))
	return cut{rise / float64(len(before)), square / float64(read)}, nil
}

// compare adds up, over some of the metric's rows that are those of whole
// examples, the rise of the rows and the squared rise of the examples' means, of
// which there are some.
func (b *bench) compare(before, after []float64, lo, hi int) (rise, square float64, examples int) {
	all := b.e.Metric().Rows()[lo:hi]
	for i := 0; i < len(all); {
		sum, from := 0.0, i
		for ; i < len(all) && all[i].Example == all[from].Example; i++ {
			sum += after[i] - before[i]
		}
		mean := sum / float64(i-from)
		rise, square, examples = rise+sum, square+mean*mean, examples+1
	}
	return rise, square, examples
}

// cutEdges takes each edge alone out of a mask, by one sparse evaluation an edge;
// what carries nothing does nothing.
func (b *bench) cutEdges(ctx context.Context, m circuit.Mask) ([]cut, error) {
	live, out, examples := b.live(m), make([]cut, len(m)), 0
	for batch, err := range b.e.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		n, err := b.cutBatch(ctx, batch, live, out)
		if err != nil {
			return nil, err
		}
		examples += n
	}
	for i := range out {
		out[i].rise /= float64(len(b.e.Metric().Rows()))
		out[i].square /= float64(examples)
	}
	return out, nil
}

// cutBatch adds what the cuts do to the rows of some examples.
func (b *bench) cutBatch(ctx context.Context, batch *patch.Bound, live circuit.Mask, out []cut) (examples int, err error) {
	_, _, examples = b.compare(batch.CleanRows, batch.CleanRows, batch.Rows[0], batch.Rows[1])
	s, err := incremental.New(ctx, batch, live)
	if err != nil {
		return 0, err
	}
	before := slices.Clone(s.Rows())
	for _, r := range b.graph.Receivers() {
		lo, hi := b.graph.Incoming(r)
		if live[lo:hi].Count() == 0 {
			continue
		}
		turn := s.Begin(r)
		for edge := lo; edge < hi; edge++ {
			if !live[edge] {
				continue
			}
			if _, err := turn.Try(ctx, []int{edge}); err != nil {
				return 0, err
			}
			rise, square, _ := b.compare(before, turn.Rows(0), batch.Rows[0], batch.Rows[1])
			out[edge].rise += rise
			out[edge].square += square
		}
		if err := turn.End(ctx); err != nil {
			return 0, err
		}
	}
	return examples, nil
}
