package hub

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree lists what is below a folder: files with their content, links with
// where they lead, large contents by their size only.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			out[filepath.ToSlash(rel)] = "-> " + target
			return err
		}
		content, err := os.ReadFile(path)
		out[filepath.ToSlash(rel)] = string(content)
		return err
	}))
	return out
}

func pullModel(c *Client) (*Pulled, error) {
	return c.Pull(context.Background(), Options{Name: "org/name"})
}

func TestPullLayout(t *testing.T) {
	f, dir := newSecureHub(t), t.TempDir()
	var events []Event
	p, err := f.client(dir).Pull(context.Background(), Options{Name: "org/name", Progress: func(e Event) { events = append(events, e) }})
	require.NoError(t, err)
	root := "models--org--name/"
	snapshot, want := root+"snapshots/"+commitA+"/", map[string]string{root + "refs/main": commitA}
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors"} {
		want[root+"blobs/"+f.sum(name)] = string(f.files[name])
		want[snapshot+name] = "-> ../../blobs/" + f.sum(name)
		want[".locks/models--org--name/"+f.sum(name)+".lock"] = ""
	}
	got := tree(t, dir)
	require.Len(t, got, len(want))
	for path, content := range want {
		assert.True(t, got[path] == content, "%s", path)
	}
	assert.Equal(t, filepath.Join(dir, filepath.FromSlash(snapshot)), p.Dir)
	assert.Equal(t, commitA, p.Commit)
	assert.Equal(t, []File{{"org/name", "config.json", 21, false}, {"org/name", "tokenizer.json", 17, false}, {"org/name", "model.safetensors", 1 << 20, false}}, p.Files)
	assert.EqualValues(t, 1<<20+38, p.Received)
	last := events[len(events)-1]
	assert.Equal(t, Event{Kind: Finished, Repo: "org/name", File: "model.safetensors", Done: 1 << 20, Size: 1 << 20, Sum: 1<<20 + 38, All: 1<<20 + 38}, last)

	found, err := (&Cache{dir}).Find(t.Context(), "org/name", "")
	require.NoError(t, err)
	assert.Equal(t, p.Dir, found)
}

// The token goes to the endpoint and to no other host, and every request of a
// content is followed through the redirects.
func TestPullSendsTheTokenToTheEndpointOnly(t *testing.T) {
	f := newSecureHub(t)
	_, err := pullModel(f.client(t.TempDir()))
	require.NoError(t, err)
	hosts := map[string]int{}
	for _, r := range f.asked("") {
		hosts[r.host]++
		want := map[string]string{"hub": "Bearer " + secret, "cdn": ""}[r.host]
		assert.Equal(t, want, r.authorization, "%s %s", r.host, r.path)
	}
	assert.Equal(t, map[string]int{"hub": 6, "cdn": 1}, hosts) // a list, 2 small files with a redirect each, 1 large one
}

func TestSecondPullDownloadsNothing(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	_, err := pullModel(f.client(dir))
	require.NoError(t, err)
	before := len(f.asked(""))
	p, err := pullModel(f.client(dir))
	require.NoError(t, err)
	assert.Len(t, f.asked(""), before+1, "only the list is asked for")
	assert.Zero(t, p.Received)
	require.Len(t, p.Files, 3)
	for _, file := range p.Files {
		assert.True(t, file.Present, file.Name)
	}
}

// A new commit that changes one file downloads that one.
func TestPullOfANewCommit(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	_, err := pullModel(f.client(dir))
	require.NoError(t, err)
	f.commit, f.files["config.json"] = commitB, []byte(`{"model_type":"gpt3"}`)
	p, err := pullModel(f.client(dir))
	require.NoError(t, err)
	assert.EqualValues(t, 21, p.Received)
	for commit, want := range map[string]string{commitA: "gpt2", commitB: "gpt3", "": "gpt3"} {
		found, err := (&Cache{dir}).Find(t.Context(), "org/name", commit)
		require.NoError(t, err)
		content, err := os.ReadFile(filepath.Join(found, ConfigFile))
		require.NoError(t, err)
		assert.Contains(t, string(content), want)
	}
}

func TestPullOfARevision(t *testing.T) {
	for revision, ref := range map[string]string{"step3000": "refs/step3000", "refs/pr/1": "refs/refs/pr/1", commitA: ""} {
		f, dir := newHub(t), t.TempDir()
		p, err := f.client(dir).Pull(context.Background(), Options{Name: "org/name", Revision: revision})
		require.NoError(t, err)
		require.Len(t, f.asked("/revision/"+revision), 1)
		found, err := (&Cache{dir}).Find(t.Context(), "org/name", revision)
		require.NoError(t, err)
		assert.Equal(t, p.Dir, found)
		refs := map[string]string{}
		for path, content := range tree(t, dir) {
			if rest, ok := strings.CutPrefix(path, "models--org--name/"); ok && strings.HasPrefix(rest, "refs/") {
				refs[rest] = content
			}
		}
		want := map[string]string{ref: commitA}
		if ref == "" {
			want = map[string]string{}
		}
		assert.Equal(t, want, refs)
	}
}

