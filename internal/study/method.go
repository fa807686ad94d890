package study

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/attribution"
	"github.com/seed-2c350065/acdc/pkg/discover/baseline"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
	"github.com/seed-2c350065/acdc/pkg/discover/exact"
	"github.com/seed-2c350065/acdc/pkg/discover/flow"
	"github.com/seed-2c350065/acdc/pkg/discover/hisp"
	"github.com/seed-2c350065/acdc/pkg/discover/probing"
	"github.com/seed-2c350065/acdc/pkg/discover/pruning"
	"github.com/seed-2c350065/acdc/pkg/discover/ugs"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Method says how a circuit is found, as far as anybody said: what is empty is
// for the algorithm, or the task, to choose.
type Method struct {
	Algorithm string   `json:"algorithm"`           // one of Algorithms, or ensemble:A+B of those that score; acdc if empty
	Threshold *float64 `json:"threshold,omitempty"` // ACDC's τ; of another algorithm the least score of an edge that is chosen
	Absolute  bool     `json:"abs,omitempty"`       // an effect's, or a score's, size counts

	Order       acdc.Order `json:"order,omitempty"` // of ACDC's tests
	Screen      Screen     `json:"screen,omitzero"` // which edges ACDC tests
	VerifyEvery int        `json:"-"`               // of ACDC's evaluations, 0 for none

	Steps        int      `json:"steps,omitempty"`         // of EAP-IG, between the corrupted and the clean run, and of masks that are learned
	FixedPattern bool     `json:"fixed_pattern,omitempty"` // of RelP
	PreNorm      bool     `json:"prenorm,omitempty"`       // of attribution
	Rate         *float64 `json:"rate,omitempty"`          // of masks that are learned,
	Lambda       *float64 `json:"lambda,omitempty"`        // and what an open one costs
	Init         string   `json:"init,omitempty"`          // the algorithm whose scores edge pruning begins with

	Rule      circuit.Rule  `json:"select,omitempty"`    // how edges are chosen by their scores
	Top       int           `json:"top,omitempty"`       // how many, 0 if nobody said
	Sparsity  *float64      `json:"sparsity,omitempty"`  // or which share of them is not
	Share     *float64      `json:"share,omitempty"`     // of the rule ratio
	Bootstrap int           `json:"bootstrap,omitempty"` // resamplings of the examples in which a chosen edge's score must keep its sign, 0 for none
	Norm      ensemble.Norm `json:"norm,omitempty"`
}

// algorithm is one way to find a circuit.
type algorithm struct {
	name, about string
	scorer      func(Method) discover.Scorer // nil for ACDC, which decides by itself
	unit        unit
	rule        circuit.Rule // by which its scores choose a number of edges, top if empty
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
		{"acdc", "cuts edge by edge (Conmy et al. 2023)", nil, ofMetric, ""},
		{"eap", "edge attribution patching (Syed et al. 2023)", attributed(attribution.Scorer{At: attribution.Clean}), ofMetric, ""},
		{"eap-ig", "with integrated gradients over inputs (Hanna et al. 2024)", attributed(attribution.Scorer{At: attribution.Inputs}), ofMetric, ""},
		{"eap-ig-activations", "and over activations", attributed(attribution.Scorer{At: attribution.Activations}), ofMetric, ""},
		{"clean-corrupted", "gradients at both runs", attributed(attribution.Scorer{At: attribution.CleanCorrupted}), ofMetric, ""},
		{"relp", "EAP by relevance (Rezaei Jafari et al. 2025)", attributed(attribution.Scorer{At: attribution.Clean, RelP: true}), ofMetric, ""},
		{"hisp", "gradients of masks on heads and MLPs (Michel et al. 2019)", func(Method) discover.Scorer { return hisp.Scorer{} }, ofNothing, ""},
		{"sp", "subnetwork probing, masks on nodes (Cao et al. 2021)", probed(false), probability, ""},
		{"sp-edges", "and on edges", probed(true), probability, ""},
		{"edge-pruning", "masks on edges and nodes (Bhaskar et al. 2024)", pruned, ofNothing, ""},
		{"ugs", "uniform gradient sampling (Li & Janson 2024)", sampled, probability, ""},
		{"exact", "what cutting each edge alone does", func(Method) discover.Scorer { return exact.Scorer{} }, ofMetric, ""},
		{"ifr", "information flow routes (Ferrando & Voita 2024)", func(Method) discover.Scorer { return flow.Scorer{} }, ofNothing, circuit.Greedy},
		{"activation", "the size of what a node adds", func(Method) discover.Scorer { return baseline.Activation{} }, ofNothing, ""},
		{"random", "by chance", func(Method) discover.Scorer { return baseline.Random{} }, ofNothing, ""},
	}
}

// attributions are the algorithms that score by gradients.
var attributions = []string{"eap", "eap-ig", "eap-ig-activations", "clean-corrupted", "relp"}

