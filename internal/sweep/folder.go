package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/fileerror"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// Folder has the results of runs, each in a file of its name: NAME.json what a
// run found, NAME.scores.json the scores that several runs choose by, NAME.ckpt
// how far one has come that was stopped. An empty one keeps nothing.
type Folder string

// The ends of its files' names.
const (
	resultEnding     = ".json"
	scoresEnding     = ".scores.json"
	checkpointEnding = ".ckpt"
)

// The versions of the formats of files.
const (
	resultFormat = 1
	scoresFormat = 1
)

// mostBytes bounds a file of a result, as that of a circuit.
const mostBytes = 1 << 30

// resultFile is a run's file.
type resultFile struct {
	Format int `json:"acdc_sweep"`
	Result
}

// Path is the file of a run's result.
func (d Folder) Path(p Planned) string { return filepath.Join(string(d), p.ID+resultEnding) }

func (d Folder) checkpoint(name string) string {
	return filepath.Join(string(d), name+checkpointEnding)
}

// Prepare makes the folder, and finds out whether it can be written to.
func (d Folder) Prepare() error {
	if d == "" {
		return nil
	}
	if err := os.MkdirAll(string(d), 0o777); err != nil {
		return fileerror.At(string(d), err)
	}
	return atomicfile.Check(filepath.Join(string(d), "check"))
}

