package cli

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/hub"
)

const pullCommit = "607a30d783dfa663caf39e06633721c8d4cfcd7e"

// pullFiles is a model, too small to be one.
var pullFiles = map[string]string{"config.json": `{"model_type":"gpt2"}`, "tokenizer.json": "{}", "model.safetensors": strings.Repeat("weights ", 10_000), "README.md": "#"}

// hubServer serves the same files as every model whose name has no x in it, to
// those who have the token "t", if token is set.
func hubServer(t testing.TB, token bool) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token && r.Header.Get("Authorization") != "Bearer t" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		repo, isList := strings.CutPrefix(r.URL.Path, "/api/models/")
		repo, _, _ = strings.Cut(repo, "/revision/")
		name := filepath.Base(r.URL.Path)
		switch content, ok := pullFiles[name]; {
		case isList && !strings.Contains(repo, "x"):
			var siblings []map[string]any
			for name, text := range pullFiles {
				siblings = append(siblings, map[string]any{"rfilename": name, "size": len(text), "blobId": fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text)))})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"sha": pullCommit, "siblings": siblings})
		case !isList && ok && strings.HasSuffix(r.URL.Path, "/resolve/"+pullCommit+"/"+name):
			http.ServeContent(w, r, name, time.Time{}, strings.NewReader(content))
		default:
			w.Header().Set("X-Error-Code", "RepoNotFound")
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// runPull runs acdc pull as Main does, and returns what it prints.
func runPull(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{stdout: &output{w: &out}, stderr: &errs}
	cmd := newPull(a, a.pull)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(a.flagError)
	err := cmd.ExecuteContext(context.Background())
	if err != nil {
		fmt.Fprintln(&errs, "acdc: "+message(cmd, err))
	}
	return exitCode(err), out.String(), errs.String()
}

// pullEnv sets the environment of a server and an empty cache.
func pullEnv(t *testing.T, server *httptest.Server) (cache string) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_ENDPOINT", server.URL)
	return filepath.Join(home, "hub")
}

func TestPull(t *testing.T) {
	cache := pullEnv(t, hubServer(t, false))
	code, stdout, stderr := runPull("pythia-70m")
	require.Zero(t, code, stderr)
	dir := filepath.Join(cache, "models--EleutherAI--pythia-70m", "snapshots", pullCommit)
	assert.Equal(t, dir+"\n", stdout)
	assert.Regexp(t, `^pythia-70m: 80 kB in [0-9]+\.[0-9] s, 3 of 3 files\n$`, stderr)
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		assert.Equal(t, pullFiles[name], readText(t, filepath.Join(dir, name)))
	}
	assert.NoFileExists(t, filepath.Join(dir, "README.md"))
	found, err := (&hub.Cache{Dir: cache}).Find(t.Context(), "pythia-70m", "")
	require.NoError(t, err)
	assert.Equal(t, dir, found)

	code, stdout, stderr = runPull("pythia-70m")
	require.Zero(t, code)
	assert.Equal(t, dir+"\n", stdout)
	assert.Equal(t, "pythia-70m: already there, 3 files at commit "+pullCommit+"\n", stderr)

	require.NoError(t, os.Remove(filepath.Join(dir, "config.json")))
	config := fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(pullFiles["config.json"]), pullFiles["config.json"])))
	require.NoError(t, os.Remove(filepath.Join(cache, "models--EleutherAI--pythia-70m", "blobs", config)))
	code, _, stderr = runPull("EleutherAI/pythia-70m")
	require.Zero(t, code)
	assert.Regexp(t, `^EleutherAI/pythia-70m: 21 B in .* s, 1 of 3 files, the others were already there\n$`, stderr)
}

func TestPullRevision(t *testing.T) {
	cache := pullEnv(t, hubServer(t, false))
	for _, args := range [][]string{{"org/a@v1"}, {"org/b", "--revision", "v1"}, {"org/c@v1", "--revision=v1"}} {
		code, _, stderr := runPull(args...)
		require.Zero(t, code, stderr)
		repo, _ := hub.Split(args[0])
		assert.Equal(t, pullCommit, readText(t, filepath.Join(cache, "models--"+strings.ReplaceAll(repo, "/", "--"), "refs", "v1")))
	}
}

func TestPullToken(t *testing.T) {
	cache := pullEnv(t, hubServer(t, true))
	code, stdout, stderr := runPull("gpt2")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Regexp(t, `^acdc: model gpt2 at revision main: 127\.0\.0\.1:\d+ answers 401 Unauthorized: it does not exist, or is private or gated; set HF_TOKEN to a token that may read it\n$`, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(cache), "token"), []byte("t\n"), 0o600))
	code, _, stderr = runPull("gpt2")
	require.Zero(t, code, stderr)
}