// attributed is an attribution method with the options that are its own.
func attributed(s attribution.Scorer) func(Method) discover.Scorer {
	return func(m Method) discover.Scorer {
		if s.At == attribution.Inputs || s.At == attribution.Activations {
			s.Steps = cmp.Or(m.Steps, attribution.DefaultSteps)
		}
		s.FixedPattern = s.RelP && m.FixedPattern
		s.PreNorm = m.PreNorm
		return s
	}
}

// or is a value, or another if nobody gave one.
func or[T any](given *T, other T) T {
	if given != nil {
		return *given
	}
	return other
}

// probed is subnetwork probing with the options that are its own.
func probed(edges bool) func(Method) discover.Scorer {
	return func(m Method) discover.Scorer {
		s := probing.Default()
		s.Edges, s.Steps, s.Rate, s.Lambda = edges, cmp.Or(m.Steps, s.Steps), or(m.Rate, s.Rate), or(m.Lambda, s.Lambda)
		return s
	}
}

// pruned is edge pruning with the options that are its own.
func pruned(m Method) discover.Scorer {
	s := pruning.Default()
	s.Steps, s.Rate, s.Target = cmp.Or(m.Steps, s.Steps), or(m.Rate, s.Rate), or(m.Sparsity, s.Target)
	if m.Init != "" {
		if a, err := findAlgorithm(m.Init); err == nil && a.scorer != nil { // Check saw to it
			s.Init, s.InitFrom = m.Init, a.scorer(Method{})
		}
	}
	return s
}

// sampled is uniform gradient sampling with the options that are its own.
func sampled(m Method) discover.Scorer {
	s := ugs.Default()
	s.Steps, s.Rate, s.Lambda = cmp.Or(m.Steps, s.Steps), or(m.Rate, s.Rate), or(m.Lambda, s.Lambda)
	return s
}

// Algorithms lists the names of the algorithms.
func Algorithms() []string {
	return choice.Names(algorithms(), func(a algorithm) string { return a.name })
}

// Scorers lists the names of those that score edges.
func Scorers() []string { return Algorithms()[1:] }

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

// Check refuses options that do not go together, or that the algorithm does not
// have.
func (m Method) Check() error {
	a, err := findAlgorithm(m.algorithm())
	if err != nil {
		return &UsageError{err}
	}
	given := func(flags ...string) (found []string) {
		for _, f := range flags {
			if map[string]bool{"--threshold": m.Threshold != nil, "--top": m.Top > 0, "--sparsity": m.Sparsity != nil, "--select": m.Rule != "",
				"--share": m.Share != nil, "--bootstrap": m.Bootstrap > 0, "--order": m.Order != "", "--verify": m.VerifyEvery > 0, "--screen": m.Screen != Screen{}, "--norm": m.Norm != ""}[f] {
				found = append(found, f)
			}
		}
		return found
	}
	bad := func(flags []string, why string) error {
		return usagef("%s: %s", strings.Join(flags, ", "), why)
	}
	sizes, scored := given("--threshold", "--top", "--sparsity"), given("--top", "--sparsity", "--select", "--share", "--bootstrap")
	switch tests, norm := given("--order", "--verify", "--screen"), given("--norm"); {
	case a.scorer == nil && len(scored) > 0:
		return bad(scored, "of algorithms that score edges; acdc decides edge by edge")
	case a.scorer != nil && len(tests) > 0:
		return bad(tests, "of acdc, which tests one edge after the other; "+a.name+" does not")
	case len(norm) > 0 && !strings.HasPrefix(a.name, ensemblePrefix):
		return bad(norm, "of an ensemble, as --algorithm ensemble:A+B")
	case a.scorer != nil && len(sizes) > 1:
		return bad(sizes, "expected one of them")
	case m.Steps > 0 && !of(a, append([]string{"eap-ig", "eap-ig-activations"}, learning...)...):
		return usagef("--steps: of eap-ig, eap-ig-activations and masks that are learned, not of %s", a.name)
	case m.Rate != nil && !of(a, learning...):
		return usagef("--rate: of masks that are learned, not of %s", a.name)
	case m.Lambda != nil && !of(a, "sp", "sp-edges", "ugs"):
		return usagef("--lambda: of sp, sp-edges and ugs, not of %s", a.name)
	case m.Init != "" && !of(a, "edge-pruning"):
		return usagef("--init: of edge-pruning, not of %s", a.name)
	case m.FixedPattern && !of(a, "relp"):
		return usagef("--fixed-pattern: of relp")
	case m.PreNorm && !of(a, attributions...):
		return usagef("--prenorm: of %s, not of %s", strings.Join(attributions, ", "), a.name)
	case m.Share != nil && m.Rule != circuit.Ratio:
		return usagef("--share: expected --select ratio, whose share it is")
	case a.scorer != nil && m.Threshold != nil && m.Rule != "" && m.Rule != circuit.Threshold:
		return usagef("--threshold with --select %s: expected --top or --sparsity, which say how many edges", m.Rule)
	case m.Rule == circuit.Threshold && (m.Top > 0 || m.Sparsity != nil):
		return usagef("--select threshold with %s: expected --threshold", sizes[0])
	}
	return nil
}

