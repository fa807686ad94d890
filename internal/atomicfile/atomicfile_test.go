package atomicfile

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// only asserts that a folder holds one file with this content, and no remains.
func only(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, content, string(got))
	list, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, list, 1, "%v", list)
}

func TestNewAndReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	require.NoError(t, WriteFile(context.Background(), path, text("first")))
	only(t, path, "first")
	require.NoError(t, WriteFile(context.Background(), path, text("second, longer")))
	only(t, path, "second, longer")
	require.NoError(t, WriteFile(context.Background(), path, text("")))
	only(t, path, "")
	big := strings.Repeat("0123456789", 100_000)
	require.NoError(t, WriteFile(context.Background(), path, text(big)))
	only(t, path, big)
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, WriteFile(context.Background(), "out", text("x")))
	only(t, "out", "x")
}

func TestLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("é", 127))
	require.NoError(t, WriteFile(context.Background(), path, text("x")))
	only(t, path, "x")
}

func TestFailingWriterLeavesOldContent(t *testing.T) {
	broken := errors.New("broken")
	fail := func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("half", bufferSize))
		require.NoError(t, err)
		return broken
	}
	path := filepath.Join(t.TempDir(), "out")
	err := WriteFile(context.Background(), path, fail)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, path+": broken")
	list, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, list)

	require.NoError(t, WriteFile(context.Background(), path, text("old")))
	require.ErrorIs(t, WriteFile(context.Background(), path, fail), broken)
	only(t, path, "old")
}

func TestPanickingWriterLeavesOldContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, WriteFile(context.Background(), path, text("old")))
	require.PanicsWithValue(t, "oops", func() {
		_ = WriteFile(context.Background(), path, func(io.Writer) error { panic("oops") })
	})
	only(t, path, "old")
}

func TestOldContentStaysWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, WriteFile(context.Background(), path, text("old")))
	require.NoError(t, WriteFile(context.Background(), path, func(w io.Writer) error {
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "old", string(got))
		return text("new")(w)
	}))
	only(t, path, "new")
}

func TestMissingFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "absent")
	path := filepath.Join(folder, "out")
	err := WriteFile(context.Background(), path, func(io.Writer) error {
		t.Error("nothing can be written")
		return nil
	})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, path+": folder "+folder+": ")
	require.NoDirExists(t, folder)
}

func TestNotAFile(t *testing.T) {
	folder := t.TempDir()
	require.EqualError(t, WriteFile(context.Background(), folder, text("x")), folder+": a file expected, found a directory")
	require.EqualError(t, WriteFile(context.Background(), "", text("x")), ": a file name expected, found none")
	file := filepath.Join(folder, "file")
	require.NoError(t, WriteFile(context.Background(), file, text("old")))
	require.ErrorContains(t, WriteFile(context.Background(), filepath.Join(file, "below"), text("x")), filepath.Join(file, "below")+": ")
	only(t, file, "old")
}

func TestUnwritable(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "out")
	require.NoError(t, WriteFile(context.Background(), path, text("old")))

	require.NoError(t, os.Chmod(path, 0o444))
	err := WriteFile(context.Background(), path, text("new"))
	require.ErrorIs(t, err, fs.ErrPermission)
	require.EqualError(t, err, path+": permission denied")
	only(t, path, "old")

	require.NoError(t, os.Chmod(path, 0o644))
	require.NoError(t, os.Chmod(folder, 0o555))
	defer os.Chmod(folder, 0o755)
	err = WriteFile(context.Background(), path, text("new"))
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, path+": folder ")
	only(t, path, "old")
}

func TestSymlink(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "far", "deep"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "far", "data"), 0o755))
	link, target := filepath.Join(folder, "link"), filepath.Join(folder, "far", "data", "out")
	// hop/.. is far only if hop is followed before the dots.
	if err := os.Symlink("hop/../data/out", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	require.NoError(t, os.Symlink("far/deep", filepath.Join(folder, "hop")))
	for _, content := range []string{"through a dangling link", "through a live link"} {
		require.NoError(t, WriteFile(context.Background(), link, text(content)))
		only(t, target, content)
		info, err := os.Lstat(link)
		require.NoError(t, err)
		require.NotZero(t, info.Mode()&fs.ModeSymlink)
	}
	round := filepath.Join(folder, "round")
	require.NoError(t, os.Symlink("round", round))
	require.ErrorContains(t, WriteFile(context.Background(), round, text("x")), round+": too many ")
}

func TestDeviceFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	require.EqualError(t, WriteFile(context.Background(), "/dev/full", text("x")), "/dev/full: no space left on device")
	info, err := os.Stat("/dev/full")
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&fs.ModeCharDevice)
}

func TestStandardStream(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no /dev here")
	}
	path := filepath.Join(t.TempDir(), "captured")
	f, err := os.Create(path)
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = f
	defer func() { os.Stdout = stdout }()
	_, err = f.WriteString("before,")
	require.NoError(t, err)
	require.NoError(t, WriteFile(context.Background(), "/dev/stdout", text("inside,")))
	_, err = f.WriteString("after")
	require.NoError(t, err, "the stream stays open")
	require.NoError(t, f.Close())
	only(t, path, "before,inside,after")
}
