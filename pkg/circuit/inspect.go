package circuit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Violation is one kind of what a file must not have.
type Violation struct {
	Kind  string // what must hold
	Count int    // how often it does not
	First string // the first case, in words
}

// String is the violation in one line.
func (v Violation) String() string {
	if v.Count == 1 {
		return v.Kind + ": " + v.First
	}
	return fmt.Sprintf("%s: %d violations, the first: %s", v.Kind, v.Count, v.First)
}

// claims are what a file of any format says of its circuit, before any of it is
// believed.
type claims struct {
	graph   func() (*Graph, error)
	edges   []claim
	kept    *int // how many it says are kept,
	total   *int // and there are
	all     bool // every edge of the graph is listed
	nodes   map[string]mibPart
	orphans bool
	other   []error // in what is not about the graph
}

// Inspect looks for everything that cannot be in a circuit's file, which Decode
// and DecodeList stop at the first of: illegal edges, those that appear twice,
// counts that are not those of the declared graph, nodes that are in the circuit
// and on none of its edges or the other way round, edges that lie on no path from
// the input to the output. The graph of a bare format is the caller's. What is
// no text of the format is an error.
func Inspect(ctx context.Context, name string, data []byte, kind Format, c Config) ([]Violation, error) {
	in, err := readClaims(ctx, name, data, kind, c)
	if err != nil {
		return nil, err
	}
	var out violations
	for _, err := range in.other {
		out.add("fields", err.Error())
	}
	g, err := in.graph()
	if err != nil {
		out.add("graph", err.Error())
		return out, nil
	}
	m, listed := g.Empty(), g.Empty()
	for _, e := range in.edges {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i, err := e.find(g)
		switch {
		case err != nil:
			out.add("legal edges", err.Error())
			continue
		case listed[i]:
			out.add("every edge once", fmt.Sprintf("edge \"%v\"", g.Edge(i)))
		}
		listed[i], m[i] = true, m[i] || e.Kept
	}
	in.counts(&out, g, m, listed)
	in.checkNodes(&out, g, m)
	for i, is := range g.Idle(m, in.orphans) {
		if is {
			out.add("reachable edges", fmt.Sprintf("edge \"%v\" is kept and on no path from the input to the output", g.Edge(i)))
		}
	}
	return out, nil
}

// violations gathers cases by their kind.
type violations []Violation

func (v *violations) add(kind, text string) {
	i := slices.IndexFunc(*v, func(x Violation) bool { return x.Kind == kind })
	if i < 0 {
		i = len(*v)
		*v = append(*v, Violation{Kind: kind, First: text})
	}
	(*v)[i].Count++
}

// counts holds numbers of edges to those of the graph and of the circuit.
func (in *claims) counts(out *violations, g *Graph, m, listed Mask) {
	if n := g.NumEdges(); in.total != nil && *in.total != n {
		out.add("edges of the graph", fmt.Sprintf("expected edges_total to be %d, found %d", n, *in.total))
	} else if found := listed.Count(); in.all && found != n {
		out.add("edges of the graph", fmt.Sprintf("expected all %d, found %d", n, found))
	}
	kept := 0
	for _, e := range in.edges {
		if e.Kept {
			kept++
		}
	}
	if in.kept != nil && *in.kept != kept {
		out.add("edges kept", fmt.Sprintf("expected edges_kept to be %d, the number of edges with \"kept\": true, found %d", kept, *in.kept))
	}
}

// checkNodes holds a file's list of nodes to its edges.
func (in *claims) checkNodes(out *violations, g *Graph, m Mask) {
	if in.nodes == nil {
		return
	}
	parts, listed := g.Parts(m), map[Node]bool{}
	for _, name := range slices.Sorted(maps.Keys(in.nodes)) {
		n, err := g.ParseNode(name)
		if err != nil {
			out.add("nodes of the graph", err.Error())
			continue
		}
		listed[n] = true
		part := in.nodes[name]
		if isIn := part.InGraph != nil && *part.InGraph; isIn != parts[n] {
			out.add("nodes of the circuit", fmt.Sprintf("node %s: expected \"in_graph\" to be %t, since %s, found %t",
				oneline.Quote(name), parts[n], map[bool]string{true: "an edge of the circuit touches it", false: "no edge of the circuit does"}[parts[n]], isIn))
		}
	}
	for _, n := range append(slices.Clone(g.Senders()), Node{Kind: Output}) {
		if !listed[n] {
			out.add("nodes of the graph", fmt.Sprintf("node %q is missing", n))
		}
	}
}

// readClaims reads a file of any format.
func readClaims(ctx context.Context, name string, data []byte, kind Format, c Config) (*claims, error) {
	switch kind {
	case Own:
		return ownClaims(ctx, name, data)
	case MIBJSON:
		return mibClaims(ctx, name, data)
	}
	in, err := readList(ctx, name, data, kind, c)
	if err != nil {
		return nil, err
	}
	return &claims{graph: in.graph, edges: in.edges, orphans: true}, nil
}

func ownClaims(ctx context.Context, name string, data []byte) (*claims, error) {
	var keys map[string]json.RawMessage
	if err := jsonfile.DecodeWith(ctx, name+": not a circuit file", data, &keys, jsonfile.Options{NonFinite: true}); err != nil {
		return nil, err
	}
	f, err := decodeOwn(ctx, name, data, keys["run"] == nil && keys["measured"] == nil)
	if err != nil {
		return nil, err
	}
	if f.Graph.Definition == "" || f.Edges == nil {
		return nil, fmt.Errorf("%s: fields \"graph\" and \"edges\": expected an object and a list, found null or none", name)
	}
	out := &claims{total: &f.EdgesTotal, kept: &f.EdgesKept, orphans: f.OrphansIdle()}
	if err := f.check(); err != nil {
		out.other = append(out.other, err)
	}
	out.graph = func() (*Graph, error) { return New(Config(f.Graph)) }
	for _, e := range f.Edges {
		out.edges = append(out.edges, claim{FileEdge: e})
	}
	return out, nil
}

func mibClaims(ctx context.Context, name string, data []byte) (*claims, error) {
	var in mibFile
	if err := jsonfile.DecodeWith(ctx, name, data, &in, jsonfile.Options{NonFinite: true}); err != nil {
		return nil, err
	}
	out := &claims{graph: in.graph, all: true, nodes: in.Nodes, orphans: true}
	if in.Nodes == nil {
		out.nodes = map[string]mibPart{}
	}
	for _, edge := range slices.Sorted(maps.Keys(in.Edges)) {
		part := in.Edges[edge]
		if part.InGraph == nil {
			out.other = append(out.other, fmt.Errorf("edge %s: field \"in_graph\" is missing", oneline.Quote(edge)))
		}
		c := claim{FileEdge: FileEdge{Kept: part.InGraph != nil && *part.InGraph}, any: true}
		var isArrow bool
		if c.Sender, c.Receiver, isArrow = cutArrow(edge); !isArrow {
			c.Sender, c.Receiver = "", edge
		}
		out.edges = append(out.edges, c)
	}
	return out, nil
}
