package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// viewing is acdc view with its page open.
type viewing struct {
	*tab
	process *exec.Cmd
	folder  string // in which the program runs
}

// view runs acdc view in a folder, with the page open, until the test ends.
func view(t *testing.T, folder string, args ...string) *viewing {
	t.Helper()
	if shared.browser == nil {
		t.Skip("chromium is not on the path: make test-browser installs it")
	}
	process := exec.Command(shared.program, append([]string{"view", "--quiet"}, args...)...)
	process.Dir = folder
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill() // it may have ended
		_ = process.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	v := &viewing{open(t, strings.TrimSpace(address)), process, folder}
	v.answered()
	return v
}

// answered waits until the engine has said what the edges that are present do.
func (v *viewing) answered() {
	v.t.Helper()
	eval[bool](v.tab, `new Promise((done, failed) => {
		const until = performance.now() + 20000;
		const look = () => {
			if (document.querySelector("#edited") && !document.querySelector("#numbers").matches(".stale")) return done(true);
			if (performance.now() > until) return failed(new Error("the engine did not answer: " + document.querySelector("#said").textContent));
			requestAnimationFrame(look);
		};
		look();
	})`)
}

// press clicks an element and waits for the engine.
func (v *viewing) press(selector string) {
	v.t.Helper()
	v.click(selector, 1)
	v.answered()
}

// numbers are the edges that are present and their metric, as the page writes it.
func (v *viewing) numbers() (edges int, metric float64) {
	v.t.Helper()
	text := eval[[]string](v.tab, `[...document.querySelectorAll("#edited td")].map(e => e.textContent)`)
	require.Len(v.t, text, 2)
	edges, err := strconv.Atoi(text[0])
	require.NoError(v.t, err)
	metric, err = strconv.ParseFloat(strings.ReplaceAll(text[1], "−", "-"), 64)
	require.NoError(v.t, err, text[1])
	return edges, metric
}

// likeRun holds the page to acdc run: the line that the page shows prints the same
// number of edges and the same metric, to the last digit.
func (v *viewing) likeRun() {
	v.t.Helper()
	line := eval[string](v.tab, `document.querySelector("#command").textContent`)
	run := exec.Command("bash", "-o", "pipefail", "-c", line+" --format json")
	run.Dir, run.Env = v.folder, append(os.Environ(), "PATH="+filepath.Dir(shared.program)+":"+os.Getenv("PATH"))
	out, err := run.Output()
	require.NoError(v.t, err, line)
	var rows []struct {
		Run     string
		Edges   int
		Metrics map[string]float64
	}
	require.NoError(v.t, json.Unmarshal(out, &rows))
	require.GreaterOrEqual(v.t, len(rows), 3)
	edges, metric := v.numbers()
	last := rows[len(rows)-2]
	assert.Equal(v.t, last.Edges, edges, line)
	require.Len(v.t, last.Metrics, 1)
	for name, value := range last.Metrics {
		assert.Equal(v.t, value, metric, "%s: %s of %s", line, name, last.Run)
	}
}

// noErrors fails where the page had an error, or asked anybody but acdc view.
func (v *viewing) noErrors() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	require.Empty(v.t, v.errors)
	for _, r := range v.requests {
		require.True(v.t, strings.HasPrefix(r, "http://127.0.0.1:") || strings.HasPrefix(r, "blob:http://127.0.0.1:"), r)
	}
}

// Edits go to the engine and come back: the metric is that of acdc run to the last
// digit, and undo and redo go the way back and forth.
func TestEditAndUndo(t *testing.T) {
	folder := t.TempDir()
	v := view(t, folder, "--task", "induction", "-o", "edited.json")
	edges, found := v.numbers()
	assert.Equal(t, 9, edges)
	assert.True(t, eval[bool](v.tab, `document.querySelector("#undo").disabled`))

	v.click(node("a1.h1"), 1)
	v.press(`#panel-node button.edit`) // cut this head
	v.click("#tab-edit", 1)
	edges, cut := v.numbers()
	assert.Less(t, edges, 9)
	assert.NotEqual(t, found, cut)
	assert.Contains(t, v.text("#changes"), "cut (")
	assert.Contains(t, v.text("#command"), "acdc discover --task induction --quiet --format json | acdc run --circuit - --metric kl_div --cut ")
	assert.Contains(t, v.text("#measured"), fmt.Sprintf("%d of 41 edges · kl_div %.4g", edges, cut))
	v.likeRun()

	v.press("#restore-layer") // all of layer 0
	edges, restored := v.numbers()
	assert.Greater(t, edges, 20)
	assert.NotEqual(t, cut, restored)
	v.likeRun()

	v.press("#undo")
	_, again := v.numbers()
	assert.Equal(t, cut, again)
	v.press("#undo")
	edges, again = v.numbers()
	assert.Equal(t, found, again)
	assert.Equal(t, 9, edges)
	assert.Empty(t, v.text("#changes"))
	v.press("#redo")
	v.press("#redo")
	_, again = v.numbers()
	assert.Equal(t, restored, again)
	v.press("#restore-all")
	edges, again = v.numbers()
	assert.Equal(t, 41, edges)
	assert.InDelta(t, 0, again, 1e-6)
	v.press("#back")
	_, again = v.numbers()
	assert.Equal(t, found, again)
	v.noErrors()
}

