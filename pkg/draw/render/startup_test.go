//go:build unix

package render

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/draw/render/internal/cachedir"
)

// childVar makes the test binary render a picture and report, in place of
// running tests, so that tests see its start-up.
const childVar = "ACDC_RENDER_TEST_CHILD"

func TestMain(m *testing.M) {
	if IsChild() {
		if err := ServeChild(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	if os.Getenv(parentVar) != "" {
		beParent()
	}
	if os.Getenv(childVar) == "" {
		os.Exit(m.Run())
	}
	var svg strings.Builder
	err := Write(context.Background(), &svg, SVG, []byte("digraph { a -> b }"))
	tmp, isSet := os.LookupEnv("TMPDIR")
	fmt.Printf("cache=%s\nTMPDIR=%s %v\nsvg=%v %v\n", cachedir.Dir(), tmp, isSet, strings.HasSuffix(svg.String(), "</svg>\n"), err)
	os.Exit(0)
}

// someoneElse is a user id that is not the test's.
const someoneElse = 65534

// sandbox has a copy of the test binary that every user can run.
type sandbox struct {
	t   *testing.T
	dir string
	bin string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	dir, err := os.MkdirTemp("", "acdc-render-test")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	dir, err = filepath.EvalSymlinks(dir)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	data, err := os.ReadFile(self)
	require.NoError(t, err)
	s := &sandbox{t, dir, filepath.Join(dir, "child")}
	require.NoError(t, os.WriteFile(s.bin, data, 0o755))
	require.NoError(t, os.Chmod(s.bin, 0o755))
	return s
}

// folder makes a folder of a user's.
func (s *sandbox) folder(name string, uid int, mode fs.FileMode) string {
	s.t.Helper()
	dir := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(dir, 0o755))
	if uid != os.Getuid() {
		require.NoError(s.t, os.Chown(dir, uid, uid))
	}
	require.NoError(s.t, os.Chmod(dir, mode))
	return dir
}

// run starts the child as a user and returns the folder of its cache. The
// child must have rendered, and have found TMPDIR as env has it.
func (s *sandbox) run(uid int, env ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.bin)
	cmd.Dir = s.dir
	cmd.Env = append([]string{childVar + "=1", "PATH=" + os.Getenv("PATH")}, env...)
	if uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	tmp := "TMPDIR= false"
	for _, e := range env {
		if strings.HasPrefix(e, "TMPDIR=") {
			tmp = e + " true"
		}
	}
	assert.Contains(s.t, string(out), tmp+"\nsvg=true <nil>\n")
	return regexp.MustCompile(`cache=(.*)`).FindStringSubmatch(string(out))[1]
}

// compiled lists the files of compiled code in a cache.
func compiled(t *testing.T, cache string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cache, "go-graphviz", "*", "*"))
	require.NoError(t, err)
	return files
}

func needRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to start processes of another user")
	}
}

// The whole package rests on this order.
func TestCacheFolderIsSetBeforeGraphvizInitialises(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=1", "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @`).FindAllStringSubmatch(string(out), -1) {
		switch {
		case strings.HasSuffix(m[1], "/cachedir"), strings.HasSuffix(m[1], "/go-graphviz/internal/wasm"), strings.HasSuffix(m[1], "/draw/render"):
			order = append(order, m[1][strings.LastIndex(m[1], "/")+1:])
		}
	}
	assert.Equal(t, []string{"cachedir", "wasm", "render"}, order)
}

func TestTwoUsersShareNothing(t *testing.T) {
	needRoot(t)
	s := newSandbox(t)
	tmp := s.folder("tmp", 0, 0o777|fs.ModeSticky)
	theirs := s.folder("tmp/go-graphviz", 0, 0o700) // of go-graphviz's first user
	homes := map[int]string{0: s.folder("home0", 0, 0o755), someoneElse: s.folder("home1", someoneElse, 0o755)}
	for uid, home := range homes {
		cache := s.run(uid, "HOME="+home, "TMPDIR="+tmp)
		assert.Equal(t, filepath.Join(home, ".cache", "acdc", "graphviz"), cache)
		info, err := os.Stat(cache)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
		require.Len(t, compiled(t, cache), 1)
		assert.Equal(t, uint32(uid), info.Sys().(*syscall.Stat_t).Uid)
	}
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	assert.Len(t, left, 1)
	left, err = os.ReadDir(theirs)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestUsersWithoutHomeShareNothing(t *testing.T) {
	needRoot(t)
	s := newSandbox(t)
	tmp := s.folder("tmp", 0, 0o777|fs.ModeSticky)
	first := s.run(0, "TMPDIR="+tmp)
	second := s.run(someoneElse, "TMPDIR="+tmp, "HOME=/nonexistent")
	assert.Equal(t, filepath.Join(tmp, "acdc-cache-0"), first)
	assert.Equal(t, filepath.Join(tmp, "acdc-cache-65534"), second)
	assert.Len(t, compiled(t, first), 1)
	assert.Len(t, compiled(t, second), 1)
	// A folder that someone else has put there is not used.
	require.NoError(t, os.RemoveAll(second))
	s.folder("tmp/acdc-cache-65534", 0, 0o777)
	assert.Empty(t, s.run(someoneElse, "TMPDIR="+tmp))
	assert.Empty(t, compiled(t, second))
}

func TestRootLeavesTheHomeOfAnotherAlone(t *testing.T) {
	needRoot(t)
	s := newSandbox(t)
	tmp := s.folder("tmp", 0, 0o777|fs.ModeSticky)
	home := s.folder("home1", someoneElse, 0o755)
	assert.Equal(t, filepath.Join(tmp, "acdc-cache-0"), s.run(0, "HOME="+home, "TMPDIR="+tmp))
	left, err := os.ReadDir(home)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestNowhereToWrite(t *testing.T) {
	needRoot(t) // root alone can be someone who may write nowhere
	s := newSandbox(t)
	home, tmp := s.folder("home", 0, 0o755), s.folder("tmp", 0, 0o755)
	assert.Empty(t, s.run(someoneElse, "HOME="+home, "TMPDIR="+tmp))
}

func TestSeparateCacheFolders(t *testing.T) {
	s := newSandbox(t)
	me := os.Getuid()
	var caches []string
	for _, name := range []string{"one", "two"} {
		xdg := s.folder(name, me, 0o700)
		caches = append(caches, s.run(me, "XDG_CACHE_HOME="+xdg))
		assert.Equal(t, filepath.Join(xdg, "acdc", "graphviz"), caches[len(caches)-1])
	}
	for _, cache := range caches {
		assert.Len(t, compiled(t, cache), 1)
	}
}

func TestDamagedCacheIsMadeAnew(t *testing.T) {
	s := newSandbox(t)
	xdg := "XDG_CACHE_HOME=" + s.folder("xdg", os.Getuid(), 0o700)
	cache := s.run(os.Getuid(), xdg)
	files := compiled(t, cache)
	require.Len(t, files, 1)
	whole, err := os.Stat(files[0])
	require.NoError(t, err)
	require.NoError(t, os.Truncate(files[0], whole.Size()/2))
	s.run(os.Getuid(), xdg)
	again, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Equal(t, whole.Size(), again.Size())
	// And a sound one is used as it is.
	s.run(os.Getuid(), xdg)
	third, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Equal(t, again.ModTime(), third.ModTime())
}
