package torch

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// isIndex reports whether a class is that of the reference's indices, whichever module
// it was in.
func isIndex(class string) bool {
	return strings.HasPrefix(class, "acdc.") && strings.HasSuffix(class, ".TorchIndex")
}

// IsEdges reports whether a text begins as a pickle does, which is how ACDC's save_edges
// writes: kept edges with their effects, and nothing about the graph.
func IsEdges(data []byte) bool {
	return len(data) > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5
}

// DecodeEdges reads what ACDC's save_edges writes, a pickled list of ((child, index,
// parent, index), effect) of the kept edges, in a graph of ACDC that the caller knows
// of; name is what errors call it.
func DecodeEdges(ctx context.Context, name string, data []byte, c circuit.Config) (*circuit.File, error) {
	root, err := weights.DecodePickle(ctx, name, data, isIndex)
	if err != nil {
		return nil, err
	}
	items, ok := root.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: expected a list of edges with their effects, as ACDC's save_edges writes, found another object", name)
	}
	c.Definition = circuit.ACDC
	var in reading
	for i, item := range items {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, fmt.Errorf("%s: edge %d: expected the edge and its effect, found another object", name, i+1)
		}
		e, err := hooksOf(pair[0])
		if err != nil {
			return nil, fmt.Errorf("%s: edge %d: %w", name, i+1, err)
		}
		if e.kept, e.score = true, math.NaN(); pair[1] != nil {
			if e.score, ok = pair[1].(float64); !ok {
				return nil, fmt.Errorf("%s: edge %d: expected a number or None as its effect, found another object", name, i+1)
			}
		}
		in.edges = append(in.edges, e)
		c.SplitEmbed = c.SplitEmbed || e.parent == "hook_embed" || e.parent == "hook_pos_embed"
	}
	return in.file(name, c)
}

// decodeSubgraph reads what ACDC's save_subgraph writes by PyTorch: a dict of (child,
// index, parent, index) to whether the edge is kept, of every edge. What graph that is
// follows from them.
func decodeSubgraph(name string, pairs []weights.Pair) (*circuit.File, error) {
	c := circuit.Config{Definition: circuit.ACDC, AttnOnly: true}
	var in reading
	for i, p := range pairs {
		e, err := hooksOf(p.Key)
		if err != nil {
			return nil, fmt.Errorf("%s: edge %d: %w", name, i+1, err)
		}
		var ok bool
		if e.kept, ok = p.Value.(bool); !ok {
			return nil, fmt.Errorf("%s: edge %d: expected True or False, found another object", name, i+1)
		}
		e.score = math.NaN()
		if in.edges = append(in.edges, e); e.layer >= mostLayers || e.head >= mostLayers {
			return nil, fmt.Errorf("%s: edge %d: expected layers and heads below %d, found %d and %d", name, i+1, mostLayers, e.layer, e.head)
		}
		c.Layers, c.Heads = max(c.Layers, e.layer+1), max(c.Heads, e.head+1)
		c.AttnOnly = c.AttnOnly && !strings.Contains(e.child, "hook_mlp")
		c.SplitEmbed = c.SplitEmbed || e.parent == "hook_embed"
	}
	f, err := in.file(name, c)
	if err == nil && in.read != f.EdgesTotal {
		return nil, fmt.Errorf("%s: expected all %d edges of %d layers of %d heads, found %d", name, f.EdgesTotal, c.Layers, c.Heads, in.read)
	}
	return f, err
}

// mostLayers bounds the layers, and heads in each, that names may ask for.
const mostLayers = 1000

// hooks is an edge as the reference has it.
type hooks struct {
	child, parent string // hook names with the index of a head
	layer, head   int    // the largest in them
	kept          bool
	score         float64
}

// hooksOf reads (child, index, parent, index).
func hooksOf(v any) (hooks, error) {
	parts, ok := v.([]any)
	if !ok || len(parts) != 4 {
		return hooks{}, fmt.Errorf("expected child, index, parent and index, found another object")
	}
	var e hooks
	for k, into := range []*string{&e.child, &e.parent} {
		name, ok := parts[2*k].(string)
		if !ok {
			return e, fmt.Errorf("expected the name of a hook, found another object")
		}
		head, err := headOf(parts[2*k+1])
		if err != nil {
			return e, fmt.Errorf("hook %s: %w", oneline.Quote(name), err)
		}
		if layer, ok := strings.CutPrefix(name, "blocks."); ok {
			layer, _, _ = strings.Cut(layer, ".")
			if n, err := strconv.Atoi(layer); err == nil {
				e.layer = max(e.layer, n)
			}
		}
		if *into = name; head >= 0 {
			*into, e.head = fmt.Sprintf("%s[:, :, %d]", name, head), max(e.head, head)
		}
	}
	return e, nil
}

// headOf is the head of an index, −1 where it is of a whole tensor: a TorchIndex, or
// its tuple by itself.
func headOf(v any) (int, error) {
	if o, ok := v.(weights.Object); ok {
		state, _ := o.State.([]weights.Pair)
		v = nil
		for _, p := range state {
			if p.Key == "hashable_tuple" {
				v = p.Value
			}
		}
	}
	index, ok := v.([]any)
	if ok && len(index) == 1 && index[0] == nil {
		return -1, nil
	}
	if ok && len(index) == 3 && index[0] == nil && index[1] == nil {
		if head, ok := index[2].(int64); ok && head >= 0 && head <= math.MaxInt32 {
			return int(head), nil
		}
	}
	return 0, fmt.Errorf("expected the index [:] or [:, :, HEAD], found another")
}

// reading is a circuit on its way from the reference's edges.
type reading struct {
	edges []hooks
	read  int // edges of the graph
}

// file is the circuit. Edges that the reference calls placeholders, within a head and
// within an MLP, are none here: they are always there.
func (in *reading) file(name string, c circuit.Config) (*circuit.File, error) {
	g, err := circuit.New(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	mask, scores, seen := g.Empty(), make(circuit.Scores, g.NumEdges()), g.Empty()
	for i := range scores {
		scores[i] = math.NaN()
	}
	for i, e := range in.edges {
		child, _, _ := strings.Cut(e.child, "[")
		if strings.HasSuffix(child, ".hook_result") || strings.HasSuffix(child, ".hook_mlp_out") {
			continue
		}
		edge := e.parent + "->" + e.child
		for _, letter := range "qkv" {
			if strings.HasSuffix(child, ".attn.hook_"+string(letter)) {
				edge = e.child // the direct edge
				if want := strings.Replace(e.child, ".attn.hook_"+string(letter), ".hook_"+string(letter)+"_input", 1); e.parent != want {
					return nil, fmt.Errorf("%s: edge %d: expected %s from %s, found it from %s", name, i+1, oneline.Quote(e.child), oneline.Quote(want), oneline.Quote(e.parent))
				}
			}
		}
		n, err := g.ParseEdge(edge)
		if err == nil && seen[n] {
			err = fmt.Errorf("expected %s once, found it twice", oneline.Quote(edge))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: edge %d: %w", name, i+1, err)
		}
		seen[n], mask[n], scores[n] = true, e.kept, e.score
		in.read++
	}
	f := &circuit.File{}
	f.SetCircuit(g, mask, scores, false)
	return f, nil
}
