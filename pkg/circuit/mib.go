package circuit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// MIB is what a file of the MIB format says besides its edges. Which nodes are in
// the circuit follows from them.
type MIB struct {
	DModel int         `json:"d_model"`
	Nodes  []NodeScore `json:"nodes,omitempty"` // in the order of computation
}

// NodeScore is the score of a node.
type NodeScore struct {
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

// maxWidth bounds a model's width. The largest published models have some 20
// thousand.
const maxWidth = 1 << 20

// check refuses what no model has.
func (m *MIB) check(g *Graph) error {
	if m == nil {
		return nil
	}
	if m.DModel < 1 || m.DModel > maxWidth {
		return fmt.Errorf("field \"mib\".\"d_model\": expected a whole number from 1 to %d, found %d", maxWidth, m.DModel)
	}
	seen := map[Node]bool{}
	for k, s := range m.Nodes {
		n, err := g.ParseNode(s.Name)
		switch {
		case err != nil:
			return fmt.Errorf("field \"mib\".\"nodes\"[%d]: field \"name\": %w", k, err)
		case seen[n]:
			return fmt.Errorf("field \"mib\".\"nodes\"[%d]: field \"name\": node %s appears twice", k, oneline.Quote(s.Name))
		case !isFinite(s.Score):
			return fmt.Errorf("field \"mib\".\"nodes\"[%d]: field \"score\": expected a finite number, found %v", k, s.Score)
		}
		seen[n] = true
	}
	return nil
}

// mibFile is a circuit as the MIB benchmark and EAP-IG write it.
type mibFile struct {
	Config *mibConfig         `json:"cfg"`
	Nodes  map[string]mibPart `json:"nodes"`
	Edges  map[string]mibPart `json:"edges"`
}

// mibConfig is the shape of the model.
type mibConfig struct {
	Layers          int  `json:"n_layers"`
	Heads           int  `json:"n_heads"`
	ParallelAttnMLP bool `json:"parallel_attn_mlp"`
	DModel          int  `json:"d_model"`
}

// graph makes the graph that the file declares.
func (in *mibFile) graph() (*Graph, error) {
	if in.Config == nil || in.Edges == nil {
		return nil, errors.New("fields \"cfg\" and \"edges\": expected objects, found null or none")
	}
	g, err := New(Config{Definition: EAP, Layers: in.Config.Layers, Heads: in.Config.Heads, ParallelAttnMLP: in.Config.ParallelAttnMLP})
	if err != nil {
		return nil, fmt.Errorf("field \"cfg\": %w", err)
	}
	return g, nil
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
	g, err := in.graph()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{}
	if f.MIB, err = in.besides(g); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	mask, scores, err := in.circuit(g)
	if err != nil {
		return nil, fmt.Errorf("%s: field \"edges\": %w", name, err)
	}
	f.SetCircuit(g, mask, scores, true)
	return f, nil
}

// besides is what the file says besides its edges: nil where that is nothing.
func (in *mibFile) besides(g *Graph) (*MIB, error) {
	out := &MIB{DModel: in.Config.DModel}
	scores := map[Node]float64{}
	for _, name := range slices.Sorted(maps.Keys(in.Nodes)) {
		n, err := g.ParseNode(name)
		if err != nil {
			return nil, fmt.Errorf("field \"nodes\": %w", err)
		}
		if score := in.Nodes[name].Score; score != nil && isFinite(*score) {
			scores[n] = *score
		}
	}
	for _, n := range append(slices.Clone(g.Senders()), Node{Kind: Output}) {
		if score, ok := scores[n]; ok {
			out.Nodes = append(out.Nodes, NodeScore{n.String(), score})
		}
	}
	if out.DModel == 0 {
		return nil, nil // an older file, which does not say it
	}
	if err := out.check(g); err != nil {
		return nil, err
	}
	return out, nil
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
