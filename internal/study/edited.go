package study

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// mostEditsNamed bounds the edits of a kind that a file names one by one; its
// edges say the others.
const mostEditsNamed = 100

// Edited makes a file say what its circuit was measured with after edges were cut
// and added by hand, whose names are given: run is the provenance, and of
// measured only the three values of the metric count. How the edges were found
// stays as the file has it. The edges themselves are the caller's to set, and
// what the discovery cost is gone.
func Edited(f *circuit.File, run circuit.Run, measured circuit.Measured, cut, add []string) {
	found := f.Run
	f.Run = run
	f.Algorithm, f.Order, f.Threshold, f.AbsoluteValue = found.Algorithm, found.Order, found.Threshold, found.AbsoluteValue
	f.Measured.Initial, f.Measured.Final, f.Measured.Corrupted = measured.Initial, measured.Final, measured.Corrupted
	f.Measured.Cost = nil
	warnings := append(edits("cut", cut), edits("added", add)...)
	f.Measured.Warnings = append(f.Measured.Warnings[:len(f.Measured.Warnings):len(f.Measured.Warnings)], warnings...)
}

// edits says which edges were edited.
func edits(how string, edges []string) (out []string) {
	for i, e := range edges {
		if i == mostEditsNamed {
			return append(out, fmt.Sprintf("%d more edges were %s by hand", len(edges)-i, how))
		}
		out = append(out, fmt.Sprintf("edge %s was %s by hand", e, how))
	}
	return out
}
