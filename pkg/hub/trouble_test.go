package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oneLine checks an error of a download: one line, without the token and
// without an address's signature.
func oneLine(t *testing.T, err error, want string) {
	t.Helper()
	require.Error(t, err)
	assert.Contains(t, err.Error(), want)
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), secret)
	assert.NotContains(t, err.Error(), "signature")
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status      int
		code, token string
		part        string // of the path that is refused
		want        string
		absent      bool
	}{
		{401, "RepoNotFound", "", "/api/", "answers 401 Unauthorized: it does not exist, or is private or gated; set HF_TOKEN to a token that may read it", true},
		{401, "", secret, "/api/", "expected a token in HF_TOKEN that may read it, the one found may not", true},
		{401, "GatedRepo", "", "/resolve/", "config.json: 127.0.0.1", false},
		{403, "GatedRepo", secret, "/resolve/", "it is gated: its conditions must be accepted on its page", false},
		{403, "", "", "/api/", "403 Forbidden", false},
		{404, "RepoNotFound", "", "/api/", "model org/name at revision main: not found at 127.0.0.1", true},
		{404, "RevisionNotFound", "", "/api/", "model org/name at revision main: not found at", false},
		{404, "EntryNotFound", "", "/resolve/", "revision main: config.json: not found at", false},
		{418, "", "", "/api/", "expected an answer, found status 418 I'm a teapot", false},
	} {
		f := newHub(t)
		f.before = func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if strings.Contains(r.URL.Path, c.part) {
				w.Header().Set("X-Error-Code", c.code)
				w.WriteHeader(c.status)
				return true
			}
			return false
		}
		client := f.client(t.TempDir())
		client.Token = c.token
		_, err := pullModel(client)
		oneLine(t, err, c.want)
		var absent *AbsentError
		assert.Equal(t, c.absent, errors.As(err, &absent), "%v", err)
		assert.Len(t, f.asked(c.part), 1, "no second attempt")
	}
}

// Faults that pass are waited for, as long as the server asks.
func TestPassingFaults(t *testing.T) {
	for _, c := range []struct {
		status int
		after  string
		want   []time.Duration
	}{
		{500, "", []time.Duration{time.Second, 2 * time.Second}},
		{503, "7", []time.Duration{7 * time.Second, 7 * time.Second}},
		{429, "30", []time.Duration{30 * time.Second, 30 * time.Second}},
		{429, "1", []time.Duration{time.Second, 2 * time.Second}},
	} {
		for _, part := range []string{"/api/", "/resolve/" + commitA + "/model", "/model.safetensors"} {
			f := newHub(t)
			failures := 2
			f.before = func(w http.ResponseWriter, r *http.Request, host string) bool {
				if failures > 0 && strings.Contains(r.URL.Path, part) {
					failures--
					w.Header().Set("Retry-After", c.after)
					w.WriteHeader(c.status)
					return true
				}
				return false
			}
			var slept, told []time.Duration
			client := f.client(t.TempDir())
			client.Sleep = func(_ context.Context, d time.Duration) error {
				slept = append(slept, d)
				return nil
			}
			_, err := client.Pull(context.Background(), Options{Name: "org/name", Progress: func(e Event) {
				if e.Kind == Retrying {
					told = append(told, e.Wait)
					assert.ErrorContains(t, e.Err, fmt.Sprint(c.status))
				}
			}})
			require.NoError(t, err)
			assert.Equal(t, c.want, slept)
			assert.Equal(t, c.want, told)
		}
	}
}

func TestLastingFaults(t *testing.T) {
	f := newHub(t)
	f.before = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	_, err := pullModel(f.client(t.TempDir()))
	oneLine(t, err, "found status 502 Bad Gateway")
	assert.Len(t, f.asked(""), maxAttempts)

	f.before = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	_, err = pullModel(f.client(t.TempDir()))
	oneLine(t, err, "429 Too Many Requests: try again in 1h0m0s")
	assert.Len(t, f.asked(""), maxAttempts+1, "an hour is not waited for")
}

func TestServerThatIsNotThere(t *testing.T) {
	f := newHub(t)
	c := f.client(t.TempDir())
	f.hub.Close()
	_, err := pullModel(c)
	oneLine(t, err, "connection refused (5 attempts)")
}

func TestServerThatDoesNotEncrypt(t *testing.T) {
	f := newHub(t)
	c := f.client(t.TempDir())
	c.Endpoint = strings.Replace(c.Endpoint, "http://", "https://", 1)
	_, err := pullModel(c)
	require.ErrorContains(t, err, "HTTP")
	assert.NotContains(t, err.Error(), "attempts")
}

func TestUnknownCertificate(t *testing.T) {
	f := newSecureHub(t)
	c := f.client(t.TempDir())
	c.HTTP = nil
	_, err := pullModel(c)
	oneLine(t, err, "certificate")
	assert.NotContains(t, err.Error(), "attempts", "a certificate does not become right by waiting")
}

