package sweep

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/discover"
)

// An interrupted or extended sweep makes only what is missing, and gives the
// same files as one that was not.
func TestOnlyWhatIsMissing(t *testing.T) {
	dir, whole := t.TempDir(), t.TempDir()
	g := small()
	wide := g
	wide.Thresholds, wide.Sizes = []float64{0.01, 0.1, 1}, []int{1, 5, 13}
	_, n := made(t, newLab(t, whole), planOf(t, wide))
	assert.Equal(t, 6, n)
	_, n = made(t, newLab(t, dir), planOf(t, g))
	assert.Equal(t, 4, n)
	_, n = made(t, newLab(t, dir), planOf(t, g))
	assert.Zero(t, n)
	rows, n := made(t, newLab(t, dir), planOf(t, wide))
	assert.Equal(t, 2, n, "a threshold and a size")
	assert.Equal(t, files(t, whole), files(t, dir))
	assert.Len(t, files(t, dir), 7, "six results and scores")
	inMemory, _ := made(t, newLab(t, ""), planOf(t, wide))
	assert.Equal(t, inMemory, rows)
}

// What a killed process left beside results is removed.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	want := files(t, dir)
	for _, name := range []string{plan[0].ID, plan[2].scoresName()} {
		require.NoError(t, os.WriteFile(Folder(dir).checkpoint(name), []byte("x"), 0o644))
	}
	made(t, newLab(t, dir), plan)
	assert.Equal(t, want, files(t, dir))
}

// A run on which another process is at work is not made twice.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	for _, p := range []Planned{plan[0], plan[2]} {
		name := p.ID
		if !p.decides() {
			name = p.scoresName()
		}
		err := Folder(dir).alone(name, func(discover.Progress) error {
			_, _, err := newLab(t, dir).Make(t.Context(), p)
			return err
		})
		assert.ErrorIs(t, err, discover.ErrLocked)
	}
}

// Another program, other weights and other prompts are noticed.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	same, err := Folder(dir).Changed(t.Context(), plan)
	require.NoError(t, err)
	assert.Empty(t, same)
	for want, change := range map[string]func(*Planned){
		"another version, v1":          func(p *Planned) { p.Origin.Version = "v2" },
		"another processor, ":          func(p *Planned) { p.Origin.Processor = "sparc" },
		"other weights, SHA-256 ":      func(p *Planned) { p.Run.WeightsDigest = "00" },
		"other prompts, SHA-256 ":      func(p *Planned) { p.Run.PromptsDigest = "00" },
		"other test prompts, SHA-256 ": func(p *Planned) { p.Test.Digest = "00" },
	} {
		changed := slices.Clone(plan)
		for i := range changed {
			change(&changed[i])
			changed[i].ID = changed[i].Name()
		}
		found, err := Folder(dir).Changed(t.Context(), changed)
		require.NoError(t, err)
		require.Len(t, found, 1, want)
		assert.Contains(t, found[0], "4 results of these settings are of "+want)
		_, _, err = newLab(t, dir).Make(t.Context(), changed[0])
		var e *ChangedError
		require.ErrorAs(t, err, &e, want)
	}
}

// A result or a manifest that was damaged, or edited by hand, is refused in one
// line.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	plan := planOf(t, small())
	made(t, newLab(t, dir), plan)
	path := Folder(dir).Path(plan[0])
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for want, bad := range map[string]string{
		"expected JSON, found an end":      string(text[:len(text)/2]),
		"field \"acdc_sweep\": expected 1": strings.Replace(string(text), `"acdc_sweep": 1`, `"acdc_sweep": 9`, 1),
		"the hash of the run, found":       strings.Replace(string(text), `"seed": 0`, `"seed": 1`, 1),
	} {
		require.NoError(t, os.WriteFile(path, []byte(bad), 0o644))
		_, _, err := newLab(t, dir).Make(t.Context(), plan[0])
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, path+": ")
	}
	require.NoError(t, os.WriteFile(path, text, 0o644))
	require.NoError(t, os.Rename(path, Folder(dir).Path(plan[1])))
	_, _, err = newLab(t, dir).Make(t.Context(), plan[1])
	assert.ErrorContains(t, err, "as in the file's name")

	var b bytes.Buffer
	require.NoError(t, WriteManifest(&b, plan))
	manifest := filepath.Join(dir, "m")
	require.NoError(t, os.WriteFile(manifest, b.Bytes(), 0o644))
	read, err := ReadManifest(t.Context(), manifest)
	require.NoError(t, err)
	for i := range plan {
		assert.Equal(t, plan[i].ID, read[i].ID)
		assert.Equal(t, plan[i].Name(), read[i].Name())
	}
	for want, bad := range map[string]string{
		"line 1: field \"id\": expected ":     strings.Replace(b.String(), `"seed":0`, `"seed":1`, 1),
		"line 5: expected a run of its own":   b.String() + b.String(),
		"expected a run a line, found none":   "\n\n",
		"line 1: field \"method\": --steps: ": strings.Replace(b.String(), `"algorithm":"acdc",`, `"algorithm":"acdc","steps":3,`, 1),
	} {
		require.NoError(t, os.WriteFile(manifest, []byte(bad), 0o644))
		_, err := ReadManifest(t.Context(), manifest)
		assert.ErrorContains(t, err, want)
	}
}

// Scores of another graph are refused.
func TestDamagedScores(t *testing.T) {
	dir := t.TempDir()
	p := planOf(t, small())[2]
	for want, text := range map[string]string{
		`field "scores": expected 19, one an edge, found 1`: `{"acdc_scores":1,"scores":[1],"cost":{"tests":0,"nodes":0,"flop":0,"forward_passes":0}}`,
		`field "acdc_scores": expected 1, found 3`:          `{"acdc_scores":3}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, p.scoresName()+scoresEnding), []byte(text), 0o644))
		_, _, err := newLab(t, dir).Make(t.Context(), p)
		assert.ErrorContains(t, err, want)
	}
}