// isThere reports whether a file of a result is there, which was written whole.
func isThere(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Has reports whether a run's result is there.
func (d Folder) Has(p Planned) bool { return d != "" && isThere(d.Path(p)) }

// load reads a run's result, nil if it is not there. What a killed process left
// beside it is removed.
func (d Folder) load(ctx context.Context, p Planned) (*Result, error) {
	if !d.Has(p) {
		return nil, nil
	}
	r, err := readResult(ctx, d.Path(p))
	if err != nil {
		return nil, err
	}
	if r.Planned.ID != p.ID {
		return nil, fmt.Errorf("%s: field \"planned\": field \"id\": expected %s as in the file's name, found %s", d.Path(p), p.ID, r.Planned.ID)
	}
	_ = os.Remove(d.checkpoint(p.ID)) // it may well not be there
	if !p.decides() {
		_ = os.Remove(d.checkpoint(p.scoresName())) // the result came after the scores
	}
	return r, nil
}

// Load is a run's result, nil if it is not there.
func (d Folder) Load(ctx context.Context, p Planned) (*Result, error) { return d.load(ctx, p) }

// readResult reads a file of a result.
func readResult(ctx context.Context, path string) (*Result, error) {
	data, err := jsonfile.ReadRegular(ctx, path, "the result of a run", mostBytes)
	if err != nil {
		return nil, err
	}
	return decodeResult(ctx, path, data)
}

func decodeResult(ctx context.Context, path string, data []byte) (*Result, error) {
	var f struct {
		Format  int             `json:"acdc_sweep"`
		Planned Planned         `json:"planned"`
		Row     Row             `json:"row"`
		Circuit json.RawMessage `json:"circuit"` // read by whoever wants it
	}
	if err := jsonfile.Decode(ctx, path, data, &f); err != nil {
		return nil, err
	}
	if f.Format != resultFormat {
		return nil, fmt.Errorf("%s: field \"acdc_sweep\": expected %d, found %d", path, resultFormat, f.Format)
	}
	if err := f.Planned.check(); err != nil {
		return nil, fmt.Errorf("%s: field \"planned\": %w", path, err)
	}
	return &Result{Planned: f.Planned, Row: f.Row, raw: f.Circuit, path: path}, nil
}

// save writes a run's result.
func (d Folder) save(ctx context.Context, r *Result) error {
	if d == "" {
		return nil
	}
	return d.write(ctx, d.Path(r.Planned), resultFile{resultFormat, *r})
}

// write writes a file of JSON whole.
func (d Folder) write(ctx context.Context, path string, what any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return atomicfile.WriteFile(ctx, path, func(w io.Writer) error {
		text, err := jsonfile.Encode(what, " ")
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
}

// scoresFile are an algorithm's scores of all edges, in their order, null where
// an edge has none.
type scoresFile struct {
	Format   int          `json:"acdc_scores"`
	Scores   []*float64   `json:"scores"`
	Cost     circuit.Cost `json:"cost"`
	Steps    []step       `json:"steps,omitempty"` // by which masks were learned
	Warnings []string     `json:"warnings,omitempty"`
}

// step is a step of masks that were learned.
type step struct {
	Loss     float64 `json:"loss"`
	Metric   float64 `json:"metric"`
	Sparsity float64 `json:"sparsity"`
	Rate     float64 `json:"rate"`
}

// scores is the file of scores.
func (d Folder) scores(name string) string { return filepath.Join(string(d), name+scoresEnding) }

// saveScores writes scores.
func (d Folder) saveScores(ctx context.Context, name string, s *learned) error {
	if d == "" {
		return nil
	}
	f := scoresFile{Format: scoresFormat, Scores: make([]*float64, len(s.Scores)), Cost: s.Cost, Warnings: s.Warnings}
	for i := range s.Scores {
		f.Scores[i] = jsonfile.Finite(s.Scores[i])
	}
	for _, x := range s.steps {
		f.Steps = append(f.Steps, step{x.Loss, x.Metric, x.Sparsity, x.Rate})
	}
	return d.write(ctx, d.scores(name), f)
}

// loadScores reads the scores of a graph's edges, of any number of them if edges is
// −1; nil if they are not there.
func (d Folder) loadScores(ctx context.Context, name string, edges int) (*learned, error) {
	path := d.scores(name)
	if d == "" || !isThere(path) {
		return nil, nil
	}
	data, err := jsonfile.ReadRegular(ctx, path, "scores", mostBytes)
	if err != nil {
		return nil, err
	}
	var f scoresFile
	if err := jsonfile.Decode(ctx, path, data, &f); err != nil {
		return nil, err
	}
	if f.Format != scoresFormat {
		return nil, fmt.Errorf("%s: field \"acdc_scores\": expected %d, found %d", path, scoresFormat, f.Format)
	}
	if edges >= 0 && len(f.Scores) != edges {
		return nil, fmt.Errorf("%s: field \"scores\": expected %d, one an edge, found %d", path, edges, len(f.Scores))
	}
	out := &learned{Scored: discover.Scored{Scores: make(circuit.Scores, len(f.Scores)), Cost: f.Cost, Warnings: f.Warnings}}
	for i, x := range f.Steps {
		out.steps = append(out.steps, discover.Learned{Step: i + 1, Steps: len(f.Steps), Loss: x.Loss, Metric: x.Metric, Sparsity: x.Sparsity, Rate: x.Rate})
	}
	for i, x := range f.Scores {
		if out.Scores[i] = math.NaN(); x != nil {
			out.Scores[i] = *x
		}
	}
	return out, nil
}

// alone does something as the only process that does it, with what an earlier
// one came to; another at work is discover.ErrLocked. What is saved on the way
// is removed when it is done.
func (d Folder) alone(name string, do func(discover.Progress) error) error {
	if d == "" {
		return do(discover.Progress{})
	}
	path := d.checkpoint(name)
	c, err := discover.OpenCheckpoint(path, []discover.Field{{Name: "run", Value: name}})
	if err != nil {
		return err
	}
	if err := do(c.Progress()); err != nil {
		_ = c.Close() // the first error says more
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileerror.At(path, err)
	}
	return nil
}

// Changed are warnings of results in the folder that have the settings of a run
// of the plan, and are of another program, other weights or other prompts.
func (d Folder) Changed(ctx context.Context, plan []Planned) ([]string, error) {
	list, err := os.ReadDir(string(d))
	if d == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileerror.At(string(d), err)
	}
	names, bySettings := map[string]bool{}, map[string]Planned{}
	for _, p := range plan {
		names[p.ID], bySettings[p.settings()] = true, p
	}
	counts := map[string]int{}
	var order []string
	for _, e := range list {
		name, ok := strings.CutSuffix(e.Name(), resultEnding)
		if !ok || strings.HasSuffix(e.Name(), scoresEnding) || names[name] || len(name) != nameLength {
			continue
		}
		r, err := readResult(ctx, filepath.Join(string(d), e.Name()))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue // of nobody's
		}
		if p, ok := bySettings[r.Planned.settings()]; ok {
			what := difference(p, r.Planned)
			if counts[what]++; counts[what] == 1 {
				order = append(order, what)
			}
		}
	}
	var out []string
	for _, what := range order {
		out = append(out, fmt.Sprintf("%s: %d results of these settings are of %s: their runs are made again", d, counts[what], what))
	}
	return out, nil
}

// difference says what two runs of the same settings were made of.
func difference(now, old Planned) string {
	switch {
	case now.Origin.Version != old.Origin.Version:
		return "another version, " + old.Origin.Version
	case now.Origin.Processor != old.Origin.Processor:
		return "another processor, " + old.Origin.Processor
	case now.Run.WeightsDigest != old.Run.WeightsDigest:
		return fmt.Sprintf("other weights, SHA-256 %.12s…", old.Run.WeightsDigest)
	case now.Run.PromptsDigest != old.Run.PromptsDigest:
		return fmt.Sprintf("other prompts, SHA-256 %.12s…", old.Run.PromptsDigest)
	}
	return fmt.Sprintf("other test prompts, SHA-256 %.12s…", old.Test.Digest)
}