// A transfer that breaks is continued at the byte where it did, within one
// download and in the next.
func TestBrokenTransferIsContinued(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	content, cuts := f.files["model.safetensors"], []int{300_000, 200_000}
	f.before = func(w http.ResponseWriter, r *http.Request, host string) bool {
		if host != "cdn" || len(cuts) == 0 {
			return false
		}
		rest := content
		if r.Header.Get("Range") != "" {
			var from int
			_, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			assert.NoError(t, err)
			rest = content[from:]
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
			w.Header().Set("Content-Length", fmt.Sprint(len(rest)))
			w.WriteHeader(http.StatusPartialContent)
		}
		n := cuts[0]
		cuts = cuts[1:]
		f.cut(w, rest, n)
		return true
	}
	_, err := pullModel(f.client(dir))
	require.NoError(t, err)
	var spans []string
	for _, r := range f.asked("/model.safetensors") {
		if r.host == "cdn" {
			spans = append(spans, r.span)
		}
	}
	assert.Equal(t, []string{"", "bytes=300000-", "bytes=500000-"}, spans)

	// What an earlier download left is continued too.
	blob := filepath.Join(dir, "models--org--name", "blobs", f.sum("model.safetensors"))
	require.NoError(t, os.Remove(blob))
	require.NoError(t, os.WriteFile(blob+".incomplete", content[:1_000_000], 0o600))
	p, err := pullModel(f.client(dir))
	require.NoError(t, err)
	all := f.asked("/model.safetensors")
	assert.Equal(t, "bytes=1000000-", all[len(all)-1].span)
	assert.EqualValues(t, 1<<20-1_000_000, p.Received)
}

// What is there of a file, in all its states before a download.
func TestPartialFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		size  int
		spoil bool
		span  string // asked of the other host; - if it is not asked
		want  string // the error
	}{
		{"empty", 0, false, "", ""},
		{"one byte missing", 1<<20 - 1, false, "bytes=1048575-", ""},
		{"whole", 1 << 20, false, "-", ""},
		{"too long", 1<<20 + 1, false, "", ""},
		{"wrong", 1 << 10, true, "bytes=1024-", "model.safetensors: expected SHA-256"},
		{"whole and wrong", 1 << 20, true, "-", "model.safetensors: expected SHA-256"},
	} {
		f, dir := newHub(t), t.TempDir()
		partial := filepath.Join(dir, "models--org--name", "blobs", f.sum("model.safetensors")+".incomplete")
		require.NoError(t, os.MkdirAll(filepath.Dir(partial), 0o777))
		content := append(append([]byte{}, f.files["model.safetensors"]...), 0)[:c.size]
		if c.spoil {
			content[0]++
		}
		require.NoError(t, os.WriteFile(partial, content, 0o600))
		_, err := pullModel(f.client(dir))
		if c.want != "" {
			oneLine(t, err, c.want)
		} else {
			require.NoError(t, err, c.name)
		}
		span := "-"
		for _, r := range f.asked("/model.safetensors") {
			if r.host == "cdn" {
				span = r.span
			}
		}
		assert.Equal(t, c.span, span, c.name)
		assert.NoFileExists(t, partial, c.name)
	}
}

// A server that sends the whole file when asked for a part is believed.
func TestServerWithoutRanges(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	content, cuts := f.files["model.safetensors"], 1
	f.before = func(w http.ResponseWriter, _ *http.Request, host string) bool {
		if host == "cdn" {
			n := len(content)
			if cuts > 0 {
				n = 500_000
			}
			cuts--
			f.cut(w, content, n)
		}
		return false
	}
	_, err := pullModel(f.client(dir))
	require.NoError(t, err)

	cuts = 1000 // and one that never comes to the end is given up
	dir = t.TempDir()
	before := len(f.asked("/model.safetensors"))
	_, err = pullModel(f.client(dir))
	oneLine(t, err, "model.safetensors: 127.0.0.1")
	assert.Contains(t, err.Error(), "the connection ended too early (5 attempts)")
	assert.Len(t, f.asked("/model.safetensors"), before+2*maxAttempts)
	partial, err := os.Stat(filepath.Join(dir, "models--org--name", "blobs", f.sum("model.safetensors")+".incomplete"))
	require.NoError(t, err)
	assert.EqualValues(t, 500_000, partial.Size())
	_, err = (&Cache{dir}).Find(t.Context(), "org/name", "")
	require.ErrorContains(t, err, "refs", "the revision is not noted before all is there")
}

// Without a length the end of the content cannot be told from a broken
// connection, but the list says the size.
func TestTruncatedWithoutLength(t *testing.T) {
	f := newHub(t)
	content, short := f.files["model.safetensors"], 2
	f.before = func(w http.ResponseWriter, r *http.Request, host string) bool {
		if host != "cdn" || short == 0 {
			return false
		}
		short--
		if short == 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 1000-%d/%d", len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(content[1000:2000])
		} else {
			_, _ = w.Write(content[:1000])
		}
		_ = http.NewResponseController(w).Flush() // chunks, and a regular end
		return true
	}
	_, err := pullModel(f.client(t.TempDir()))
	require.NoError(t, err)
	all := f.asked("/model.safetensors")
	assert.Equal(t, "bytes=2000-", all[len(all)-1].span)
}

func TestWrongChecksums(t *testing.T) {
	for _, name := range []string{"model.safetensors", "config.json"} {
		f, dir := newHub(t), t.TempDir()
		kind := map[string]string{"model.safetensors": "SHA-256", "config.json": "git SHA-1"}[name]
		wrong := append([]byte{}, f.files[name]...)
		wrong[3] ^= 1
		f.before = func(w http.ResponseWriter, r *http.Request, host string) bool {
			if host == "cdn" || strings.HasPrefix(r.URL.Path, "/cached/"+name) {
				_, _ = w.Write(wrong)
				return true
			}
			return false
		}
		found := sha256Sum(wrong)
		if name == "config.json" {
			found = gitSum(wrong)
		}
		_, err := pullModel(f.client(dir))
		require.EqualError(t, err, fmt.Sprintf("model org/name: %s: expected %s %s, found %s: what arrived is removed", name, kind, f.sum(name), found))
		for path := range tree(t, dir) {
			assert.NotContains(t, path, "blobs/"+f.sum(name))
			assert.NotContains(t, path, "refs")
		}
	}
}
