package hub

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A download stops at once, and what has arrived is continued.
func TestCancelledPull(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	content, release := f.files["model.safetensors"], make(chan struct{})
	var hang atomic.Bool
	hang.Store(true)
	f.before = func(w http.ResponseWriter, _ *http.Request, host string) bool {
		if host == "cdn" && hang.Load() {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:700_000])
			_ = http.NewResponseController(w).Flush()
			<-release
			return true
		}
		return false
	}
	defer close(release)
	ctx, cancel := context.WithCancel(context.Background())
	var began time.Time
	_, err := f.client(dir).Pull(ctx, Options{Name: "org/name", Progress: func(e Event) {
		if e.Kind == Advanced && e.Done == 700_000 {
			began = time.Now()
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(began), time.Second)
	partial := filepath.Join(dir, "models--org--name", "blobs", f.sum("model.safetensors")+".incomplete")
	assert.EqualValues(t, 700_000, sizeOf(partial))
	hang.Store(false)
	_, err = pullModel(f.client(dir))
	require.NoError(t, err)
	all := f.asked("/model.safetensors")
	assert.Equal(t, "bytes=700000-", all[len(all)-1].span)
}

// Waiting, whether for a pause or for another process, ends with ctx.
func TestCancelledWaits(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	f.before = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	c := f.client(dir)
	c.Sleep = nil
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := c.Pull(ctx, Options{Name: "org/name"})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	f.before = nil
	p := &pull{Client: c, folder: (&Cache{dir}).folder("org/name")}
	lock, err := p.lock(context.Background(), remoteFile{etag: f.sum("config.json")})
	require.NoError(t, err)
	ctx, cancel = context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	waited := 0
	_, err = c.Pull(ctx, Options{Name: "org/name", Progress: func(e Event) {
		if e.Kind == Waiting {
			waited++
		}
	}})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, 1, waited)
	assert.Less(t, time.Since(began), 2*time.Second)
	require.NoError(t, lock.Close())
	_, err = pullModel(c)
	require.NoError(t, err)
}

// A server that falls silent is asked again.
func TestSilentServer(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	content, release := f.files["model.safetensors"], make(chan struct{})
	var silent atomic.Int32
	silent.Store(2)
	f.before = func(w http.ResponseWriter, _ *http.Request, host string) bool {
		if host == "cdn" && silent.Add(-1) >= 0 {
			if silent.Load() == 0 {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				_, _ = w.Write(content[:1000])
				_ = http.NewResponseController(w).Flush()
			}
			<-release
			return true
		}
		return false
	}
	defer close(release)
	c := f.client(dir)
	c.Stall = 500 * time.Millisecond
	var causes []string
	_, err := c.Pull(context.Background(), Options{Name: "org/name", Progress: func(e Event) {
		if e.Kind == Retrying {
			causes = append(causes, e.Err.Error())
		}
	}})
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(causes), 2)
	for _, cause := range causes {
		assert.Contains(t, cause, "the server sent nothing for too long")
	}
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	f, dir := newHub(t), t.TempDir()
	blocked := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	_, err := pullModel(f.client(blocked))
	oneLine(t, err, "model org/name: "+filepath.Join(blocked, "models--org--name", "blobs")+": not a directory")

	closed := filepath.Join(dir, "closed")
	require.NoError(t, os.Mkdir(closed, 0o500))
	if os.WriteFile(filepath.Join(closed, "x"), nil, 0o600) == nil {
		t.Log("this user may write everywhere: permissions are not tested")
		return
	}
	_, err = pullModel(f.client(closed))
	oneLine(t, err, "permission denied")
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	f, dir := newHub(t), t.TempDir()
	partial := filepath.Join(dir, "models--org--name", "blobs", f.sum("config.json")+".incomplete")
	require.NoError(t, os.MkdirAll(filepath.Dir(partial), 0o777))
	require.NoError(t, os.Symlink("/dev/full", partial))
	_, err := pullModel(f.client(dir))
	oneLine(t, err, partial+": no space left on device, after 0 of 21 bytes")
}
