package circuit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// GraphInfo is a graph's configuration as files declare it.
type GraphInfo struct {
	Definition      Definition `json:"definition"`
	Layers          int        `json:"n_layers"`
	Heads           int        `json:"n_heads"`
	AttnOnly        bool       `json:"attn_only"`
	ParallelAttnMLP bool       `json:"parallel_attn_mlp"`
	SplitEmbed      bool       `json:"split_embed"`
}

// Info returns the configuration in the form that files declare it.
func (t *Template) Info() GraphInfo { return GraphInfo(t.Config()) }

// Run is everything that decides a result: whoever does the same again gets the
// same numbers. A field that says nothing is empty.
type Run struct {
	Algorithm      string   `json:"algorithm,omitempty"`
	Task           string   `json:"task,omitempty"`
	Data           string   `json:"data,omitempty"`
	Model          string   `json:"model,omitempty"`
	Metric         string   `json:"metric,omitempty"`
	Ablation       string   `json:"ablation,omitempty"`
	Order          string   `json:"order,omitempty"`
	Seed           uint64   `json:"seed"`
	Examples       int      `json:"examples"`
	Half           string   `json:"half,omitempty"`          // of a task's prompts, empty for validation
	Variant        string   `json:"variant,omitempty"`       // of a task's prompts, empty for the first
	BOS            *bool    `json:"bos,omitempty"`           // whether a start token stands before the prompts, nil as task or data have it
	Processing     []string `json:"processing,omitzero"`     // what was done to the weights, by TransformerLens' names
	ResetWeights   *uint64  `json:"reset_weights,omitempty"` // the seed that the weights were shuffled by, as a control
	Threshold      float64  `json:"threshold"`
	AbsoluteValue  bool     `json:"absolute_value,omitempty"`
	PosPermutation []int    `json:"pos_permutation,omitempty"`
	WeightsDigest  string   `json:"weights_sha256,omitempty"` // of configuration and weights as they ran, in hexadecimal
	PromptsDigest  string   `json:"prompts_sha256,omitempty"` // of the token ids and what else the data say

	Constants *Constants      `json:"constants,omitempty"` // what ablated senders send, of optimal ablation
	Options   json.RawMessage `json:"options,omitempty"`   // the algorithm's own
	Selection *Selection      `json:"selection,omitempty"` // how edges were chosen by their scores, nil where the algorithm decides by itself
}

// Cost is what a result took, in exact counts.
type Cost struct {
	Tests         int     `json:"tests"`          // edges tested
	Nodes         int64   `json:"nodes"`          // nodes recomputed
	FLOP          int64   `json:"flop"`           // floating-point operations of the matrix products
	ForwardPasses float64 `json:"forward_passes"` // FLOP over those of one plain forward pass
}

// Measured is what a run found besides its edges.
type Measured struct {
	Initial     float64  `json:"initial"`   // the metric of the full model,
	Final       float64  `json:"final"`     // of the circuit,
	Corrupted   float64  `json:"corrupted"` // and of the corrupted run
	Cost        *Cost    `json:"cost,omitempty"`
	Idle        int      `json:"idle,omitempty"`         // kept edges that carry nothing
	DroppedIdle int      `json:"dropped_idle,omitempty"` // edges that were kept, carried nothing and were left out
	Screened    int      `json:"screened,omitempty"`     // edges that were removed before the first test
	Chosen      int      `json:"chosen,omitempty"`       // edges that were chosen by their scores, before those that lead nowhere were left out
	Warnings    []string `json:"warnings,omitempty"`
}

// FileEdge is one edge of a circuit file.
type FileEdge struct {
	Sender   string   `json:"sender"`
	Receiver string   `json:"receiver"`
	Kind     string   `json:"kind,omitempty"` // "direct", or empty for addition
	Score    *float64 `json:"score,omitempty"`
	Kept     bool     `json:"kept"`
	Idle     bool     `json:"idle,omitempty"` // kept, and carries nothing
}

// File is a circuit with what it came from: this project's own JSON. NaN and
// infinity never appear in it; an edge that was never scored has no score.
type File struct {
	Graph            GraphInfo `json:"graph"`
	Run              `json:"run"`
	Measured         Measured   `json:"measured"`
	EdgesTotal       int        `json:"edges_total"`
	EdgesKept        int        `json:"edges_kept"`
	AllEdgesIncluded bool       `json:"all_edges,omitempty"`
	MIB              *MIB       `json:"mib,omitempty"`
	Edges            []FileEdge `json:"edges"`
}

// resample is the ablation whose corrupted run is a run of the model.
const resample = "resample"

// OrphansIdle reports whether an edge carries nothing if nothing reaches its
// sender (see Graph.Prune). A circuit whose ablation is not known is taken as
// one of resample ablation.
func (r *Run) OrphansIdle() bool { return r.Ablation == "" || r.Ablation == resample }