// A click on an edge cuts it, another one restores it, and the keyboard does the
// same; predictions, examples and patterns are those of the edited circuit.
func TestClickAnEdge(t *testing.T) {
	folder := t.TempDir()
	found := made(t, "discover", "--task", "ioi", "--model", "mini", "--examples", "6", "--quiet", "-o", "it's.json")
	require.NoError(t, os.Rename(found, filepath.Join(folder, "it's.json")))
	v := view(t, folder, "it's.json", "-o", "edited.json")
	before, start := v.numbers()
	v.click("#tab-prompts", 1)
	predicted, listed := v.text(".predictions"), v.text("#panel-prompts tbody")

	// The middle of the widest edge that can be hit there.
	at := eval[[]float64](v.tab, `(() => {
		const stage = document.querySelector("#stage").getBoundingClientRect();
		const paths = [...document.querySelectorAll("#edges path:not(.cut)")].sort((a, b) => b.getAttribute("stroke-width") - a.getAttribute("stroke-width"));
		for (const path of paths) {
			const p = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
			const on = document.elementFromPoint(p.x, p.y);
			if (on && on.closest("#stage") && !on.closest("[data-node], button, #legend") && p.y > stage.top + 20 && p.y < stage.bottom - 60) return [p.x, p.y];
		}
		return [];
	})()`)
	require.Len(t, at, 2)
	v.move(at[0], at[1])
	require.NoError(t, chromedp.Do(v.ctx, chromedp.MouseClickXY(at[0], at[1])))
	v.answered()
	edges, cut := v.numbers()
	assert.Equal(t, before-1, edges)
	assert.NotEqual(t, start, cut)
	assert.Contains(t, v.text("#panel-node"), "it is not in the circuit that is shown")
	v.likeRun()
	v.key("x")
	v.answered()
	edges, again := v.numbers()
	assert.Equal(t, before, edges)
	assert.Equal(t, start, again)
	v.key("u")
	v.answered()
	_, again = v.numbers()
	assert.Equal(t, cut, again)

	v.click("#tab-prompts", 1)
	assert.NotEqual(t, predicted, v.text(".predictions"))
	assert.NotEqual(t, listed, v.text("#panel-prompts tbody"))
	v.click(node("a1.h0"), 1)
	v.answered()
	v.click(`#panel-node .choice button:nth-child(2)`, 1)
	assert.Equal(t, 1, v.count("#panel-node .pattern canvas, #panel-node canvas"))

	v.click("#tab-edit", 1)
	v.press("#save")
	eval[bool](v.tab, `new Promise(done => { const look = () => document.querySelector("#said").textContent.startsWith("saved") ? done(true) : requestAnimationFrame(look); look(); })`)
	text, err := os.ReadFile(filepath.Join(folder, "edited.json"))
	require.NoError(t, err)
	var saved struct {
		Measured struct {
			Final    float64
			Warnings []string
		}
		Kept int `json:"edges_kept"`
	}
	require.NoError(t, json.Unmarshal(text, &saved))
	assert.Equal(t, cut, saved.Measured.Final)
	assert.Equal(t, before-1, saved.Kept)
	assert.Len(t, saved.Measured.Warnings, 1)
	assert.Contains(t, saved.Measured.Warnings[0], "was cut by hand")
	v.noErrors()
}

// A page whose engine has ended says so, and keeps its edits.
func TestEngineEnds(t *testing.T) {
	v := view(t, t.TempDir(), "--task", "or_gate")
	require.NoError(t, v.process.Process.Signal(os.Interrupt))
	err := v.process.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 130, exit.ExitCode())
	v.click("#tab-edit", 1)
	v.click("#restore-all", 1)
	eval[bool](v.tab, `new Promise(done => { const look = () => document.querySelector("#notice").textContent !== "" ? done(true) : requestAnimationFrame(look); look(); })`)
	assert.Equal(t, "the engine does not answer: acdc view has ended", v.text("#notice"))
}
