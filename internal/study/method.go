package study

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/baseline"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/discover/flow"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Method says how a circuit is found, as far as anybody said: what is empty is
// for the algorithm, or the task, to choose.
type Method struct {
	Algorithm string   // one of Algorithms, or ensemble:A+B of those that score; acdc if empty
	Threshold *float64 // ACDC's τ; of another algorithm the least score of an edge that is chosen
	Absolute  bool     // an effect's, or a score's, size counts

	Order       acdc.Order // of ACDC's tests
	VerifyEvery int        // of ACDC's evaluations, 0 for none

	Rule      circuit.Rule // how edges are chosen by their scores
	Top       int          // how many, 0 if nobody said
	Sparsity  *float64     // or which share of them is not
	Share     *float64     // of the rule ratio
	Bootstrap int          // resamplings of the examples in which a chosen edge's score must keep its sign, 0 for none
	Norm      ensemble.Norm
}

// algorithm is one way to find a circuit.
type algorithm struct {
	name, about string
	scorer      func(Method) discover.Scorer // nil for ACDC, which decides by itself
	unit        unit
}

// unit is what an algorithm's scores are.
type unit uint8

const (
	ofMetric    unit = iota // how much the metric rises without an edge, as ACDC's threshold
	ofNothing               // comparable with each other only
	probability             // that an edge is needed
)

// algorithms lists them.
func algorithms() []algorithm {
	return []algorithm{
		{"acdc", "cuts edge by edge (Conmy et al. 2023)", nil, ofMetric},
		{"exact", "what cutting each edge alone does", func(Method) discover.Scorer { return exact.Scorer{} }, ofMetric},
		{"ifr", "information flow routes (Ferrando & Voita 2024)", func(Method) discover.Scorer { return flow.Scorer{} }, ofNothing},
		{"activation", "the size of what a node adds", func(Method) discover.Scorer { return baseline.Activation{} }, ofNothing},
		{"random", "by chance", func(Method) discover.Scorer { return baseline.Random{} }, ofNothing},
	}
}

// Algorithms lists the names of the algorithms.
func Algorithms() []string {
	return choice.Names(algorithms(), func(a algorithm) string { return a.name })
}

// ensemblePrefix begins the name of several algorithms together.
const ensemblePrefix = "ensemble:"

// ParseAlgorithm checks an algorithm's name; another is an error that lists the
// valid ones.
func ParseAlgorithm(s string) (string, error) {
	_, err := findAlgorithm(s)
	return s, err
}

// findAlgorithm finds one of the algorithms, or puts an ensemble together.
func findAlgorithm(s string) (algorithm, error) {
	name := func(a algorithm) string { return a.name }
	of, isEnsemble := strings.CutPrefix(s, ensemblePrefix)
	if !isEnsemble {
		return choice.Find("algorithm", s, algorithms(), name)
	}
	var parts []algorithm
	for _, part := range strings.Split(of, "+") {
		a, err := choice.Find("algorithm", part, algorithms()[1:], name)
		if err != nil {
			return a, err
		}
		parts = append(parts, a)
	}
	return algorithm{name: s, unit: ofNothing, scorer: func(m Method) discover.Scorer {
		all := ensemble.Scorer{Norm: m.Norm, Absolute: m.Absolute}
		for _, a := range parts {
			all.Of = append(all.Of, a.scorer(m))
		}
		return all
	}}, nil
}

// tenth is the share of the edges that is chosen by scores that only rank them,
// if nobody says how many.
const tenth = 0.1

// Resolve takes from algorithm and task what nobody said, for a graph. An option
// that the algorithm does not have is an error.
func (m Method) Resolve(t task.Task, g *circuit.Graph) (discover.Algorithm, error) {
	if m.Algorithm == "" {
		m.Algorithm = algorithms()[0].name
	}
	a, err := findAlgorithm(m.Algorithm)
	if err != nil {
		return nil, &UsageError{err}
	}
	if a.scorer == nil {
		return m.acdc(t)
	}
	s, err := m.selection(a, t, g)
	if err != nil {
		return nil, err
	}
	return discover.Selected{Scorer: a.scorer(m), Selection: s}, nil
}

