package sweep

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// WriteManifest writes a plan, a run a line.
func WriteManifest(w io.Writer, plan []Planned) error {
	for _, p := range plan {
		line, err := jsonfile.Encode(p, "")
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// ReadManifest reads a plan from a file. A line that was changed by hand is
// refused: its runs would have the names of others.
func ReadManifest(ctx context.Context, path string) ([]Planned, error) {
	data, err := jsonfile.ReadFile(ctx, path, "a manifest of runs", mostBytes)
	if err != nil {
		return nil, err
	}
	return decodeManifest(ctx, path, data)
}

func decodeManifest(ctx context.Context, path string, data []byte) ([]Planned, error) {
	var out []Planned
	seen := map[string]int{}
	for n := 1; len(data) > 0; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		at := fmt.Sprintf("%s: line %d", path, n)
		var p Planned
		if err := jsonfile.DecodeWith(ctx, at, line, &p, jsonfile.Options{Line: true}); err != nil {
			return nil, err
		}
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if first := seen[p.ID]; first > 0 {
			return nil, fmt.Errorf("%s: expected a run of its own, found that of line %d", at, first)
		}
		seen[p.ID] = n
		if out = append(out, p); len(out) > MostRuns {
			return nil, fmt.Errorf("%s: expected at most %d runs", path, MostRuns)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: expected a run a line, found none", path)
	}
	return out, nil
}

// Share are the runs of one index of an array, perTask of them; none behind the
// last.
func Share(plan []Planned, index, perTask int) []Planned {
	lo := min(int64(index)*int64(perTask), int64(len(plan)))
	return plan[lo:min(lo+int64(perTask), int64(len(plan)))]
}

// Shares is how many indices an array has.
func Shares(runs, perTask int) int { return (runs + perTask - 1) / perTask }

// Missing lists the indices of an array whose results are not all there.
func Missing(d Folder, plan []Planned, perTask int) []int {
	var out []int
	for i := range Shares(len(plan), perTask) {
		for _, p := range Share(plan, i, perTask) {
			if !d.Has(p) {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// Array writes ascending indices as Slurm reads them: 0,3-5.
func Array(indices []int) string { return oneline.Ranges(indices, ",") }
