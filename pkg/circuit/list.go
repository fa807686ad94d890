package circuit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// claim is an edge as a file of whatever format has it, before it is looked up.
type claim struct {
	place string // in the file
	FileEdge
	any bool // the kind is not told: direct edges are known by their ends
}

// find looks the edge up.
func (c claim) find(g *Graph) (int, error) {
	if c.any {
		c.Kind = ""
		sender, err := g.ParseNode(c.Sender)
		if err == nil && sender.Kind >= QInput && sender.Kind <= VInput {
			c.Kind = kindDirect
		}
	}
	return g.fileEdge(c.FileEdge)
}

// list is what a file of a bare format says, and the graph it is read in.
type list struct {
	Config
	edges []claim
}

// graph makes the graph.
func (l *list) graph() (*Graph, error) { return New(l.Config) }

// readList reads the lines or pairs of a file. Which graph it is of shows in the
// names, as far as it is not known.
func readList(ctx context.Context, name string, data []byte, kind Format, c Config) (*list, error) {
	out := &list{Config: c}
	var err error
	switch kind {
	case PruningJSON:
		out.edges, err = readPairs(ctx, name, data)
		out.Definition, out.SplitEmbed = EAP, true
	case EdgeList:
		out.edges, err = readLines(ctx, name, data)
		for _, e := range out.edges {
			out.SplitEmbed = out.SplitEmbed || e.Sender == Short.Pattern(Embed) || e.Sender == Short.Pattern(PosEmbed)
			if out.Definition == "" && strings.HasSuffix(e.Sender, ".input") {
				out.Definition = ACDC
			}
		}
		if out.Definition == "" {
			out.Definition = EAP
		}
	default:
		_, err = choice.Parse("format of a list", string(kind), []Format{PruningJSON, EdgeList})
	}
	return out, err
}

// readPairs reads Edge-Pruning's edges.json.
func readPairs(ctx context.Context, name string, data []byte) ([]claim, error) {
	var pairs [][]string
	if err := jsonfile.Decode(ctx, name, data, &pairs); err != nil {
		return nil, err
	}
	var out []claim
	for k, pair := range pairs {
		place := fmt.Sprintf("pair %d", k+1)
		if len(pair) != 2 {
			return nil, fmt.Errorf("%s: %s: expected two names, found %d", name, place, len(pair))
		}
		out = append(out, claim{place: place, FileEdge: FileEdge{Sender: pair[0], Receiver: pair[1], Kept: true}, any: true})
	}
	return out, nil
}

// readLines reads edges as text. Empty lines are skipped.
func readLines(ctx context.Context, name string, data []byte) ([]claim, error) {
	var out []claim
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, mostText)
	for k := 1; lines.Scan(); k++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text := strings.TrimSuffix(lines.Text(), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		place := fmt.Sprintf("line %d", k)
		cells := strings.Split(text, "\t")
		if len(cells) < 2 || len(cells) > 3 {
			return nil, fmt.Errorf("%s: %s: expected sender, receiver and, if there is one, score with tabs between, found %s", name, place, oneline.Quote(text))
		}
		c := claim{place: place, FileEdge: FileEdge{Sender: cells[0], Receiver: cells[1], Kept: true}, any: true}
		if len(cells) == 3 && cells[2] != "" {
			x, err := strconv.ParseFloat(cells[2], 64)
			if err != nil || !isFinite(x) {
				return nil, fmt.Errorf("%s: %s: score: expected a finite number, found %s", name, place, oneline.Quote(cells[2]))
			}
			c.Score = &x
		}
		out = append(out, c)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: expected lines of at most %d bytes, found a longer one", name, mostText)
	}
	return out, nil
}

// encodeList writes the kept edges as text.
func (f *File) encodeList(w io.Writer) error {
	var b bytes.Buffer
	for _, e := range f.Edges {
		if !e.Kept {
			continue
		}
		score := "" // of an edge that was not tested
		if e.Score != nil {
			score = strconv.FormatFloat(*e.Score, 'g', -1, 64)
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", e.Sender, e.Receiver, score)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// encodePruning writes the kept edges as Edge-Pruning's edges.json, in its names.
func (f *File) encodePruning(w io.Writer) error {
	g, m, _, err := f.Circuit()
	if err != nil {
		return err
	}
	pairs := [][2]string{}
	for i, present := range m {
		if !present {
			continue
		}
		e := g.Edge(i)
		to := e.Receiver
		if _, ok := to.Letter(); ok {
			to.Kind += Q - QInput
		} else {
			to = to.Part()
		}
		pairs = append(pairs, [2]string{Pruning.Name(e.Sender), Pruning.Name(to)})
	}
	text, err := json.Marshal(pairs)
	if err != nil {
		return fmt.Errorf("edges: %w", err)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
