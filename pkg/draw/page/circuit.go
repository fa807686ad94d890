package page

import (
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
)

// Options say what of a circuit is shown, and how it is called.
type Options struct {
	Caption draw.Caption
	Groups  map[circuit.Node]draw.Group // roles
	Idle    circuit.Mask                // edges that carry nothing; nil for none
	Parts   []draw.Part                 // what edges are told by; nil for none
	All     bool                        // also the edges that are not kept, to be added by hand
}

// New makes the nodes and edges of a circuit, on a grid. scores may be nil, and
// NaN where an edge has none. It panics if mask, scores or parts are not of the
// graph.
func New(g *circuit.Graph, m circuit.Mask, scores circuit.Scores, o Options) (*Data, error) {
	n := g.NumEdges()
	if len(m) != n || scores != nil && len(scores) != n || o.Idle != nil && len(o.Idle) != n {
		panic(fmt.Sprintf("page: graph of %d edges, mask of %d, scores of %d, idle edges of %d", n, len(m), len(scores), len(o.Idle)))
	}
	for _, part := range o.Parts {
		if len(part.Edges) != n {
			panic(fmt.Sprintf("page: graph of %d edges, part of %d", n, len(part.Edges)))
		}
	}
	d := &Data{Version: Version, Title: o.Caption.Title, Lines: append([]string{}, o.Caption.Lines...), Graph: g.Info(), EdgesTotal: n,
		Names: patterns(), Edges: []Edge{}, Settings: []Setting{}, Citation: citation}
	at, err := d.addNodes(g)
	if err != nil {
		return nil, err
	}
	for i, kept := range m {
		if kept || o.All {
			d.addEdge(g, at, i, kept, scores, o)
		}
	}
	for i := range d.Nodes {
		k := d.Nodes[i].Kind
		d.Nodes[i].In = d.Nodes[i].In || k <= circuit.PosEmbed || k == circuit.Output
	}
	if err := d.addGroups(at, o.Groups); err != nil {
		return nil, err
	}
	for _, part := range o.Parts {
		d.Parts = append(d.Parts, part.Name)
	}
	d.Grid = d.grid()
	return d, nil
}

// mostNodes bounds the graphs of which a page is made: what is behind it nobody
// can look at.
const mostNodes = 20_000

// addNodes adds the parts of a graph, and returns where each is.
func (d *Data) addNodes(g *circuit.Graph) (map[circuit.Node]int, error) {
	parts := append(append([]circuit.Node{}, g.Senders()...), circuit.Node{Kind: circuit.Output})
	if len(parts) > mostNodes {
		return nil, fmt.Errorf("a page of %d heads and MLPs: expected at most %d", len(parts), mostNodes)
	}
	at := make(map[circuit.Node]int, len(parts))
	for i, n := range parts {
		at[n] = i
		d.Nodes = append(d.Nodes, Node{Kind: n.Kind, Layer: n.Layer, Head: n.Head})
	}
	return at, nil
}

// addEdge adds edge i of the graph.
func (d *Data) addEdge(g *circuit.Graph, at map[circuit.Node]int, i int, kept bool, scores circuit.Scores, o Options) {
	e := g.Edge(i)
	out := Edge{Number: i, From: at[e.Sender.Part()], To: at[e.Receiver.Part()], Port: portOf(e.Receiver), Direct: e.IsDirect(), Kept: kept,
		Idle: o.Idle != nil && o.Idle[i]}
	if scores != nil && !math.IsNaN(scores[i]) && !math.IsInf(scores[i], 0) {
		out.Effect = &scores[i]
	}
	for k, part := range o.Parts {
		if part.Edges[i] {
			out.Part = &k
			break
		}
	}
	d.Edges = append(d.Edges, out)
	if kept {
		d.Nodes[out.From].In, d.Nodes[out.To].In = true, true
	}
}

// portOf is the port of a receiver.
func portOf(n circuit.Node) Port {
	if c, ok := n.Letter(); ok {
		return Port(c)
	}
	return NoPort
}

// addGroups gives nodes their roles, with the colours that pictures have.
func (d *Data) addGroups(at map[circuit.Node]int, groups map[circuit.Node]draw.Group) error {
	colors, err := draw.GroupColors(groups)
	if err != nil {
		return err
	}
	place := map[string]int{}
	for _, c := range colors {
		place[c.Name] = len(d.Groups)
		d.Groups = append(d.Groups, Group{c.Name, c.Color})
	}
	for n, g := range groups {
		if i, ok := at[n]; ok {
			k := place[g.Name]
			d.Nodes[i].Group = &k
		}
	}
	return nil
}

// patterns are the names of all kinds of nodes.
func patterns() (out [][]string) {
	for k := circuit.Input; k <= circuit.Output; k++ {
		var names []string
		for _, d := range circuit.Dialects() {
			names = append(names, d.Pattern(k))
		}
		out = append(out, names)
	}
	return out
}

// citation is what a result is cited by.
const citation = `@inproceedings{conmy2023automated,
  title     = {Towards Automated Circuit Discovery for Mechanistic Interpretability},
  author    = {Arthur Conmy and Augustine N. Mavor-Parker and Aengus Lynch and Stefan Heimersheim and Adri{\` + "`" + `a} Garriga-Alonso},
  booktitle = {Advances in Neural Information Processing Systems},
  volume    = {36},
  year      = {2023},
  eprint    = {2304.14997},
  archivePrefix = {arXiv}
}`