func TestPullWrongUsage(t *testing.T) {
	cache := pullEnv(t, hubServer(t, false))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, `expected a model's name, found nothing \(see pull --help\)`},
		{[]string{"a", "b"}, 2, "expected one argument, a model's name, found 2"},
		{[]string{"../x"}, 2, `model "\.\./x": expected a short name such as gpt2, or a repository as org/name \(see`},
		{[]string{"induction"}, 2, `model "induction" is builtin: there is nothing to download`},
		{[]string{"gpt2@"}, 2, `"gpt2@": expected a revision after the @, found nothing`},
		{[]string{"gpt2@../x"}, 2, `revision "\.\./x": expected a branch, a tag or a commit`},
		{[]string{"gpt2@a", "--revision", "b"}, 2, "gpt2@a: expected the revision once, found --revision b too"},
		{[]string{"gpt2", "--revision", ""}, 2, "--revision: expected a branch, a tag or a commit, found nothing"},
		{[]string{"gpt2-x"}, 1, "model gpt2-x at revision main: not found at .*; did you mean gpt2-xl\\?"},
	} {
		code, stdout, stderr := runPull(c.args...)
		assert.Equal(t, c.code, code, "%v", c.args)
		assert.Empty(t, stdout)
		assert.Regexp(t, "^acdc: "+c.want+".*\n$", stderr)
		assert.Equal(t, 1, strings.Count(stderr, "\n"))
	}
	assert.NoDirExists(t, cache)
}

func TestPullEnvironment(t *testing.T) {
	pullEnv(t, hubServer(t, false))
	for _, c := range [][3]string{
		{"HF_HUB_OFFLINE", "1", "model gpt2: nothing is downloaded while HF_HUB_OFFLINE is set"},
		{"HF_ENDPOINT", "hub", `HF_ENDPOINT: expected an address such as https://huggingface.co, found "hub"`},
		{"HF_TOKEN", "a b", "HF_TOKEN: expected a token of letters and digits, found byte 0x20 in it"},
	} {
		t.Run(c[0], func(t *testing.T) {
			t.Setenv(c[0], c[1])
			code, stdout, stderr := runPull("gpt2")
			assert.Equal(t, 1, code)
			assert.Empty(t, stdout)
			assert.Equal(t, "acdc: "+c[2]+"\n", stderr)
		})
	}
}

// What is shown while a download goes on.
func TestTransferShows(t *testing.T) {
	events := []hub.Event{
		{Kind: hub.Advanced, Repo: "gpt2", File: "config.json", Done: 50_000, Size: 100_000, Sum: 50_000, All: 200_000},
		{Kind: hub.Retrying, Repo: "gpt2", File: "config.json", Size: 100_000, Wait: 2 * time.Second, Err: errors.New("the connection ended too early")},
		{Kind: hub.Waiting, Repo: "gpt2", File: "model.safetensors"},
		{Kind: hub.Checking, Repo: "gpt2", File: "model.safetensors", Done: 100_000, Size: 100_000, Sum: 150_000, All: 200_000},
		{Kind: hub.Finished, Repo: "gpt2", File: "model.safetensors", Done: 100_000, Size: 100_000, Sum: 200_000, All: 200_000},
		{Kind: hub.Advanced, Repo: "other", File: "tokenizer.json", Done: 7, Size: -1, Sum: 7},
	}
	lines := "gpt2: config.json: the connection ended too early; trying again in 2s\ngpt2: model.safetensors: waiting for another download of the same file\n"
	for _, terminal := range []bool{false, true} {
		var b bytes.Buffer
		shown := newTransfer(&b, terminal)
		for _, e := range events {
			shown.update(e)
		}
		shown.clear()
		if !terminal {
			assert.Equal(t, lines, b.String())
			continue
		}
		for _, want := range append(strings.SplitAfter(lines, "\n"), "config.json  25%", "(50/200 kB", "model.safetensors, checking  75%") {
			assert.Contains(t, b.String(), want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 80_000: "80 kB", 999_400: "999 kB", 999_999: "1 MB", 548_105_171: "548 MB", 2_990_000_000: "2.99 GB"} {
		assert.Equal(t, want, bytesText(n))
	}
}

func TestPullFlags(t *testing.T) {
	var got *pullOptions
	cmd := newPull(&app{}, func(_ context.Context, o *pullOptions) error { got = o; return nil })
	cmd.SetArgs([]string{"gpt2", "--revision", "v2"})
	require.NoError(t, cmd.Execute())
	assert.Equal(t, &pullOptions{name: "gpt2", revision: "v2"}, got)
}
