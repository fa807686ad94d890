package page

import (
	"encoding/json"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// Version is that of Data as JSON. It changes when a field changes its meaning.
const Version = 1

// Data is all that a page shows.
type Data struct {
	Version    int               `json:"version"`
	Title      string            `json:"title"`
	Lines      []string          `json:"lines"` // how it was found, as under a picture
	Graph      circuit.GraphInfo `json:"graph"`
	EdgesTotal int               `json:"edges_total"` // of the graph
	Names      [][]string        `json:"names"`       // by kind of node, its patterns in every dialect, L and H for layer and head; see circuit.Dialects
	Nodes      []Node            `json:"nodes"`       // of the whole graph, in the order of computation
	Edges      []Edge            `json:"edges"`
	Drawn      *Layout           `json:"drawn,omitempty"` // Graphviz's, nil for none
	Grid       Layout            `json:"grid"`
	Groups     []Group           `json:"groups,omitempty"` // roles of nodes
	Parts      []string          `json:"parts,omitempty"`  // what edges are told by, such as those of two circuits
	Measured   *Measured         `json:"measured,omitempty"`
	Circuits   []Circuit         `json:"circuits,omitempty"` // of a sweep, in the order of the slider
	Runs       *Runs             `json:"runs,omitempty"`     // what the model does
	Trace      *Trace            `json:"trace,omitempty"`
	Tables     []Table           `json:"tables,omitempty"`
	Lacks      []string          `json:"lacks,omitempty"` // what the page has not, and why
	Settings   []Setting         `json:"settings"`
	Citation   string            `json:"citation"`
	Live       json.RawMessage   `json:"live,omitempty"` // of a server that measures edits; without it nothing can be edited
}

// Node is a part of the graph: an embedding, a head, an MLP or the output.
type Node struct {
	Kind  circuit.Kind `json:"kind"`
	Layer int          `json:"layer"`
	Head  int          `json:"head"`
	In    bool         `json:"in"`              // an edge of the circuit begins or ends here, or the graph does
	Group *int         `json:"group,omitempty"` // of Data.Groups
}

// Group is a role of nodes.
type Group struct {
	Name  string `json:"name"`
	Color string `json:"color"` // #rrggbb
}

// Port is where an edge ends.
type Port int

// The ports: a head's queries, keys and values, in the order of
// circuit.Letters; and everything else.
const (
	PortQ Port = iota
	PortK
	PortV
	NoPort Port = -1
)

// Edge is an edge. A direct edge goes from a port of a head to the same head.
type Edge struct {
	Number int      `json:"n"` // in the graph
	From   int      `json:"s"` // of Data.Nodes
	To     int      `json:"r"`
	Port   Port     `json:"p"`
	Direct bool     `json:"d,omitempty"`
	Kept   bool     `json:"k,omitempty"` // an edge of the circuit, or of any if there are several
	Idle   bool     `json:"i,omitempty"` // kept, and carries nothing
	Effect *float64 `json:"e,omitempty"` // the score, nil for none
	Part   *int     `json:"t,omitempty"` // of Data.Parts
	Curve  string   `json:"c,omitempty"` // where Graphviz draws it, as a path of SVG in the coordinates of Data.Drawn
}

// Layout is where nodes are.
type Layout struct {
	Width  float64       `json:"width"` // in pixels, as all
	Height float64       `json:"height"`
	At     []*[2]float64 `json:"at"`   // by node, its centre; nil where it is not drawn
	Rows   []Row         `json:"rows"` // layers
}

// Row is a layer, named at its side.
type Row struct {
	Label string  `json:"label"`
	Y     float64 `json:"y"`
}

// Measured is what a circuit was measured as, nil where it was not.
type Measured struct {
	Metric    string   `json:"metric"`
	Full      *float64 `json:"full"`
	Circuit   *float64 `json:"circuit"`
	Corrupted *float64 `json:"corrupted"`
}

// Circuit is one of several in a page.
type Circuit struct {
	Label    string     `json:"label"`             // such as τ = 0.1
	Edges    []int      `json:"edges"`             // places in Data.Edges
	Effects  []*float64 `json:"effects,omitempty"` // of these edges, nil where one has none
	Measured *Measured  `json:"measured,omitempty"`
	Group    string     `json:"group"` // what circuits differ in besides, such as the algorithm
}

// The runs of a page, in the order of every list of three.
const (
	RunFull = iota
	RunCircuit
	RunCorrupted
)

// Runs is what the model does on prompts, in its three runs: whole, with the
// circuit's edges, and with none.
type Runs struct {
	Metric   string    `json:"metric"`
	Examples []Example `json:"examples"` // the first of the data
	Total    int       `json:"total"`    // examples of the data
	Prompts  []Prompt  `json:"prompts"`  // of the first of these
	Patterns *Patterns `json:"patterns,omitempty"`
	Answer   string    `json:"answer"` // what contributions are to
	Heads    []int     `json:"heads"`  // by row of Prompt.Direct, the node
}

// Example is an example's metric, nil where it has none.
type Example struct {
	Metric [3]*float64 `json:"m"` // by run
}

// Token is a token and its text, which is its number where there is no tokenizer.
type Token struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

// Prompt is a pair of prompts, and what comes out.
type Prompt struct {
	Clean       []Token         `json:"clean"`             // without padding
	Corrupt     []Token         `json:"corrupt,omitempty"` // as many, or none
	Differ      []int           `json:"differ"`            // positions, from 0
	Counted     []int           `json:"counted,omitempty"`
	Right       []Token         `json:"right,omitempty"`
	Wrong       []Token         `json:"wrong,omitempty"`
	At          int             `json:"at"` // the position behind which is predicted
	Predictions [3][]Prediction `json:"predictions"`
	Direct      [3][]float32    `json:"direct"` // by run and row, what a head adds to the answer's logit
}

// Prediction is one of the likeliest next tokens.
type Prediction struct {
	Token
	Probability float64 `json:"p"`
	Logit       float32 `json:"l"`
}

// Patterns are attention patterns: for the first prompts, by prompt, run and
// head, the positions [From,From+Size) of what each attends to, row by row. A
// causal one is without the zeros behind its diagonal. Weights are whole numbers
// of 1/65535, little-endian, two bytes each, in base64.
type Patterns struct {
	Heads   []int  `json:"heads"` // nodes
	Causal  bool   `json:"causal"`
	From    []int  `json:"from"` // by prompt, in positions without padding
	Size    []int  `json:"size"`
	Weights string `json:"weights"`
}

// Trace is ACDC's tests in their order. Lists are as long as Tests, in base64:
// of whole numbers and floats of four bytes, little-endian.
type Trace struct {
	Tests  int     `json:"tests"`
	From   string  `json:"from"`   // nodes
	To     string  `json:"to"`     // 8 times the node, plus 1 plus the port, plus 4 for a direct edge
	Metric string  `json:"metric"` // with the edge cut, floats
	Effect string  `json:"effect"` // floats
	Left   string  `json:"left"`   // edges left, twice, plus 1 where the edge was kept
	Total  int     `json:"total"`  // edges at the start
	Start  float64 `json:"start"`  // the metric before
}

// Table is a table of texts, its first row the head.
type Table struct {
	Title string     `json:"title"`
	Rows  [][]string `json:"rows"`
}

// Setting is one of the things that made the result.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
