//go:build darwin || linux

package atomicfile

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMode(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "out")
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode()
	}
	require.NoError(t, WriteFile(context.Background(), path, text("x")))
	require.Equal(t, os.FileMode(0o640), mode(), "0644 less the umask")
	require.NoError(t, os.Chmod(path, 0o606))
	require.NoError(t, WriteFile(context.Background(), path, text("y")))
	require.Equal(t, os.FileMode(0o606), mode(), "kept")
}

func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skip("no named pipes here:", err)
	}
	got := make(chan string)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			got <- err.Error()
			return
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		got <- string(b)
	}()
	require.NoError(t, WriteFile(context.Background(), path, text("through the pipe")))
	require.Equal(t, "through the pipe", <-got)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeNamedPipe)
}

// A descriptor that the shell opened with 3>>log is appended to, not replaced.
func TestDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("old,")
	require.NoError(t, err)
	descriptor := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if _, err := os.Stat(descriptor); err != nil {
		t.Skip("no /proc here")
	}
	require.NoError(t, WriteFile(context.Background(), descriptor, text("new")))
	only(t, path, "old,new")
}
