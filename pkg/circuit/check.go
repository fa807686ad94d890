package circuit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// What the fields of a file are bounded by.
const (
	mostName     = 64 // bytes
	mostText     = 4096
	mostExamples = 1_000_000
	mostTokens   = 1 << 20
	mostNames    = 64 // in a list
	mostWarnings = 10_000
)

// check refuses texts and numbers that no run can have: whether a name is known
// is for those to say who own it.
func (f *File) check() error {
	if err := f.checkTexts(); err != nil {
		return err
	}
	if f.Examples < 0 || f.Examples > mostExamples {
		return fmt.Errorf("field \"examples\": expected a whole number from 1 to %d, found %d", mostExamples, f.Examples)
	}
	if err := checkPermutation(f.PosPermutation); err != nil {
		return fmt.Errorf("field \"pos_permutation\": %w", err)
	}
	return f.checkNumbers()
}

func (f *File) checkTexts() error {
	for _, t := range []struct{ field, name string }{
		{"algorithm", f.Algorithm}, {"task", f.Task}, {"metric", f.Metric}, {"ablation", f.Ablation},
		{"order", f.Order}, {"half", f.Half}, {"variant", f.Variant},
	} {
		if err := checkName(t.name); err != nil {
			return fmt.Errorf("field %q: %w", t.field, err)
		}
	}
	for _, t := range []struct{ field, text string }{{"weights_sha256", f.WeightsDigest}, {"prompts_sha256", f.PromptsDigest}} {
		if b, err := hex.DecodeString(t.text); t.text != "" && (err != nil || len(b) != sha256.Size) {
			return fmt.Errorf("field %q: expected %d hexadecimal digits, found %s", t.field, 2*sha256.Size, oneline.Quote(t.text))
		}
	}
	if len(f.Processing) > mostNames {
		return fmt.Errorf("field \"processing\": expected at most %d names, found %d", mostNames, len(f.Processing))
	}
	for i, name := range f.Processing {
		if err := checkName(name); err != nil {
			return fmt.Errorf("field \"processing\"[%d]: %w", i, err)
		}
	}
	if s := string(f.Options); s != "" && (s[0] != '{' || s == "{}") {
		return fmt.Errorf("field \"options\": expected an object that is not empty, found %s", oneline.Quote(s))
	}
	for _, t := range []struct{ field, text string }{{"data", f.Data}, {"model", f.Model}, {"options", string(f.Options)}} {
		if err := checkLength(t.text, mostText); err != nil {
			return fmt.Errorf("field %q: %w", t.field, err)
		}
	}
	if len(f.Measured.Warnings) > mostWarnings {
		return fmt.Errorf("field \"warnings\": expected at most %d texts, found %d", mostWarnings, len(f.Measured.Warnings))
	}
	for i, text := range f.Measured.Warnings {
		if err := checkLength(text, mostText); err != nil {
			return fmt.Errorf("field \"warnings\"[%d]: %w", i, err)
		}
	}
	return nil
}

// checkLength refuses a text that is longer than so many bytes.
func checkLength(s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("expected at most %d bytes, found %d", most, len(s))
	}
	return nil
}

// checkName refuses what is no name: long, or with what cannot be seen.
func checkName(s string) error {
	if err := checkLength(s, mostName); err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("expected a name without control characters, found %s", oneline.Quote(s))
	}
	return nil
}

// checkPermutation refuses what is no order of the positions 0, 1, 2, …
func checkPermutation(p []int) error {
	if len(p) > mostTokens {
		return fmt.Errorf("expected at most %d positions, found %d", mostTokens, len(p))
	}
	seen := make([]bool, len(p))
	for i, at := range p {
		if at < 0 || at >= len(p) || seen[at] {
			return fmt.Errorf("expected each of the positions 0 to %d once, found %d at place %d", len(p)-1, at, i)
		}
		seen[at] = true
	}
	return nil
}

// checkNumbers refuses numbers that are not finite, and negative ones of what
// is counted.
func (f *File) checkNumbers() error {
	cost := f.Measured.Cost
	if cost == nil {
		cost = &Cost{}
	}
	for _, n := range []struct {
		field  string
		number float64
		signed bool
	}{
		{"threshold", f.Threshold, false},
		{"initial", f.Measured.Initial, true}, {"final", f.Measured.Final, true}, {"corrupted", f.Measured.Corrupted, true},
		{"tests", float64(cost.Tests), false}, {"nodes", float64(cost.Nodes), false}, {"flop", float64(cost.FLOP), false},
		{"forward_passes", cost.ForwardPasses, false},
		{"idle", float64(f.Measured.Idle), false}, {"dropped_idle", float64(f.Measured.DroppedIdle), false},
		{"chosen", float64(f.Measured.Chosen), false}, {"screened", float64(f.Measured.Screened), false},
	} {
		if !isFinite(n.number) || n.number < 0 && !n.signed {
			return fmt.Errorf("field %q: expected a number of at least 0, found %v", n.field, n.number)
		}
	}
	if err := f.Constants.check(); err != nil {
		return err
	}
	for k, e := range f.Edges {
		if e.Score != nil && !isFinite(*e.Score) {
			return fmt.Errorf("field \"edges\"[%d]: field \"score\": expected a finite number, found %v", k, *e.Score)
		}
	}
	return nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
