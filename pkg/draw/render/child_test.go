//go:build unix

package render

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/draw/render/internal/cachedir"
)

// parentVar makes the test binary start a child that draws for long, print its
// process id, and wait.
const parentVar = "ACDC_RENDER_TEST_PARENT"

// beParent is the process that parentVar asks for.
func beParent() {
	c, err := startChild()
	if err != nil {
		panic(err)
	}
	if err := writeMessage(c.in, msgDOT, complete(40)); err != nil {
		panic(err)
	}
	kept = c
	fmt.Println(c.cmd.Process.Pid)
	select {}
}

// kept is the parent's child, whose pipes a garbage collection would close.
var kept *child

// isGone reports whether a process has ended; it may wait to be buried.
func isGone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func start(t *testing.T) *child {
	t.Helper()
	c, err := startChild()
	require.NoError(t, err)
	t.Cleanup(c.end)
	return c
}

func TestChildDrawsTheSameBytes(t *testing.T) {
	c := start(t)
	for _, name := range []string{"induction-9", "eap-split", "induction-9"} {
		svg, isAlive, err := c.ask(context.Background(), golden(t, name))
		require.NoError(t, err)
		assert.True(t, isAlive)
		assert.True(t, bytes.Equal(render(t, SVG, golden(t, name)), svg), name)
	}
}

func TestChildSaysWhatGraphvizSays(t *testing.T) {
	c := start(t)
	_, isAlive, err := c.ask(context.Background(), []byte("no graph"))
	assert.True(t, isAlive)
	assert.EqualError(t, err, "graphviz: not DOT text: syntax error in line 1 near 'no'\n")
	_, _, err = c.ask(context.Background(), golden(t, "empty"))
	assert.NoError(t, err, "and goes on")
}

func TestChildIsEndedWithTheContext(t *testing.T) {
	c := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, isAlive, err := c.ask(ctx, complete(40))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.False(t, isAlive)
	assert.Less(t, time.Since(began), time.Second)
	assert.True(t, isGone(c.cmd.Process.Pid))
}

func TestChildThatDiesIsAnErrorOfOneLine(t *testing.T) {
	c := start(t)
	_, _, err := c.ask(context.Background(), golden(t, "empty"))
	require.NoError(t, err)
	require.NoError(t, c.cmd.Process.Kill())
	_, isAlive, err := c.ask(context.Background(), golden(t, "empty"))
	assert.False(t, isAlive)
	assert.ErrorContains(t, err, "graphviz: the process that draws ended: signal: killed")
	assert.NotContains(t, err.Error(), "\n")
}

func TestChildDoesNotOutliveAParentThatIsKilled(t *testing.T) {
	parent := exec.Command(os.Args[0])
	// Were there garbage collections while Graphviz draws, there would be one.
	parent.Env = append(os.Environ(), parentVar+"=1", "GOGC=1")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var pid int
	_, err = fmt.Fscan(out, &pid)
	require.NoError(t, err)
	time.Sleep(200 * time.Millisecond) // into the drawing, which takes many seconds
	require.False(t, isGone(pid))
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // it was killed
	assert.Eventually(t, func() bool { return isGone(pid) }, 2*time.Second, 10*time.Millisecond)
}

// A variable that was left in the environment, or set by hand, is no parent.
func TestOnlyTheParentMakesAChild(t *testing.T) {
	t.Setenv(cachedir.ParentVar, strconv.Itoa(os.Getppid()+1))
	assert.False(t, IsChild())
	t.Setenv(cachedir.ParentVar, strconv.Itoa(os.Getppid()))
	assert.True(t, IsChild())
}

func TestHostileMessages(t *testing.T) {
	for name, text := range map[string]string{
		"cut off":   "D\x05\x00\x00\x00\x00\x00\x00\x00ab",
		"too long":  "D\xff\xff\xff\xff\xff\xff\xff\xff",
		"no header": "D\x00",
		"unknown":   "X\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		assert.Error(t, ServeChild(strings.NewReader(text), io.Discard), name)
	}
	assert.NoError(t, ServeChild(strings.NewReader(""), io.Discard))
}

// The program itself: only what draws loads Graphviz, which leaves compiled
// code behind.
func TestAcdcLoadsGraphvizOnlyToDraw(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "acdc")
	build := exec.Command("go", "build", "-o", bin, "../../../cmd/acdc")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("cannot build here: %s", out)
	}
	xdg := t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command(bin, args...)
		cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+xdg)
		out, err := cmd.Output()
		require.NoError(t, err, "%v", args)
		return string(out)
	}
	circuit, picture := filepath.Join(t.TempDir(), "c.json"), filepath.Join(t.TempDir(), "c.svg")
	assert.Contains(t, run("version"), "acdc ")
	run("discover", "--task", "induction", "-o", circuit, "--quiet")
	dot := run("render", circuit)
	assert.Empty(t, compiled(t, filepath.Join(xdg, "acdc", "graphviz")))
	run("render", circuit, "-o", picture)
	svg, err := os.ReadFile(picture)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(render(t, SVG, []byte(dot)), svg))
	assert.Len(t, compiled(t, filepath.Join(xdg, "acdc", "graphviz")), 1)
}
