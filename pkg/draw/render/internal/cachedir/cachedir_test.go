package cachedir

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// home is a folder of the user's own.
func home(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	if !safe(dir, true) {
		t.Skipf("others can write to a folder above %s", dir)
	}
	return dir
}

func skipWithoutModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no file modes here")
	}
}

func TestPrivateFolderIsMadeForTheUserOnly(t *testing.T) {
	skipWithoutModes(t)
	dir := filepath.Join(home(t), "a", "b")
	assert.Equal(t, dir, private(dir))
	for _, d := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(d)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	}
	assert.Equal(t, dir, private(dir), "a second time")
	assert.Empty(t, private("relative"))
}

func TestFolderThatOthersCanWriteIsRefused(t *testing.T) {
	skipWithoutModes(t)
	for _, mode := range []os.FileMode{0o777, 0o702, 0o770} {
		leaf := filepath.Join(home(t), "leaf")
		require.NoError(t, os.Mkdir(leaf, 0o700))
		require.NoError(t, os.Chmod(leaf, mode))
		assert.Empty(t, private(leaf), "%v", mode)
	}
	above := filepath.Join(home(t), "above")
	require.NoError(t, os.Mkdir(above, 0o700))
	require.NoError(t, os.Chmod(above, 0o777))
	leaf := filepath.Join(above, "leaf")
	assert.Empty(t, private(leaf))
	assert.NoDirExists(t, leaf, "nothing is left behind")
	require.NoError(t, os.Chmod(above, 0o777|os.ModeSticky))
	assert.Equal(t, leaf, private(leaf), "nobody can replace it in a sticky folder")
}

func TestLinkToAFolderOfOthersIsRefused(t *testing.T) {
	skipWithoutModes(t)
	dir := home(t)
	theirs, ours := filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	require.NoError(t, os.Mkdir(theirs, 0o700))
	require.NoError(t, os.Chmod(theirs, 0o777))
	require.NoError(t, os.Mkdir(ours, 0o700))
	for target, want := range map[string]string{theirs: "", ours: ours, filepath.Join(dir, "nowhere"): ""} {
		link := filepath.Join(dir, "link-"+filepath.Base(target))
		require.NoError(t, os.Symlink(target, link))
		assert.Equal(t, want, private(link), target)
	}
}

func TestFileInPlaceOfTheFolderIsRefused(t *testing.T) {
	file := filepath.Join(home(t), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.Empty(t, private(file))
	assert.Empty(t, private(filepath.Join(file, "below")))
}

func TestOnlyFilesOfAGoodStartStay(t *testing.T) {
	dir := home(t)
	code := filepath.Join(dir, "go-graphviz", "v1")
	require.NoError(t, os.MkdirAll(code, 0o700))
	put := func(name string, size int) {
		require.NoError(t, os.WriteFile(filepath.Join(code, name), []byte(strings.Repeat("x", size)), 0o600))
	}
	put("good", 10)
	put("damaged", 10)
	writeStamp(dir)
	put("damaged", 9)
	put("unknown", 10)
	put("writing.tmp", 10)
	assert.True(t, usable(dir))
	entries, err := os.ReadDir(code)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Equal(t, []string{"good", "writing.tmp"}, names)
}
