package roc

import (
	"github.com/seed-2c350065/acdc/internal/choice"
)

// Part is a kind of parts of circuits that are counted.
type Part string

// The parts.
const (
	Edges Part = "edges"
	Nodes Part = "nodes"
)

// Parts lists the parts.
func Parts() []Part { return []Part{Edges, Nodes} }

// NodeRule says which nodes there are, and which of them a circuit has.
type NodeRule string

// The rules.
const (
	// PathNodes are the parts of the model; a circuit has those that touch a
	// present edge on a path (see the package's doc).
	PathNodes NodeRule = "path"
	// ReferenceNodes are those of get_node_stats of Conmy et al. 2023: every
	// node of the graph by itself, but no MLP's input; a circuit has those that
	// touch a present edge, wherever it leads.
	ReferenceNodes NodeRule = "reference"
)

// NodeRules lists the rules.
func NodeRules() []NodeRule { return []NodeRule{PathNodes, ReferenceNodes} }

// Options say what is counted. The zero value counts edges as the reference
// does, and nodes on paths.
type Options struct {
	Nodes        NodeRule `json:"nodes,omitempty"`        // empty is PathNodes
	Placeholders bool     `json:"placeholders,omitempty"` // placeholder edges count too
	Pruned       bool     `json:"pruned,omitempty"`       // edges count only where they lie on a path
	Orphans      bool     `json:"orphans,omitempty"`      // a path may begin anywhere: without input, nodes carry something (zero and mean ablation)
}

// Check refuses a rule that is none.
func (o Options) Check() error {
	if o.Nodes == "" {
		return nil
	}
	_, err := choice.Parse("rule of nodes", string(o.Nodes), NodeRules())
	return err
}

// Count compares parts of a circuit with those of the true one.
type Count struct {
	TruePositive  int // in both
	FalsePositive int // in the circuit alone
	TrueNegative  int // in neither
	FalseNegative int // in the true circuit alone
}

// All is the number of parts that there are.
func (c Count) All() int { return c.True() + c.FalsePositive + c.TrueNegative }

// True is the number of parts that the true circuit has.
func (c Count) True() int { return c.TruePositive + c.FalseNegative }

// Found is the number of parts that the circuit has.
func (c Count) Found() int { return c.TruePositive + c.FalsePositive }

// TPR is the true positive rate TP / (TP + FN): how much of the true circuit was
// found.
func (c Count) TPR() float64 { return ratio(c.TruePositive, c.True(), 0) }

// FPR is the false positive rate FP / (FP + TN): how much was found of what is
// not true; 0 where everything is true.
func (c Count) FPR() float64 { return ratio(c.FalsePositive, c.FalsePositive+c.TrueNegative, 0) }

// Precision is TP / (TP + FP): how much is true of what was found; 1 where
// nothing was found, as in the reference.
func (c Count) Precision() float64 { return ratio(c.TruePositive, c.Found(), 1) }

// ratio is a / b, or something else where b is 0.
func ratio(a, b int, none float64) float64 {
	if b == 0 {
		return none
	}
	return float64(a) / float64(b)
}

// Rates are the counts as a point below a curve.
func (c Count) Rates() Rates { return Rates{FPR: c.FPR(), TPR: c.TPR()} }
