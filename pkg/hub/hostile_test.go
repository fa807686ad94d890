package hub

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a server says about a repository is refused before anything is written.
func TestHostileServers(t *testing.T) {
	list := func(siblings string) string {
		return fmt.Sprintf(`{"sha":%q,"siblings":[%s]}`, commitA, siblings)
	}
	config := `{"rfilename":"config.json","size":21,"blobId":"` + gitSum([]byte(`{"model_type":"gpt2"}`)) + `"}`
	for _, c := range []struct{ body, want string }{
		{list(`{"rfilename":"../../x"}`), `field "siblings[0].rfilename": expected a name inside the repository, found "../../x"`},
		{list(`{"rfilename":"/etc/final.pth"}`), "expected a name inside"},
		{list(`{"rfilename":"..\\..\\final.pth"}`), "expected a name inside"},
		{list(`{"rfilename":"c:final.pth"}`), "expected a name inside"},
		{list(config + "," + config), "expected a name not yet used"},
		{list(`{"rfilename":"config.json","blobId":"../../../x"}`), `config.json: expected a checksum of 40 or 64 hex digits, found "../../../x"`},
		{list(`{"rfilename":"config.json","size":-5}`), `config.json: field "size": expected a number of at least 0, found -5`},
		{`{"sha":"../../..","siblings":[]}`, `field "sha": expected a commit of 40 hex digits, found "../../.."`},
		{`{"sha":5}`, `field "sha": expected a text, found 5`},
		{`<html>`, `expected a JSON object, found "<html>"`},
		{list(config), "expected model.safetensors, pytorch_model.bin, or a .pth or .pt file, found none"},
		{list(``), "expected config.json, found none"},
		{list(config + `,{"rfilename":"model.safetensors.index.json"},{"rfilename":"model-00001-of-00002.safetensors"}`), "model.safetensors.index.json: expected its 2 parts, found 1"},
		{list(config + `,{"rfilename":"a.pth"},{"rfilename":"b.pth"}`), "expected one .pth file with the weights, found 2, such as a.pth and b.pth"},
		{strings.Repeat(" ", maxListing+1), "expected an answer of at most 33554432 bytes"},
	} {
		f, dir := newHub(t), t.TempDir()
		f.before = func(w http.ResponseWriter, r *http.Request, _ string) bool {
			_, _ = w.Write([]byte(c.body))
			return true
		}
		_, err := pullModel(f.client(dir))
		oneLine(t, err, c.want)
		assert.Empty(t, tree(t, dir))
		assert.Len(t, f.asked(""), 1)
	}
}

func TestHostileContents(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(f *fakeHub, w http.ResponseWriter)
		want   string
	}{
		{"more than announced", func(f *fakeHub, w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(append(f.files["config.json"], 'x'))
		}, "config.json: expected 21 bytes, found more"},
		{"too little, as announced", func(_ *fakeHub, w http.ResponseWriter) { _, _ = w.Write([]byte("{}")) }, "config.json: expected 21 bytes, found 2 announced by"},
		{"no length and no content", func(_ *fakeHub, w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
		}, "config.json: 127.0.0.1"},
		{"another part", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("Content-Range", "bytes 5-20/21")
			w.WriteHeader(http.StatusPartialContent)
		}, `config.json: expected the bytes from 0 of 21, found "bytes 5-20/21"`},
		{"encoded", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "br")
			w.WriteHeader(http.StatusOK)
		}, `expected the file itself, found it encoded as "br"`},
		{"another commit", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("X-Repo-Commit", commitB)
			w.WriteHeader(http.StatusOK)
		}, "config.json: expected it of commit " + commitA},
		{"another checksum", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("X-Linked-Etag", `"`+commitB+`"`)
			w.WriteHeader(http.StatusOK)
		}, "expected checksum"},
		{"in circles", func(f *fakeHub, w http.ResponseWriter) {
			w.Header().Set("Location", "/org/name/resolve/"+commitA+"/config.json")
			w.WriteHeader(http.StatusFound)
		}, "expected at most 10 redirects, found more"},
		{"in the clear", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("Location", "http://example.invalid/x")
			w.WriteHeader(http.StatusFound)
		}, "expected a redirect that stays encrypted, found one to http://example.invalid"},
		{"a file", func(_ *fakeHub, w http.ResponseWriter) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, "expected a redirect to another address"},
	} {
		f, dir := newSecureHub(t), t.TempDir()
		f.before = func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if strings.Contains(r.URL.Path, "config.json") {
				c.answer(f, w)
				return true
			}
			return false
		}
		_, err := pullModel(f.client(dir))
		oneLine(t, err, c.want)
		for path, content := range tree(t, dir) {
			assert.Empty(t, content, "%s: %s", c.name, path)
		}
	}
}
