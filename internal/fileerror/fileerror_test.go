package fileerror

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAt(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("file"), nil, 0o600))
	for name, to := range map[string]string{"whole": "file", "broken": "../blobs/none\n", "chain": "broken"} {
		require.NoError(t, os.Symlink(to, at(name)))
	}
	for name, want := range map[string]string{
		"absent": ": no such file or directory",
		"broken": `: a link to "../blobs/none\n", which is not there`,
		"chain":  `: a link to "broken", which is not there`,
	} {
		_, err := os.Open(at(name))
		got := At(at(name), err)
		assert.EqualError(t, got, at(name)+want)
		assert.Equal(t, name == "absent", Broken(at(name)) == "")
		if name == "absent" {
			assert.ErrorIs(t, got, fs.ErrNotExist)
		} else {
			assert.NotErrorIs(t, got, fs.ErrNotExist)
		}
	}
	assert.EqualError(t, At(at("whole"), fs.ErrPermission), at("whole")+": permission denied")
	assert.Empty(t, Broken(at("whole")))
	assert.Empty(t, Broken(at("file")))
}
