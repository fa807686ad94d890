package discover

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var run = []Field{{Name: "model", Value: "m"}, {Name: "threshold", Value: "0.1"}}

func save(t *testing.T, path string, records ...string) []byte {
	t.Helper()
	c, err := OpenCheckpoint(path, run)
	require.NoError(t, err)
	for _, r := range records {
		require.NoError(t, c.Save([]byte(r)))
	}
	require.NoError(t, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func parts() []string { return []string{`{"tests":[[3,0.1]],"x":1}`, `[1,-5,"two"]`} }

func TestCheckpointCutAnywhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	data := save(t, path, parts()...)
	lines := strings.SplitAfter(string(data), "\n")
	for n := range len(data) + 1 {
		require.NoError(t, os.WriteFile(path, data[:n], 0o644))
		c, err := OpenCheckpoint(path, run)
		require.NoError(t, err, "cut after %d bytes", n)
		var want [][]byte
		for i, r := range parts() {
			if n >= len(lines[0])+len(lines[1])+i*len(lines[2]) {
				want = append(want, []byte(r))
			}
		}
		require.Equal(t, want, c.Progress().Done, "cut after %d bytes", n)
		require.Equal(t, n > 0 && n < len(lines[0])-1, c.Anew() && n < len(lines[0])-1, "cut after %d bytes", n)
		for _, r := range parts()[len(want):] { // whatever is missing can be appended
			require.NoError(t, c.Save([]byte(r)))
		}
		require.NoError(t, c.Close())
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(data), string(now), "cut after %d bytes", n)
	}
}

func TestCheckpointRefusesOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c")
	data := save(t, path, parts()...)
	for name, c := range map[string]struct {
		content string
		run     []Field
		want    string
	}{
		"threshold": {string(data), []Field{{Name: "model", Value: "m"}, {Name: "threshold", Value: "0.3"}}, `threshold: expected "0.3", found "0.1"`},
		"missing":   {string(data), append(run[:2:2], Field{Name: "abs", Value: "true"}), `abs: expected "true", found none`},
		"more":      {string(data), run[:1], `threshold: found "0.1", which this run does not have`},
		"text":      {"my thesis\n", run, "not a checkpoint: it is left as it is"},
		"long":      {strings.Repeat("my thesis ", 1<<18), run, "not a checkpoint: it is left as it is"},
		"letters":   {strings.Replace(string(data), "acdc_checkpoint", "ACDC_checkpoint", 1), run, "not a checkpoint: it is left as it is"},
		"torn text": {"my thesis", run, "not a checkpoint"},
		"format":    {strings.Replace(string(data), `checkpoint":2`, `checkpoint":1`, 1), run, "expected format 2, found 1"},
		"damaged":   {strings.Replace(string(data), `[1,`, `[x,`, 1), run, "damaged at byte"},
	} {
		require.NoError(t, os.WriteFile(path, []byte(c.content), 0o644))
		_, err := OpenCheckpoint(path, c.run)
		require.Error(t, err, name)
		assert.True(t, strings.HasPrefix(err.Error(), path+": "), err.Error())
		assert.Contains(t, err.Error(), c.want, name)
		assert.NotContains(t, err.Error(), "\n")
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, c.content, string(now), "%s: nothing that existed is lost", name)
	}
	_, err := OpenCheckpoint(dir, run)
	assert.ErrorContains(t, err, "is a directory")
	_, err = OpenCheckpoint(filepath.Join(dir, "no", "c"), run)
	assert.ErrorContains(t, err, "no such file")
}

func TestCheckpointOfALivingProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	c, err := OpenCheckpoint(path, run)
	require.NoError(t, err)
	_, err = OpenCheckpoint(path, run)
	assert.ErrorContains(t, err, "another process is writing to it")
	require.NoError(t, c.Close())
	c, err = OpenCheckpoint(path, run)
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func FuzzCheckpoint(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	c, err := OpenCheckpoint(path, run)
	require.NoError(f, err)
	for _, r := range parts() {
		require.NoError(f, c.Save([]byte(r)))
	}
	require.NoError(f, c.Close())
	data, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(data)
	f.Add(data[:len(data)-9])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "c")
		require.NoError(t, os.WriteFile(path, data, 0o644))
		c, err := OpenCheckpoint(path, run)
		if err != nil { // what is refused is left as it is
			now, readErr := os.ReadFile(path)
			require.NoError(t, readErr)
			require.Equal(t, data, now)
			return
		}
		first := c.Progress()
		require.NoError(t, c.Close())
		c, err = OpenCheckpoint(path, run)
		require.NoError(t, err, "what was opened once can be opened again")
		require.Equal(t, first.Done, c.Progress().Done)
		require.NoError(t, c.Close())
	})
}

// The refusal names the first thing that differs, always the same.
func TestTheRefusalIsDeterministic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c")
	save(t, path)
	for range 50 {
		_, err := OpenCheckpoint(path, []Field{{Name: "model", Value: "other"}, {Name: "threshold", Value: "0.7"}, {Name: "abs", Value: "true"}})
		assert.ErrorContains(t, err, `model: expected "other", found "m"`)
	}
}

func TestSaveOfNoRecord(t *testing.T) {
	c, err := OpenCheckpoint(filepath.Join(t.TempDir(), "c"), run)
	require.NoError(t, err)
	for _, record := range []string{"", "{", "1\n2", "{}\n"} {
		assert.Panics(t, func() { _ = c.Save([]byte(record)) }, record)
	}
	require.NoError(t, c.Close())
}
