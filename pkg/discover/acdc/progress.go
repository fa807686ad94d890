package acdc

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// progress is a part of a run: tests in the order in which they were made, and
// where the run stood after them.
type progress struct {
	tests   []discover.Test
	cost    circuit.Cost
	guess   int      // of a run on all examples
	horizon int64    // of a run in batches: FLOP of the next pass
	final   *float64 // and, where nothing is left to be decided, the metric of the circuit
	lead    float64  // and the first batch's own metric after the last test that removed an edge
	hints   map[int]float64
	share   int // of what a state may take that is reckoned with, where states were larger than at first; else 0
}

// saved is progress as a record of a checkpoint.
type saved struct {
	Tests   []savedTest  `json:"tests"`
	Cost    circuit.Cost `json:"cost"`
	Guess   int          `json:"guess"`
	Horizon int64        `json:"horizon"`
	Lead    float64      `json:"lead"`
	Final   *float64     `json:"final,omitempty"`

	Hints map[int]float64 `json:"hints,omitempty"`
	Share int             `json:"share,omitempty"`
}

// savedTest is a test as [edge, metric, effect, kept].
type savedTest discover.Test

func (t savedTest) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{t.Edge, t.Metric, t.Effect, t.Kept})
}

func (t *savedTest) UnmarshalJSON(data []byte) error {
	fields := []any{&t.Edge, &t.Metric, &t.Effect, &t.Kept}
	n := len(fields)
	if json.Unmarshal(data, &fields) != nil || len(fields) != n {
		return errTest{data}
	}
	return nil
}

// save keeps a part of the run.
func (x *run) save(p progress) error {
	if x.r.Progress.Save == nil {
		return nil
	}
	s := saved{Cost: p.cost, Guess: p.guess, Horizon: p.horizon, Lead: p.lead, Final: p.final, Hints: p.hints, Share: p.share, Tests: make([]savedTest, len(p.tests))}
	for i, t := range p.tests {
		s.Tests[i] = savedTest(t)
	}
	record, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	return x.r.Progress.Save(record)
}

// errTest says what is wrong with a test of a record.
type errTest struct{ found []byte }

func (e errTest) Error() string {
	return fmt.Sprintf("expected [edge, metric, effect, kept], found %.80s", e.found)
}

// recordError says in plain words why a record cannot be read.
func recordError(i int, record []byte, err error) error {
	var test errTest
	if errors.As(err, &test) {
		return fmt.Errorf("progress: record %d: tests: %w", i+1, test)
	}
	return fmt.Errorf("progress: record %d: expected tests, cost, guess, horizon and lead, found %.80s", i+1, record)
}

// readProgress reads the records of an earlier run, and checks every number.
func readProgress(records [][]byte, g *circuit.Graph) (progress, error) {
	var p progress
	for i, record := range records {
		var s saved
		if err := json.Unmarshal(record, &s); err != nil {
			return p, recordError(i, record, err)
		}
		for k, t := range s.Tests {
			if t.Edge < 0 || t.Edge >= g.NumEdges() {
				return p, fmt.Errorf("progress: record %d: tests[%d]: expected an edge from 0 to %d, found %d", i+1, k, g.NumEdges()-1, t.Edge)
			}
			p.tests = append(p.tests, discover.Test(t))
		}
		for _, f := range []struct {
			name  string
			value int64
			most  int64
		}{
			{"cost.tests", int64(s.Cost.Tests), int64(g.NumEdges())}, {"cost.nodes", s.Cost.Nodes, 1 << 62}, {"cost.flop", s.Cost.FLOP, 1 << 62},
			{"guess", int64(s.Guess), certain}, {"horizon", s.Horizon, 1 << 62}, {"share", int64(s.Share), 1 << 16},
		} {
			if f.value < 0 || f.value > f.most {
				return p, fmt.Errorf("progress: record %d: %s: expected a number from 0 to %d, found %d", i+1, f.name, f.most, f.value)
			}
		}
		for edge := range s.Hints {
			if edge < 0 || edge >= g.NumEdges() {
				return p, fmt.Errorf("progress: record %d: hints: expected edges from 0 to %d, found others", i+1, g.NumEdges()-1)
			}
		}
		p.hints, p.share = s.Hints, s.Share
		p.cost, p.guess, p.horizon, p.lead, p.final = s.Cost, s.Guess, s.Horizon, s.Lead, s.Final
	}
	return p, nil
}