// SetCircuit writes graph, mask and scores into the file: the kept edges, or
// with all also those that were scored and removed. A NaN score means that the
// edge has none. Edges stand in the order of their numbers. Which edges are idle
// depends on the ablation, which must be there before.
func (f *File) SetCircuit(g *Graph, m Mask, scores Scores, all bool) {
	g.checkMask("SetCircuit", m)
	if scores != nil && len(scores) != len(m) {
		panic(fmt.Sprintf("circuit: SetCircuit: %d scores, the graph has %d edges", len(scores), len(m)))
	}
	f.Graph = g.Info()
	f.EdgesTotal, f.EdgesKept = g.NumEdges(), m.Count()
	f.AllEdgesIncluded = all
	idle := g.Idle(m, f.OrphansIdle())
	f.Measured.Idle = idle.Count()
	f.Edges = []FileEdge{}
	for i, kept := range m {
		scored := scores != nil && !math.IsNaN(scores[i]) && !math.IsInf(scores[i], 0)
		if !kept && !(all && scored) {
			continue
		}
		out := g.newFileEdge(i)
		out.Kept, out.Idle = kept, idle[i]
		if scored {
			out.Score = &scores[i]
		}
		f.Edges = append(f.Edges, out)
	}
}

// newFileEdge names an edge of the graph.
func (g *Graph) newFileEdge(i int) FileEdge {
	e := g.Edge(i)
	out := FileEdge{Sender: e.Sender.String(), Receiver: e.Receiver.ReceiverName()}
	if e.IsDirect() {
		out.Kind = kindDirect
	}
	return out
}

// DropIdle leaves out the edges that carry nothing, and returns how many there
// were. The metric stays what it is.
func (f *File) DropIdle() (int, error) {
	g, m, scores, err := f.Circuit()
	if err != nil {
		return 0, err
	}
	n := g.Prune(m, f.OrphansIdle())
	f.SetCircuit(g, m, scores, f.AllEdgesIncluded)
	f.Measured.DroppedIdle += n
	return n, nil
}

// Select makes the circuit the one that a selection takes by the file's scores,
// of which there must be some. What was measured of the old one is gone.
func (f *File) Select(s Selection) error {
	g, _, scores, err := f.Circuit()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(scores, func(x float64) bool { return !math.IsNaN(x) }) {
		return errors.New("expected edges with scores, found none")
	}
	m, err := s.Choose(g, scores)
	if err != nil {
		return err
	}
	f.SetCircuit(g, m, scores, f.AllEdgesIncluded)
	f.Selection, f.Threshold = &s, 0
	f.Measured = Measured{Idle: f.Measured.Idle, Chosen: g.CountChosen(m), Warnings: f.Measured.Warnings}
	return nil
}

// Circuit returns the graph that the file declares, the mask of its kept edges
// and the scores, NaN where an edge has none. An unknown, duplicate or
// impossible edge is an error that names it.
func (f *File) Circuit() (*Graph, Mask, Scores, error) {
	g, err := New(Config(f.Graph))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("field \"graph\": %w", err)
	}
	if f.EdgesTotal != g.NumEdges() {
		return nil, nil, nil, fmt.Errorf("field \"edges_total\": expected %d for this graph, found %d", g.NumEdges(), f.EdgesTotal)
	}
	if f.Selection != nil {
		if err := f.Selection.Check(g); err != nil {
			return nil, nil, nil, fmt.Errorf("field \"selection\": %w", err)
		}
	}
	if err := f.MIB.check(g); err != nil {
		return nil, nil, nil, err
	}
	mask, scores, seen := g.Empty(), noScores(g), make(Mask, g.NumEdges())
	for k, fe := range f.Edges {
		i, err := g.fileEdge(fe)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("field \"edges\"[%d]: %w", k, err)
		}
		if seen[i] {
			return nil, nil, nil, fmt.Errorf("field \"edges\"[%d]: edge \"%v\" appears twice", k, g.Edge(i))
		}
		seen[i], mask[i] = true, fe.Kept
		if fe.Score != nil {
			scores[i] = *fe.Score
		}
	}
	if n := mask.Count(); n != f.EdgesKept {
		return nil, nil, nil, fmt.Errorf("field \"edges_kept\": expected %d, the number of edges with \"kept\": true, found %d", n, f.EdgesKept)
	}
	return g, mask, scores, nil
}

// noScores are the scores of a graph of which no edge has one.
func noScores(g *Graph) Scores {
	s := make(Scores, g.NumEdges())
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}

// The kinds of edges in a file.
const (
	kindDirect   = "direct"
	kindAddition = "addition"
)

// fileEdge finds an edge of a file in the graph.
func (g *Graph) fileEdge(fe FileEdge) (int, error) {
	name := oneline.Quote(fe.Sender + "->" + fe.Receiver)
	sender, err := g.ParseNode(fe.Sender)
	if err != nil {
		return 0, fmt.Errorf("edge %s: field \"sender\": %w", name, err)
	}
	receiver, err := g.ParseNode(fe.Receiver)
	if err != nil {
		return 0, fmt.Errorf("edge %s: field \"receiver\": %w", name, err)
	}
	e, want := edgeOf(sender, receiver), kindAddition
	if e.IsDirect() {
		want = kindDirect
	}
	if fe.Kind != want && !(fe.Kind == "" && want == kindAddition) {
		return 0, fmt.Errorf("edge %s: field \"kind\": expected %q, found %s", name, want, oneline.Quote(fe.Kind))
	}
	return g.find(e)
}
