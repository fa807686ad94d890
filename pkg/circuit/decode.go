package circuit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// flatFile is a circuit file as it was before run and measured were objects of
// their own: their fields stood beside the graph.
type flatFile struct {
	Graph GraphInfo `json:"graph"`
	Run
	Initial          float64    `json:"metric_initial"`
	Final            float64    `json:"metric_final"`
	Corrupted        float64    `json:"metric_corrupted"`
	Cost             *Cost      `json:"cost"`
	Warnings         []string   `json:"warnings"`
	EdgesTotal       int        `json:"edges_total"`
	EdgesKept        int        `json:"edges_kept"`
	AllEdgesIncluded bool       `json:"all_edges"`
	Edges            []FileEdge `json:"edges"`
}

// file is the same in the present form.
func (f *flatFile) file() *File {
	return &File{Graph: f.Graph, Run: f.Run,
		Measured:   Measured{Initial: f.Initial, Final: f.Final, Corrupted: f.Corrupted, Cost: f.Cost, Warnings: f.Warnings},
		EdgesTotal: f.EdgesTotal, EdgesKept: f.EdgesKept, AllEdgesIncluded: f.AllEdgesIncluded, Edges: f.Edges}
}

// MaxFile bounds a circuit file, in bytes: that of GPT-2 XL with all its edges has
// half of it.
const MaxFile = 512 << 20

// Decode reads a circuit file, or one of the MIB benchmark and EAP-IG; name is
// what errors call it. Whatever the file calls its edges, they have their short
// names afterwards, and which of them are idle is found out anew. Where
// the context ends, its error is returned.
func Decode(ctx context.Context, name string, r io.Reader) (*File, error) {
	if r == nil {
		panic("circuit: Decode without a reader")
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var keys map[string]json.RawMessage
	if err := jsonfile.DecodeWith(ctx, name+": not a circuit file", data, &keys, jsonfile.Options{NonFinite: true}); err != nil {
		return nil, err
	}
	if _, ok := keys["graph"]; !ok && keys["cfg"] != nil {
		return decodeMIB(ctx, name, data)
	}
	f, err := decodeOwn(ctx, name, data, keys["run"] == nil && keys["measured"] == nil)
	if err == nil {
		err = f.settle(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// decodeOwn reads a circuit file of the present or the flat form as it stands.
func decodeOwn(ctx context.Context, name string, data []byte, isFlat bool) (*File, error) {
	if isFlat {
		flat := &flatFile{}
		err := jsonfile.Decode(ctx, name, data, flat)
		return flat.file(), err
	}
	f := &File{}
	err := jsonfile.Decode(ctx, name, data, f)
	return f, err
}

// settle checks what a file says, names its edges, and finds the idle ones.
func (f *File) settle(ctx context.Context, name string) error {
	if f.Graph.Definition == "" {
		return fmt.Errorf("%s: field \"graph\".\"definition\" is missing: expected one of %s", name, choice.List(Definitions()))
	}
	if f.Edges == nil {
		return fmt.Errorf("%s: field \"edges\" is missing", name)
	}
	if err := f.check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	g, m, _, err := f.Circuit()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	idle := g.Idle(m, f.OrphansIdle())
	f.Measured.Idle = idle.Count()
	for k, fe := range f.Edges {
		if err := ctx.Err(); err != nil {
			return err
		}
		i, err := g.fileEdge(fe)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		own := g.newFileEdge(i)
		own.Kept, own.Score, own.Idle = fe.Kept, fe.Score, idle[i]
		f.Edges[k] = own
	}
	return nil
}
