package hub

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whatever a server answers, what is accepted stays inside the cache, and what
// is refused is refused in one line.
func FuzzReadListing(f *testing.F) {
	f.Add([]byte(`{"sha":"` + commitA + `","siblings":[{"rfilename":"config.json","size":5,"blobId":"` + commitB + `"},` +
		`{"rfilename":"a/model.safetensors","lfs":{"sha256":"` + strings.Repeat("ab", 32) + `","size":7,"pointerSize":134}}]}`))
	f.Add([]byte(`{"sha":"` + commitA + `","siblings":[{"rfilename":"../x"}]}`))
	f.Add([]byte(`{"sha":"","siblings":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := readListing(t.Context(), bytes.NewReader(data))
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		assert.Regexp(t, commitPattern, l.commit)
		seen := map[string]bool{}
		for _, file := range l.files {
			assert.True(t, filepath.IsLocal(filepath.FromSlash(file.name)), "%q", file.name)
			assert.False(t, seen[file.name])
			seen[file.name] = true
			assert.GreaterOrEqual(t, file.size, int64(-1))
			assert.True(t, file.etag == "" || etagPattern.MatchString(file.etag), "%q", file.etag)
		}
		for _, only := range []bool{false, true} {
			chosen, err := choose(l.names(), only)
			assert.True(t, err != nil || len(chosen) > 0)
			for _, name := range chosen {
				assert.True(t, seen[name], "%q", name)
				assert.Equal(t, name, filepath.Base(name))
			}
		}
	})
}

// A text after "bytes " is read as the standard says, or not at all.
func FuzzContentRange(f *testing.F) {
	for _, text := range []string{"bytes 5-9/10", "bytes 0-0/*", "bytes */10", "bytes -1-2/3", "5-9/10", "bytes 5-9", "bytes 99999999999999999999-1/2"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		start, total, ok := contentRange(text)
		if ok {
			assert.True(t, strings.HasPrefix(text, "bytes "))
			assert.GreaterOrEqual(t, start, int64(0))
			assert.GreaterOrEqual(t, total, int64(-1))
		}
	})
}