// acdc is ACDC with its options.
func (m Method) acdc(t task.Task) (discover.Algorithm, error) {
	if m.Rule != "" || m.Top > 0 || m.Sparsity != nil || m.Share != nil || m.Bootstrap > 0 {
		return nil, usagef("--algorithm acdc decides edge by edge: expected no --select, --top, --sparsity, --share and --bootstrap, which choose by scores")
	}
	a := acdc.Algorithm{Threshold: t.Threshold, Absolute: m.Absolute, Order: m.Order, VerifyEvery: m.VerifyEvery}
	if m.Threshold != nil {
		a.Threshold = *m.Threshold
	}
	return a, nil
}

// selection says which edges an algorithm's scores choose.
func (m Method) selection(a algorithm, t task.Task, g *circuit.Graph) (circuit.Selection, error) {
	s := circuit.Selection{Rule: m.Rule, Absolute: m.Absolute, Bootstrap: m.Bootstrap}
	sizes := 0
	for _, given := range []bool{m.Threshold != nil, m.Top > 0, m.Sparsity != nil} {
		if given {
			sizes++
		}
	}
	switch {
	case sizes > 1:
		return s, usagef("--threshold, --top and --sparsity: expected one of them, found %d", sizes)
	case m.Order != "" || m.VerifyEvery > 0:
		return s, usagef("--algorithm %s tests no edge in turn: expected no --order and no --verify, which are of acdc", a.name)
	case m.Share != nil && m.Rule != circuit.Ratio:
		return s, usagef("--share: expected --select ratio, whose share it is")
	case m.Threshold != nil && m.Rule != "" && m.Rule != circuit.Threshold:
		return s, usagef("--threshold with --select %s: expected --top or --sparsity, which say how many edges", m.Rule)
	case m.Rule == circuit.Threshold && (m.Top > 0 || m.Sparsity != nil):
		return s, usagef("--select threshold with --top or --sparsity: expected --threshold")
	}
	switch {
	case m.Threshold != nil:
		s.Rule, s.Threshold = circuit.Threshold, *m.Threshold
	case m.Top > 0:
		s.Edges = m.Top
	case m.Sparsity != nil:
		s.Edges = int(math.Round((1 - *m.Sparsity) * float64(g.NumEdges())))
	case a.unit == ofMetric && (s.Rule == "" || s.Rule == circuit.Threshold):
		s.Rule, s.Threshold = circuit.Threshold, t.Threshold
	case a.unit == probability && (s.Rule == "" || s.Rule == circuit.Threshold):
		s.Rule, s.Threshold = circuit.Threshold, 0.5
	default:
		s.Edges = int(math.Ceil(tenth * float64(g.NumEdges())))
	}
	if s.Rule == "" {
		s.Rule = circuit.Top
	}
	if s.Rule == circuit.Ratio {
		s.Share = 0.5
		if m.Share != nil {
			s.Share = *m.Share
		}
	}
	if err := s.Check(g); err != nil {
		return s, &UsageError{err}
	}
	return s, nil
}

// Describe writes an algorithm with its options into a provenance.
func Describe(run *circuit.Run, a discover.Algorithm) error {
	run.Algorithm = a.Name()
	switch a := a.(type) {
	case acdc.Algorithm:
		run.Order, run.Threshold, run.AbsoluteValue = string(a.Order), a.Threshold, a.Absolute
	case discover.Selected:
		options, err := json.Marshal(a.Scorer)
		if err != nil {
			return err
		}
		if !bytes.Equal(options, []byte("{}")) {
			run.Options = options
		}
		run.Selection, run.Threshold, run.AbsoluteValue = &a.Selection, a.Selection.Threshold, a.Selection.Absolute
	}
	return nil
}
