// Package ensemble joins methods: the mean of their normalised scores
// (arXiv:2510.06811).
package ensemble

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// Norm is how scores of different methods are made comparable.
type Norm string

// The norms.
const (
	Rank  Norm = "rank"  // the place among the edges, from 0 to 1, equal scores sharing the mean of theirs
	Range Norm = "range" // (score − least) / (most − least)
)

// Norms lists the valid norms.
func Norms() []Norm { return []Norm{Rank, Range} }

// Scorer is the method.
type Scorer struct {
	Of       []discover.Scorer `json:"-"`        // see MarshalJSON
	Norm     Norm              `json:"norm"`     // Rank if empty
	Absolute bool              `json:"absolute"` // an edge is worth its score's size in each method
}

// member is a method in a file, with the options that are its own.
type member struct {
	Algorithm string          `json:"algorithm"`
	Options   discover.Scorer `json:"options"`
}

// MarshalJSON writes what decides the scores: norm, and every method with its
// options.
func (s Scorer) MarshalJSON() ([]byte, error) {
	of := make([]member, len(s.Of))
	for i, m := range s.Of {
		of[i] = member{m.Name(), m}
	}
	return json.Marshal(struct {
		Norm     Norm     `json:"norm"`
		Absolute bool     `json:"absolute"`
		Of       []member `json:"of"`
	}{cmp.Or(s.Norm, Rank), s.Absolute, of})
}

// Name is "ensemble:" and the methods' names.
func (s Scorer) Name() string {
	return "ensemble:" + strings.Join(choice.Names(s.Of, discover.Scorer.Name), "+")
}

// Score runs one method after the other.
func (s Scorer) Score(ctx context.Context, r discover.Request) (*discover.Scored, error) {
	if s.Norm == "" {
		s.Norm = Rank
	}
	if _, err := choice.Parse("norm", string(s.Norm), Norms()); err != nil {
		return nil, err
	}
	if len(s.Of) == 0 {
		return nil, fmt.Errorf("ensemble: expected methods, found none")
	}
	out := &discover.Scored{Scores: make(circuit.Scores, r.Experiment.Graph().NumEdges())}
	for k, method := range s.Of {
		own := r
		own.Observe = part(r.Observe, k, len(s.Of))
		found, err := method.Score(ctx, own)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", method.Name(), err)
		}
		s.add(out.Scores, found.Scores)
		for i, one := range found.Examples {
			if i == len(out.Examples) {
				out.Examples = append(out.Examples, make(circuit.Scores, len(out.Scores)))
			}
			s.add(out.Examples[i], one)
		}
		out.Cost.Tests += found.Cost.Tests
		out.Cost.Nodes += found.Cost.Nodes
		out.Cost.FLOP += found.Cost.FLOP
		out.Cost.ForwardPasses += found.Cost.ForwardPasses
		out.Warnings = append(out.Warnings, found.Warnings...)
	}
	return out, nil
}

// part makes of one of n methods' events those of the whole.
func part(observe func(discover.Event), k, n int) func(discover.Event) {
	if observe == nil {
		return nil
	}
	return func(ev discover.Event) {
		ev.Decided = (k*ev.Total + ev.Decided) / n
		observe(ev)
	}
}

// add adds a method's part of the mean.
func (s Scorer) add(sum, scores circuit.Scores) {
	if s.Absolute {
		scores = slices.Clone(scores)
		for i, x := range scores {
			scores[i] = math.Abs(x)
		}
	}
	normal := ranks
	if s.Norm == Range {
		normal = ranged
	}
	for i, x := range normal(scores) {
		sum[i] += x / float64(len(s.Of))
	}
}

// ranged maps scores to 0 … 1 in proportion; equal ones to 0.
func ranged(scores circuit.Scores) circuit.Scores {
	least, most := slices.Min(scores), slices.Max(scores)
	out := make(circuit.Scores, len(scores))
	for i, x := range scores {
		if most > least {
			out[i] = (x - least) / (most - least)
		}
	}
	return out
}

// ranks maps scores to their places, 0 … 1.
func ranks(scores circuit.Scores) circuit.Scores {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	out := make(circuit.Scores, len(scores))
	last := float64(max(1, len(scores)-1))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && scores[order[hi]] == scores[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			out[i] = float64(lo+hi-1) / 2 / last
		}
		lo = hi
	}
	return out
}