// A server whose list has only names is asked for checksums file by file.
func TestPullFromAPlainList(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	f.plain = true
	_, err := pullModel(f.client(dir))
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(dir, "models--org--name", "blobs", f.sum("model.safetensors")))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(f.files["model.safetensors"], content))
	heads := 0
	for _, r := range f.asked("") {
		if r.method == http.MethodHead {
			heads++
			assert.Equal(t, "hub", r.host, "the redirect to the other host is the answer")
		}
	}
	assert.Equal(t, 5, heads) // with one redirect for each small file
}

func TestPullChoosesOneTokenizerElsewhere(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	f.repo = "NeelNanda/Attn_Only_2L512W_C4_Code"
	f.files = map[string][]byte{"config.json": []byte("{}"), "model_final.pth": weightsOf(10), "checkpoints/model_1.pth": weightsOf(10), "optimizer.pt": nil}
	f.before = func(w http.ResponseWriter, r *http.Request, _ string) bool {
		if strings.Contains(r.URL.Path, digitsTokes) { // the same commit, other files
			other := &fakeHub{repo: digitsTokes, commit: commitA, files: map[string][]byte{"tokenizer.json": []byte("tok"), "README.md": nil}}
			other.serveHub(w, r)
			return true
		}
		if r.URL.Path == "/cached/tokenizer.json" {
			_, _ = w.Write([]byte("tok"))
			return true
		}
		return false
	}
	p, err := f.client(dir).Pull(context.Background(), Options{Name: "Attn-Only-2L"})
	require.NoError(t, err)
	var names []string
	for _, file := range p.Files {
		names = append(names, file.Repo+" "+file.Name)
	}
	assert.Equal(t, []string{f.repo + " config.json", f.repo + " model_final.pth", digitsTokes + " tokenizer.json"}, names)
	tokenizer, err := (&Cache{dir}).FindTokenizer(t.Context(), "attn-only-2l", "")
	require.NoError(t, err)
	assert.Equal(t, p.Tokenizer, tokenizer)
	assert.Contains(t, tokenizer, "models--NeelNanda--gpt-neox-tokenizer-digits")
	_, err = (&Cache{dir}).Find(t.Context(), digitsTokes, "")
	require.ErrorContains(t, err, "expected config.json, found none", "a tokenizer is no model")
}

// gpt2 is known by two names; a server may know the newer only.
func TestPullTriesTheOtherName(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	f.repo = "openai-community/gpt2"
	p, err := f.client(dir).Pull(context.Background(), Options{Name: "gpt2"})
	require.NoError(t, err)
	assert.Contains(t, p.Dir, "models--openai-community--gpt2")
	found, err := (&Cache{dir}).Find(t.Context(), "gpt2", "")
	require.NoError(t, err)
	assert.Equal(t, p.Dir, found)
}

// Where links cannot be made there are copies, which are taken for present
// later.
func TestPullWithoutLinks(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	c := f.client(dir)
	c.link = func(string, string) error { return errors.New("not permitted") }
	p, err := pullModel(c)
	require.NoError(t, err)
	path := filepath.Join(p.Dir, "model.safetensors")
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.True(t, info.Mode().IsRegular())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(f.files["model.safetensors"], content))
	p, err = pullModel(c)
	require.NoError(t, err)
	assert.Zero(t, p.Received)

	require.NoError(t, copyFile(t.Context(), filepath.Join(dir, "copy"), path))
	content, err = os.ReadFile(filepath.Join(dir, "copy"))
	require.NoError(t, err)
	assert.Len(t, content, 1<<20)
}

// Downloads at the same time wait for one another: each content is asked for
// once, and all find it.
func TestPullsAtOnce(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	f.before = func(_ http.ResponseWriter, _ *http.Request, host string) bool {
		if host == "cdn" {
			time.Sleep(50 * time.Millisecond)
		}
		return false
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := pullModel(f.client(dir))
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	assert.Len(t, f.asked("/model.safetensors"), 2, "one at the hub, one at the other host")
	_, err := (&Cache{dir}).Find(t.Context(), "org/name", "")
	require.NoError(t, err)
	for path := range tree(t, dir) {
		assert.NotContains(t, path, ".incomplete")
		assert.NotContains(t, path, ".new-")
	}
}

func TestPullOffline(t *testing.T) {
	f := newHub(t)
	c := f.client(t.TempDir())
	c.Offline = "HF_HUB_OFFLINE"
	_, err := pullModel(c)
	require.EqualError(t, err, "model org/name: nothing is downloaded while HF_HUB_OFFLINE is set")
	assert.Empty(t, f.asked(""))
}
