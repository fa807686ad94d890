package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/view"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// viewer is acdc view with its page.
type viewer struct {
	t       *testing.T
	address string
	data    page.Data
	end     func() (code int, said string)
}

// startView runs acdc view until the test, or end, ends it, and reads its page.
func startView(t *testing.T, args ...string) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var said bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, append([]string{"view"}, args...), strings.NewReader(""), in, &said)
		_ = in.Close() // what reads finds the end
	}()
	v := &viewer{t: t}
	v.end = func() (int, string) {
		cancel()
		c := <-code
		code <- c
		return c, said.String()
	}
	t.Cleanup(func() { v.end() })
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		_, text := v.end()
		require.NoError(t, err, text)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // until the command ends
	v.address = strings.TrimSuffix(string(line[:n]), "\n")
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/[a-z2-7]{26}/$`, v.address)
	_, html := v.do(http.MethodGet, "", nil)
	text := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(html)
	require.Len(t, text, 2)
	require.NoError(t, json.Unmarshal([]byte(text[1]), &v.data))
	return v
}

// do asks for an address below the page's.
func (v *viewer) do(method, path string, question any) (int, string) {
	v.t.Helper()
	body, err := json.Marshal(question)
	require.NoError(v.t, err)
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.address+path, bytes.NewReader(body))
	require.NoError(v.t, err)
	r.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	require.NoError(v.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	return res.StatusCode, string(text)
}

// kept are the numbers of the edges of the circuit that the page begins with, but
// for some of the first.
func (v *viewer) kept(without int) (out []int) {
	for _, e := range v.data.Edges {
		if e.Kept {
			out = append(out, e.Number)
		}
	}
	require.Greater(v.t, len(out), without)
	return out[without:]
}

// measure asks what a set of edges does.
func (v *viewer) measure(edges []int) (a view.Answer) {
	v.t.Helper()
	status, text := v.do(http.MethodPost, "measure", view.Question{Edges: edges})
	require.Equal(v.t, 200, status, text)
	require.NoError(v.t, json.Unmarshal([]byte(text), &a))
	return a
}

// asRun is what the line of acdc run that an answer shows prints.
func asRun(t *testing.T, line string) measured {
	t.Helper()
	out, err := exec.Command("bash", "-o", "pipefail", "-c", line+" --format json").Output()
	require.NoError(t, err, line)
	var rows []measured
	require.NoError(t, json.Unmarshal(out, &rows))
	return rows[len(rows)-2]
}

// The circuit that view finds is that of discover, and the edited one is measured
// as the line of acdc run measures it that is shown, whatever flags there are.
func TestViewMeasuresAsRunDoes(t *testing.T) {
	t.Chdir(t.TempDir())
	acdcOut(t, "discover", "--task", "or_gate", "--quiet", "-o", "a b's.json")
	for _, args := range [][]string{
		{"--task", "induction", "--threshold", "2", "--examples", "5", "--quiet"},
		{"--task", "tracr-reverse", "--split-embed=false", "--definition", "eap", "--algorithm", "exact", "--top", "12", "--quiet"},
		{"a b's.json"},
		{"a b's.json", "--metric", "kl_div", "--ablation", "resample", "--data", "random:3x1"},
	} {
		v := startView(t, args...)
		for _, without := range []int{0, 1} {
			a := v.measure(v.kept(without))
			row := asRun(t, a.Command)
			assert.Equal(t, row.Edges, a.Edges, a.Command)
			assert.Equal(t, map[string]float64{a.Metric: a.Value}, row.Metrics, a.Command)
			assert.Len(t, a.Cut, without)
		}
		code, said := v.end()
		assert.Equal(t, codeInterrupted, code)
		assert.True(t, strings.HasSuffix(said, "acdc: interrupted\n"), said)
	}
}

// The page has the whole graph, so that everything can be restored; what is saved
// goes to the files of the command line, whose numbers acdc run finds again.
func TestViewSaves(t *testing.T) {
	t.Chdir(t.TempDir())
	acdcOut(t, "discover", "--task", "induction", "--quiet", "-o", "c.json")
	v := startView(t, "c.json", "-o", "c.json", "-o", "page.html")
	assert.Len(t, v.data.Edges, 41)
	assert.JSONEq(t, `{"save": ["c.json", "page.html"], "patterns": true}`, string(v.data.Live))
	assert.Len(t, v.data.Runs.Heads, 4)
	a := v.measure(v.kept(1))
	status, text := v.do(http.MethodPost, "save", map[string]any{"edges": v.kept(1)})
	require.Equal(t, 200, status, text)
	var rows []measured
	require.NoError(t, json.Unmarshal([]byte(acdcOut(t, "run", "--circuit", "c.json", "--format", "json")), &rows))
	assert.Equal(t, a.Edges, rows[1].Edges)
	assert.Equal(t, a.Value, rows[1].Metrics[a.Metric])
	html, err := os.ReadFile("page.html")
	require.NoError(t, err)
	assert.NotContains(t, string(html), `"live"`, "nothing is behind a page that is saved")
	assert.Contains(t, string(html), "connect-src &#39;none&#39;")
	before := listedNames(t)
	status, _ = v.do(http.MethodPost, "save", map[string]any{"edges": v.kept(1), "path": "stranger.json"})
	assert.Equal(t, before, listedNames(t), "status %d: a request never says where", status)
}

// listedNames lists the files of the folder.
func listedNames(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*")
	require.NoError(t, err)
	return names
}

// What cannot be meant is refused before anything is opened.
func TestViewRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	acdcOut(t, "discover", "--task", "or_gate", "--quiet", "-o", "c.json")
	taken := startView(t, "c.json")
	port := regexp.MustCompile(`:(\d+)/`).FindStringSubmatch(taken.address)[1]
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "expected a circuit file, or --task NAME, of which one is to be found", nil},
		{2, "--threshold: expected none with a circuit file, whose edges are found already", []string{"c.json", "--threshold", "1"}},
		{2, "--program: expected none with a circuit file", []string{"c.json", "--program", "histogram"}},
		{2, "--definition: expected none with a circuit file", []string{"c.json", "--definition", "eap"}},
		{2, "expected one argument, a circuit file, found 2", []string{"c.json", "d.json"}},
		{2, "expected a circuit file, found an empty name", []string{""}},
		{2, "-o -: expected a file; standard output carries the address of the page", []string{"c.json", "-o", "-"}},
		{2, `--port: expected a whole number from 0 to 65535, found "65536"`, []string{"c.json", "--port", "65536"}},
		{1, "port " + port + " of 127.0.0.1: expected one that is free, found: ", []string{"c.json", "--port", port}},
		{1, "gone.json", []string{"gone.json"}},
	} {
		code, text := runMain(append([]string{"view"}, c.args...)...)
		assert.Equal(t, c.code, code, "%v: %s", c.args, text)
		assert.Contains(t, text, c.want)
		assert.Equal(t, 1, strings.Count(text, "\n"), text)
	}
}

// The browser is opened where that is asked for, with the address and nothing
// else; where there is none, that is a warning.
func TestViewOpensTheBrowser(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	acdcOut(t, "discover", "--task", "or_gate", "--quiet", "-o", "c.json")
	path := os.Getenv("PATH")
	t.Setenv("PATH", filepath.Join(dir, "none"))
	v := startView(t, "c.json", "--open")
	_, said := v.end()
	assert.Contains(t, said, "acdc: warning: --open: ")

	bin := filepath.Join(dir, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	for _, name := range []string{"xdg-open", "open"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(fmt.Sprintf("#!/bin/sh\necho \"$#\" \"$@\" > %s/new && mv %s/new %s/opened\n", dir, dir, dir)), 0o755))
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+path)
	v = startView(t, "c.json")
	_, _ = v.end()
	assert.NoFileExists(t, "opened", "only when asked")
	v = startView(t, "c.json", "--open")
	require.Eventually(t, func() bool { _, err := os.Stat("opened"); return err == nil }, 20*time.Second, 5*time.Millisecond)
	text, err := os.ReadFile("opened")
	require.NoError(t, err)
	assert.Equal(t, "1 "+v.address+"\n", string(text))
}
