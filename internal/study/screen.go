package study

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
)

// Screen says which edges ACDC tests: as many as an algorithm's scores take for
// the most important. Its zero value is all of them.
type Screen struct {
	By    string `json:"by"`
	Edges int    `json:"edges"`
}

// ParseScreen reads ALGORITHM:N.
func ParseScreen(text string) (Screen, error) {
	by, count, ok := strings.Cut(text, ":")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 {
		return Screen{}, fmt.Errorf("expected an algorithm and a number of edges such as eap-ig:2000, found %s", oneline.Quote(text))
	}
	_, err = ParseScreener(by)
	return Screen{by, n}, err
}

// ParseScreener checks the name of an algorithm that can screen; another is an
// error that lists the valid ones.
func ParseScreener(s string) (string, error) {
	_, err := choice.Find("algorithm", s, screens(), func(a algorithm) string { return a.name })
	return s, err
}

// screens are the algorithms that can screen: those that score edges and do not
// learn, which would take longer than what follows.
func screens() (out []algorithm) {
	for _, a := range algorithms()[1:] {
		if !of(a, learning...) {
			out = append(out, a)
		}
	}
	return out
}

// Screeners lists the names of the algorithms that can screen, or begin what is
// learned.
func Screeners() []string {
	return choice.Names(screens(), func(a algorithm) string { return a.name })
}

// screen is what ACDC is given, nil for all edges.
func (s Screen) screen() (*acdc.Screen, error) {
	if s == (Screen{}) {
		return nil, nil
	}
	a, err := findAlgorithm(s.By)
	if err != nil {
		return nil, &UsageError{err}
	}
	return &acdc.Screen{By: a.scorer(Method{}), Edges: s.Edges}, nil
}

// screened is a screen in a file.
type screened struct {
	Screen  string          `json:"screen"`
	Edges   int             `json:"edges"`
	Options json.RawMessage `json:"options,omitempty"` // of the screening algorithm
}

// describeScreen writes a screen into a provenance.
func describeScreen(run *circuit.Run, s *acdc.Screen) error {
	if s == nil {
		return nil
	}
	own, err := optionsOf(s.By)
	if err != nil {
		return err
	}
	run.Options, err = json.Marshal(screened{s.By.Name(), s.Edges, own})
	return err
}
