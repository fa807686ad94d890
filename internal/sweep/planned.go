package sweep

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// Planned is a run with everything that decides its result: a line of a
// manifest.
type Planned struct {
	ID     string       `json:"id"` // of the run: see Name
	Origin Origin       `json:"origin"`
	Method study.Method `json:"method"`
	Graph  graph        `json:"graph"`
	Run    circuit.Run  `json:"run"` // what came of the method, and what it runs on
	Test   Test         `json:"test"`
}

// Origin is the program that makes a run.
type Origin struct {
	Version   string `json:"version"`
	Processor string `json:"processor"` // whose arithmetic it is
}

// Here is the origin of what this process makes.
func Here(version string) Origin { return Origin{version, tensor.Arithmetic()} }

// graph says which of a model's graphs is patched.
type graph struct {
	Definition circuit.Definition `json:"definition"`
	SplitEmbed bool               `json:"split_embed,omitempty"`
}

// Test is the data on which a circuit is measured that was found on others:
// another half of the task's, or a file. Without a digest there are none.
type Test struct {
	Data   string `json:"data,omitempty"`
	Digest string `json:"prompts_sha256,omitempty"`
}

// nameLength is how many hexadecimal digits of a hash name a run.
const nameLength = 24

// hash names what makes JSON.
func hash(what any) string {
	text, err := json.Marshal(what)
	if err != nil {
		panic("sweep: " + err.Error()) // of plain fields and a scorer's own JSON
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:nameLength]
}

// Name is the hash of all that decides the result.
func (p Planned) Name() string {
	p.ID, p.Method = "", study.Method{} // the run says what came of it
	return hash(p)
}

// scoresName is the hash of all that decides the scores, from which circuits of
// all sizes are chosen: those of runs that differ in nothing else are the same.
func (p Planned) scoresName() string {
	p.Run.Selection, p.Run.Threshold, p.Run.AbsoluteValue, p.Test = nil, 0, false, Test{}
	return p.Name()
}

// settings is a run without what it was made of: runs of the same settings
// differ in program, weights or prompts.
func (p Planned) settings() string {
	p.Origin, p.Run.WeightsDigest, p.Run.PromptsDigest, p.Test.Digest = Origin{}, "", "", ""
	return p.Name()
}

// decides reports whether the algorithm decides edge by edge.
func (p Planned) decides() bool { return p.Method.Decides() }

// ChangedError is a run that was planned with what is no more there.
type ChangedError struct{ What, Expected, Found string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s: expected %s as planned, found %s", e.What, oneline.Shown(e.Expected), oneline.Shown(e.Found))
}

// checkOrigin refuses to make a run of another program.
func (p Planned) checkOrigin(here Origin) error {
	switch {
	case p.Origin.Version != here.Version:
		return &ChangedError{"version", p.Origin.Version, here.Version}
	case p.Origin.Processor != here.Processor:
		return &ChangedError{"processor", p.Origin.Processor, here.Processor}
	}
	return nil
}

// check refuses a run that was read from a file and changed by hand.
func (p Planned) check() error {
	if want := p.Name(); p.ID != want {
		return fmt.Errorf("field \"id\": expected %s, the hash of the run, found %s", want, oneline.Quote(p.ID))
	}
	if err := p.Method.Check(); err != nil {
		return fmt.Errorf("field \"method\": %v", err) // no fault of the flags
	}
	return nil
}

// UsageError is a sweep that cannot be meant.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

// Setting says what a run is of, without its threshold or size.
func (p Planned) Setting() string {
	words := []string{cmp.Or(p.Run.Task, p.Run.Data)}
	if p.Run.Model != p.Run.Task {
		words = append(words, p.Run.Model)
	}
	return strings.Join(append(words, p.Run.Algorithm, p.Run.Metric, p.Run.Ablation, fmt.Sprintf("seed %d", p.Run.Seed)), ", ")
}

// Point is its threshold or its size.
func (p Planned) Point() string {
	if s := p.Run.Selection; s != nil {
		return fmt.Sprintf("%d edges", s.Edges)
	}
	return fmt.Sprintf("threshold %.4g", p.Run.Threshold)
}
