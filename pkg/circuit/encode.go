package circuit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// unmeasured is a run without what only a measurement decides on, which a
// circuit from a paper has none of: the fields here hide those of the same
// names.
type unmeasured struct {
	*Run
	Seed      *uint64  `json:"seed,omitempty"`
	Examples  *int     `json:"examples,omitempty"`
	Threshold *float64 `json:"threshold,omitempty"`
}

// uncounted is a measurement without its numbers.
type uncounted struct {
	*Measured
	Initial   *float64 `json:"initial,omitempty"`
	Final     *float64 `json:"final,omitempty"`
	Corrupted *float64 `json:"corrupted,omitempty"`
}

// isMeasured reports whether any number of a measurement is there to be
// written.
func (f *File) isMeasured() bool {
	return f.Metric != "" || f.Seed != 0 || f.Examples != 0 || f.Threshold != 0 ||
		f.Measured.Initial != 0 || f.Measured.Final != 0 || f.Measured.Corrupted != 0
}

// Encode writes the file as indented JSON, one edge a line. A file in which no
// metric is named, and all numbers of its measurement are 0, has none of them.
// What a terminal would obey is escaped.
func (f *File) Encode(w io.Writer) error {
	if w == nil {
		panic("circuit: Encode without a writer")
	}
	head := struct {
		Graph      GraphInfo `json:"graph"`
		Run        any       `json:"run"`
		Measured   any       `json:"measured"`
		EdgesTotal int       `json:"edges_total"`
		EdgesKept  int       `json:"edges_kept"`
		All        bool      `json:"all_edges,omitempty"`
		MIB        *MIB      `json:"mib,omitempty"`
		Edges      *int      `json:"edges"`
	}{f.Graph, &f.Run, &f.Measured, f.EdgesTotal, f.EdgesKept, f.AllEdgesIncluded, f.MIB, nil}
	if !f.isMeasured() {
		head.Run, head.Measured = unmeasured{Run: &f.Run}, uncounted{Measured: &f.Measured}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(head); err != nil {
		return fmt.Errorf("circuit file: %w", err)
	}
	b.Truncate(b.Len() - len("null\n}\n")) // of the edges, which stand last
	b.WriteString("[")
	for i, e := range f.Edges {
		if i > 0 {
			b.WriteByte(',')
		}
		line, err := oneLine(e)
		if err != nil {
			return fmt.Errorf("circuit file: edge %s->%s: %w", e.Sender, e.Receiver, err)
		}
		b.WriteString("\n  " + line)
	}
	if len(f.Edges) > 0 {
		b.WriteString("\n ")
	}
	b.WriteString("]\n}\n")
	_, err := w.Write(oneline.JSON(b.Bytes()))
	return err
}

// oneLine is a value as JSON without line breaks.
func oneLine(x any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(x)
	return strings.TrimSuffix(b.String(), "\n"), err
}
