package view

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// Session is a study with the circuit that its edits begin with. It may be used
// from several goroutines.
type Session struct {
	in     *study.Study
	e      *patch.Experiment
	file   *circuit.File
	graph  *circuit.Graph
	start  circuit.Mask
	scores circuit.Scores
	tok    task.Tokenizer // nil where tokens have no texts
	origin Origin

	engine  chan struct{} // has room for whoever measures
	waiting atomic.Int32
}

// mostWaiting bounds how many wait for the engine.
const mostWaiting = 16

// ErrBusy says that too many wait for the engine.
var ErrBusy = errors.New("the engine is busy: expected fewer questions at a time")

// Open makes a session of a file's circuit, whose graph an experiment is of. The
// file is not changed.
func Open(ctx context.Context, in *study.Study, e *patch.Experiment, f *circuit.File, origin Origin) (*Session, error) {
	g, mask, scores, err := f.Circuit()
	if err != nil {
		return nil, err
	}
	if g.Config() != e.Graph().Config() {
		panic(fmt.Sprintf("view: Open of a circuit in another graph: %v, the experiment has %v", g.Config(), e.Graph().Config()))
	}
	s := &Session{in: in, e: e, file: f, graph: g, start: mask, scores: scores, origin: origin, engine: make(chan struct{}, 1)}
	tok, err := in.Model.Tokenizer(ctx)
	var none *zoo.NoTokenizerError
	switch {
	case err == nil:
		s.tok = tok
	case !errors.As(err, &none):
		return nil, err
	}
	return s, nil
}

// Start lists the numbers of the edges to begin with.
func (s *Session) Start() []int { return numbers(s.start) }

// Live says to the page what the engine offers: what files save writes to, and
// whether patterns of edited circuits can be had.
func (s *Session) Live(save []string) []byte {
	text, err := json.Marshal(struct {
		Save     []string `json:"save"`
		Patterns bool     `json:"patterns"`
	}{append([]string{}, save...), s.e.Runs().Positions() <= mostTokens})
	if err != nil {
		panic("view: " + err.Error()) // texts always are JSON
	}
	return text
}

// numbers lists the edges of a mask.
func numbers(m circuit.Mask) []int {
	out := []int{}
	for i, in := range m {
		if in {
			out = append(out, i)
		}
	}
	return out
}

// take waits for the engine, which release gives back.
func (s *Session) take(ctx context.Context) (release func(), err error) {
	if s.waiting.Add(1) > mostWaiting {
		s.waiting.Add(-1)
		return nil, ErrBusy
	}
	defer s.waiting.Add(-1)
	select {
	case s.engine <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil { // both were ready
		<-s.engine
		return nil, err
	}
	return func() { <-s.engine }, nil
}

// mask is the set of some edges of the graph.
func (s *Session) mask(edges []int) (circuit.Mask, error) {
	m := s.graph.Empty()
	for _, i := range edges {
		if i < 0 || i >= len(m) {
			return nil, questionf("edges: expected numbers from 0 to %d, found %d", len(m)-1, i)
		}
		if m[i] {
			return nil, questionf("edges: expected each once, found %d twice", i)
		}
		m[i] = true
	}
	return m, nil
}

// names lists the edges of a mask by name.
func (s *Session) names(m circuit.Mask) []string {
	out := []string{}
	for i, in := range m {
		if in {
			out = append(out, s.graph.Edge(i).String())
		}
	}
	return out
}

// edits are the edges that a mask lacks of those to begin with, and those that
// it has besides.
func (s *Session) edits(m circuit.Mask) (cut, add []string) {
	lacks, has := s.graph.Empty(), s.graph.Empty()
	for i := range m {
		lacks[i], has[i] = s.start[i] && !m[i], m[i] && !s.start[i]
	}
	return s.names(lacks), s.names(has)
}

// QuestionError is a question that cannot be meant.
type QuestionError struct{ err error }

func (e *QuestionError) Error() string { return e.err.Error() }
func (e *QuestionError) Unwrap() error { return e.err }

// questionf makes an error of a question that cannot be meant.
func questionf(format string, args ...any) error {
	return &QuestionError{fmt.Errorf(format, args...)}
}
