package circuit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// encodeMIB writes the circuit as EAP-IG's Graph.to_json does, byte by byte: every
// node and every edge of the graph in its order, numbers as Python writes them, a
// bare NaN for an edge without a score, which its reader wants. It is of the graph
// without direct edges, with one embedding and with MLPs.
func (f *File) encodeMIB(w io.Writer) error {
	g, m, scores, err := f.Circuit()
	if err != nil {
		return err
	}
	if f.MIB == nil {
		return errors.New("field \"mib\".\"d_model\": expected the model's width, which the MIB format declares, found none")
	}
	c := g.Config()
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"cfg": {"n_layers": %d, "n_heads": %d, "parallel_attn_mlp": %t, "d_model": %d}, "nodes": {`, c.Layers, c.Heads, c.ParallelAttnMLP, f.MIB.DModel)
	named := map[string]float64{}
	for _, s := range f.MIB.Nodes {
		named[s.Name] = s.Score
	}
	in := g.Parts(m)
	for k, n := range append(slices.Clone(g.Senders()), Node{Kind: Output}) {
		fmt.Fprintf(&b, `%s"%v": {"in_graph": %t`, separator(k), n, in[n])
		if score, ok := named[n.String()]; ok {
			b.WriteString(`, "score": ` + pythonNumber(score))
		}
		b.WriteString("}")
	}
	b.WriteString(`}, "edges": {`)
	for k, i := range g.inMIBsOrder() {
		fmt.Fprintf(&b, `%s"%v": {"score": %s, "in_graph": %t}`, separator(k), g.Edge(i), pythonNumber(scores[i]), m[i])
	}
	b.WriteString("}}")
	_, err = w.Write(b.Bytes())
	return err
}

// separator stands before the k-th member of a list.
func separator(k int) string {
	if k == 0 {
		return ""
	}
	return ", "
}

// pythonNumber is a number as Python's repr writes it.
func pythonNumber(x float64) string {
	const least, most = 1e-4, 1e16 // between which Python writes no exponent
	if math.IsNaN(x) {
		return "NaN"
	}
	if size := math.Abs(x); size != 0 && (size < least || size >= most) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// inMIBsOrder lists the edges in the order in which EAP-IG makes them: layer by
// layer those into the heads, sender by sender, then those into the MLP; in
// parallel blocks both, sender by sender.
func (g *Graph) inMIBsOrder() []int {
	out := make([]int, 0, g.NumEdges())
	for lo := 0; lo < len(g.receivers); {
		hi, heard := lo+1, g.first[lo+1]-g.first[lo]
		for hi < len(g.receivers) && g.receivers[hi].Layer == g.receivers[lo].Layer && g.first[hi+1]-g.first[hi] == heard {
			hi++
		}
		var group []int
		for r := lo; r < hi; r++ {
			group = append(group, r)
		}
		slices.SortStableFunc(group, func(a, b int) int { // a head's q, k and v together; the MLP stays last
			x, y := g.receivers[a], g.receivers[b]
			if x.Kind > VInput || y.Kind > VInput {
				return a - b
			}
			return cmp.Or(x.Head-y.Head, int(x.Kind)-int(y.Kind))
		})
		for s := range heard {
			for _, r := range group {
				out = append(out, g.first[r]+s)
			}
		}
		lo = hi
	}
	return out
}
