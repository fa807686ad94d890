package circuit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// mibFile is a circuit as the MIB benchmark and EAP-IG write it.
type mibFile struct {
	Config *struct {
		Layers          int  `json:"n_layers"`
		Heads           int  `json:"n_heads"`
		ParallelAttnMLP bool `json:"parallel_attn_mlp"`
	} `json:"cfg"`
	Nodes map[string]mibPart `json:"nodes"`
	Edges map[string]mibPart `json:"edges"`
}

// mibPart is a node or an edge. A score that is not a finite number, which is
// written as a bare NaN or Infinity, is none.
type mibPart struct {
	InGraph *bool    `json:"in_graph"`
	Score   *float64 `json:"score"`
}

// decodeMIB reads a circuit of the MIB format. What its edges say is the
// circuit; nodes must exist.
func decodeMIB(ctx context.Context, name string, data []byte) (*File, error) {
	var in mibFile
	if err := jsonfile.DecodeWith(ctx, name, data, &in, jsonfile.Options{NonFinite: true}); err != nil {
		return nil, err
	}
	if in.Config == nil || in.Edges == nil {
		return nil, fmt.Errorf("%s: fields \"cfg\" and \"edges\": expected objects, found null or none", name)
	}
	g, err := New(Config{Definition: EAP, Layers: in.Config.Layers, Heads: in.Config.Heads, ParallelAttnMLP: in.Config.ParallelAttnMLP})
	if err != nil {
		return nil, fmt.Errorf("%s: field \"cfg\": %w", name, err)
	}
	for _, node := range slices.Sorted(maps.Keys(in.Nodes)) {
		if _, err := g.ParseNode(node); err != nil {
			return nil, fmt.Errorf("%s: field \"nodes\": %w", name, err)
		}
	}
	mask, scores, err := in.circuit(g)
	if err != nil {
		return nil, fmt.Errorf("%s: field \"edges\": %w", name, err)
	}
	f := &File{}
	f.SetCircuit(g, mask, scores, true)
	return f, nil
}

// circuit finds the edges in the graph, in the order of their names, so that of
// several faults always the same one is named.
func (in *mibFile) circuit(g *Graph) (Mask, Scores, error) {
	mask, scores, seen := g.Empty(), noScores(g), map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(in.Edges)) {
		i, err := g.ParseEdge(name)
		if err != nil {
			return nil, nil, err
		}
		if other, ok := seen[i]; ok {
			return nil, nil, fmt.Errorf("edge %s appears twice, the other time as %s", oneline.Quote(name), oneline.Quote(other))
		}
		part := in.Edges[name]
		if part.InGraph == nil {
			return nil, nil, fmt.Errorf("edge %s: field \"in_graph\" is missing", oneline.Quote(name))
		}
		seen[i], mask[i] = name, *part.InGraph
		if part.Score != nil && isFinite(*part.Score) {
			scores[i] = *part.Score
		}
	}
	return mask, scores, nil
}