// of reports whether an algorithm is one of some, or an ensemble with one.
func of(a algorithm, names ...string) bool {
	for _, part := range strings.Split(strings.TrimPrefix(a.name, ensemblePrefix), "+") {
		if slices.Contains(names, part) {
			return true
		}
	}
	return false
}

// learning are the algorithms that learn masks.
var learning = []string{"sp", "sp-edges", "edge-pruning", "ugs"}

// Once reports whether the algorithm goes through the examples once, and asks for
// nothing that depends on all of them before: it scores edges, does not learn, and
// is no ensemble.
func (m Method) Once() bool {
	a, err := findAlgorithm(m.algorithm())
	return err == nil && a.scorer != nil && !of(a, learning...) && !strings.HasPrefix(a.name, ensemblePrefix)
}

// Learns reports whether the algorithm learns masks, step by step.
func (m Method) Learns() bool { return slices.Contains(learning, m.algorithm()) }

// Name is the algorithm's name, ACDC's if nobody said.
func (m Method) Name() string { return m.algorithm() }

// Goes reports whether the algorithm goes step by step, so that it can be traced,
// stopped and continued.
func (m Method) Goes() bool {
	return m.Decides() || m.Learns()
}

// Decides reports whether the method decides edge by edge, as ACDC does, and
// goes on with fewer examples at a time where a state runs out of room.
func (m Method) Decides() bool { return m.algorithm() == algorithms()[0].name }

// algorithm is the name of the algorithm, ACDC's if nobody said.
func (m Method) algorithm() string { return cmp.Or(m.Algorithm, algorithms()[0].name) }

// Resolve takes from algorithm and task what nobody said, for a graph.
func (m Method) Resolve(t task.Task, g *circuit.Graph) (discover.Algorithm, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	a, err := findAlgorithm(m.algorithm())
	if err != nil {
		return nil, &UsageError{err}
	}
	threshold := t.Threshold
	if m.Threshold != nil {
		threshold = *m.Threshold
	}
	if most := g.NumEdges(); m.Top > most {
		return nil, usagef("--top: expected at most the graph's %d edges, found %d", most, m.Top)
	} else if m.Screen.Edges > most {
		return nil, usagef("--screen: expected at most the graph's %d edges, found %d", most, m.Screen.Edges)
	}
	if a.scorer == nil {
		screen, err := m.Screen.screen()
		return acdc.Algorithm{Threshold: threshold, Absolute: m.Absolute, Order: cmp.Or(m.Order, acdc.Normal), Screen: screen, VerifyEvery: m.VerifyEvery}, err
	}
	s := m.selection(a, threshold, g)
	if err := s.Check(g); err != nil {
		return nil, &UsageError{err}
	}
	scorer := a.scorer(m)
	if p, ok := scorer.(pruning.Scorer); ok && m.Sparsity == nil {
		p.Target = pruning.TargetFor(g)
		scorer = p
	}
	return discover.Selected{Scorer: scorer, Selection: s}, nil
}

// selection says which edges an algorithm's scores choose.
func (m Method) selection(a algorithm, threshold float64, g *circuit.Graph) circuit.Selection {
	s := circuit.Selection{Rule: m.Rule, Absolute: m.Absolute, Bootstrap: m.Bootstrap}
	byThreshold := m.Rule == "" || m.Rule == circuit.Threshold
	switch {
	case m.Top > 0:
		s.Edges = m.Top
	case m.Sparsity != nil:
		s.Edges = int(math.Round((1 - *m.Sparsity) * float64(g.NumEdges())))
	case byThreshold && (m.Threshold != nil || a.unit == ofMetric):
		s.Rule, s.Least = circuit.Threshold, threshold
	case byThreshold && a.unit == probability:
		s.Rule, s.Least = circuit.Threshold, 0.5
	case a.name == "edge-pruning":
		s.Edges = int(math.Round((1 - pruning.TargetFor(g)) * float64(g.NumEdges())))
	default:
		s.Edges = int(math.Ceil(tenth * float64(g.NumEdges())))
	}
	s.Rule = cmp.Or(s.Rule, a.rule, circuit.Top)
	if s.Rule == circuit.Ratio {
		s.Share = 0.5
		if m.Share != nil {
			s.Share = *m.Share
		}
	}
	return s
}

// Describe writes an algorithm with its options into a provenance.
func Describe(run *circuit.Run, a discover.Algorithm) error {
	run.Algorithm = a.Name()
	switch a := a.(type) {
	case acdc.Algorithm:
		run.Order, run.Threshold, run.AbsoluteValue = string(a.Order), a.Threshold, a.Absolute
		return describeScreen(run, a.Screen)
	case discover.Selected:
		var err error
		if run.Options, err = optionsOf(a.Scorer); err != nil {
			return err
		}
		run.Selection, run.Threshold, run.AbsoluteValue = &a.Selection, a.Selection.Least, a.Selection.Absolute
	}
	return nil
}

// optionsOf are a scorer's own options, nil if it has none.
func optionsOf(s discover.Scorer) (json.RawMessage, error) {
	options, err := json.Marshal(s)
	if bytes.Equal(options, []byte("{}")) {
		options = nil
	}
	return options, err
}
