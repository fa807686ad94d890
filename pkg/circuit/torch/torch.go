// Package torch reads the circuits that EAP-IG (Graph.to_pt) and the reference
// implementation of ACDC (save_edges, save_subgraph) save as pickles.
//
// A file of EAP-IG is a dict of cfg, the shape of the model; edges_scores f32[F,B] and
// edges_in_graph bool[F,B]; and maybe nodes_scores f32[F]. F = 1 + L(H+1) rows are
// the senders, the input and of each layer its heads and its MLP; B = L(3H+1) + 1
// columns are the receivers, of each layer q, k and v of its heads and its MLP, and
// the logits last. Cells of edges that cannot exist are there, and empty.
//
// One of ACDC's is a dict of every edge to whether it is kept, by PyTorch, or a list of
// the kept ones with their effects (acdc.go).
//
// It knows the names in these; what a pickle is, package weights knows. Of classes it
// lets TorchIndex in, whose attributes are read and which is never run.
package torch

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Is reports whether a text begins as torch.save's files do.
func Is(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

// Decode reads a circuit; name is what errors call it. Where the context ends,
// its error is returned.
func Decode(ctx context.Context, name string, data []byte) (*circuit.File, error) {
	in, err := weights.DecodeFile(ctx, name, data)
	if err != nil {
		if root, plain := weights.DecodePickle(ctx, name, data, isIndex); plain == nil {
			if pairs, ok := root.([]weights.Pair); ok && len(pairs) > 0 {
				if _, ok := pairs[0].Key.([]any); ok {
					return decodeSubgraph(name, pairs)
				}
			}
		}
		return nil, err
	}
	defer in.Close() // memory: nothing can be lost
	c, width, err := config(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	g, err := circuit.New(c)
	if err != nil {
		return nil, fmt.Errorf("%s: cfg: %w", name, err)
	}
	scores, err := in.Float32Shape(ctx, "edges_scores", len(g.Senders()), len(g.Receivers()))
	if err != nil {
		return nil, err
	}
	kept, shape, err := in.Bools(ctx, "edges_in_graph")
	if err != nil {
		return nil, err
	}
	if len(shape) != 2 || shape[0] != len(g.Senders()) || shape[1] != len(g.Receivers()) {
		return nil, fmt.Errorf("%s: edges_in_graph: shape [%d %d] expected, found %v", name, len(g.Senders()), len(g.Receivers()), shape)
	}
	mask, byEdge := g.Empty(), make(circuit.Scores, g.NumEdges())
	for cell := range kept {
		e := circuit.Edge{Sender: g.Senders()[cell/shape[1]], Receiver: g.Receivers()[cell%shape[1]]}
		i, ok := g.Index(e)
		if !ok && kept[cell] {
			return nil, fmt.Errorf("%s: edges_in_graph: edge \"%v\" is impossible: false expected, found true", name, e)
		} else if ok {
			mask[i], byEdge[i] = kept[cell], float64(scores[cell])
		}
	}
	f := &circuit.File{}
	if width > 0 {
		f.MIB = &circuit.MIB{DModel: width}
		if err := addNodes(ctx, in, g, f.MIB); err != nil {
			return nil, err
		}
	}
	f.SetCircuit(g, mask, byEdge, true)
	if _, _, _, err := f.Circuit(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// config is the shape of the model, and its width, 0 where the file does not say
// it.
func config(in *weights.File) (circuit.Config, int, error) {
	c := circuit.Config{Definition: circuit.EAP}
	facts, width := in.Metadata(), 0
	for _, x := range []struct {
		name string
		into *int
		must bool
	}{{"n_layers", &c.Layers, true}, {"n_heads", &c.Heads, true}, {"d_model", &width, false}} {
		text, ok := facts["cfg."+x.name]
		n, err := strconv.Atoi(text)
		if err != nil && (ok || x.must) || n < 0 {
			return c, 0, fmt.Errorf("cfg: %s: expected a whole number, found %s", x.name, oneline.Quote(text))
		}
		*x.into = n
	}
	c.ParallelAttnMLP = facts["cfg.parallel_attn_mlp"] == "true"
	return c, width, nil
}

// addNodes adds the scores of nodes, where the file has them.
func addNodes(ctx context.Context, in *weights.File, g *circuit.Graph, to *circuit.MIB) error {
	if !in.Has("nodes_scores") {
		return nil
	}
	scores, err := in.Float32Shape(ctx, "nodes_scores", len(g.Senders()))
	if err != nil {
		return err
	}
	for i, n := range g.Senders() {
		if x := float64(scores[i]); !math.IsNaN(x) && !math.IsInf(x, 0) {
			to.Nodes = append(to.Nodes, circuit.NodeScore{Name: n.String(), Score: x})
		}
	}
	return nil
}
