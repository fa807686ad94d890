package circuit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// Format is a way to write circuits in files.
type Format string

// The formats. All are read and written.
const (
	// Own is the JSON of this project (File).
	Own Format = "json"
	// MIBJSON is that of the MIB benchmark and EAP-IG.
	MIBJSON Format = "mib"
	// PruningJSON is the edges.json of Edge-Pruning: pairs of names of kept edges.
	PruningJSON Format = "edge-pruning"
	// EdgeList is text: sender, receiver and score of kept edges, a tab between.
	EdgeList Format = "edges"
)

// Formats lists the formats.
func Formats() []Format { return []Format{Own, MIBJSON, PruningJSON, EdgeList} }

// Bare reports whether a format lists edges and nothing else, so that its reader
// must know the graph.
func (f Format) Bare() bool { return f == PruningJSON || f == EdgeList }

// Detect says in which format a text seems to be written.
func Detect(ctx context.Context, data []byte) Format {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(text) > 0 && text[0] == '[':
		return PruningJSON
	case len(text) == 0 || text[0] != '{':
		return EdgeList
	}
	var keys map[string]json.RawMessage
	err := jsonfile.DecodeWith(ctx, "", data, &keys, jsonfile.Options{NonFinite: true})
	if err == nil && keys["graph"] == nil && keys["cfg"] != nil {
		return MIBJSON
	}
	return Own
}

// DecodeList reads a circuit of a bare format, in a graph that the caller knows
// of. Where its definition is empty, it is that with direct edges if the text has
// any; embeddings are split where the text's are.
func DecodeList(ctx context.Context, name string, data []byte, kind Format, c Config) (*File, error) {
	in, err := readList(ctx, name, data, kind, c)
	if err != nil {
		return nil, err
	}
	g, err := in.graph()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	mask, scores, seen := g.Empty(), noScores(g), map[int]bool{}
	for _, e := range in.edges {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i, err := e.find(g)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, e.place, err)
		}
		if seen[i] {
			return nil, fmt.Errorf("%s: %s: edge \"%v\" appears twice", name, e.place, g.Edge(i))
		}
		seen[i], mask[i] = true, true
		if e.Score != nil {
			scores[i] = *e.Score
		}
	}
	f := &File{}
	f.SetCircuit(g, mask, scores, false)
	return f, nil
}

// EncodeAs writes the circuit in a format, and says in sentences what is lost: a
// graph that the format does not know is told in one that it does. The MIB format
// declares the model's width, which must be known.
func (f *File) EncodeAs(w io.Writer, kind Format) (lost []string, err error) {
	if w == nil {
		panic("circuit: EncodeAs without a writer")
	}
	if _, err := choice.Parse("format", string(kind), Formats()); err != nil {
		return nil, err
	}
	out, lost, err := f.as(kind)
	if err != nil {
		return nil, err
	}
	switch kind {
	case MIBJSON:
		return lost, out.encodeMIB(w)
	case PruningJSON:
		return append(lost, f.unlisted(false)...), out.encodePruning(w)
	case EdgeList:
		return append(lost, out.unlisted(true)...), out.encodeList(w)
	}
	return nil, out.Encode(w)
}

// as is the circuit in a graph that a format knows.
func (f *File) as(kind Format) (*File, []string, error) {
	c := Config(f.Graph)
	var lost []string
	switch kind {
	case MIBJSON:
		if c.AttnOnly {
			lost = append(lost, "the format has MLPs in every layer: they are written without edges in the circuit")
		}
		c.Definition, c.SplitEmbed, c.AttnOnly = EAP, false, false
	case PruningJSON:
		c.Definition, c.SplitEmbed = EAP, true
	}
	if c == Config(f.Graph) {
		return f, nil, nil
	}
	out, words, err := f.In(c)
	if err != nil {
		return nil, nil, err
	}
	if kind == PruningJSON {
		words.Divided = 0 // no score is written
	}
	return out, append(lost, words.Words()...), nil
}

// unlisted says what a list of kept edges leaves out.
func (f *File) unlisted(hasScores bool) []string {
	removed, scored := 0, 0
	for _, e := range f.Edges {
		if !e.Kept {
			removed++
		}
		if e.Score != nil {
			scored++
		}
	}
	switch {
	case !hasScores && scored > 0:
		return []string{fmt.Sprintf("the scores of %d edges are left out: the format has none", scored)}
	case hasScores && removed > 0:
		return []string{fmt.Sprintf("%d edges that have scores and are not kept are left out", removed)}
	}
	return nil
}
