package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// shared is the browser of all tests, and the program that they test.
var shared struct {
	browser context.Context // nil without chromium
	program string
	folder  string
}

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// runAll runs the tests, with a browser if there is one.
func runAll(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "acdc-browser")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	shared.folder, shared.program = folder, filepath.Join(folder, "acdc")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("ACDC_BROWSER") == "required" {
			return 1, errors.New("chromium: expected on the path, found none")
		}
		return m.Run(), nil
	}
	build := exec.Command("go", "build", "-o", shared.program, "./cmd/acdc")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("go build: %w: %s", err, out)
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium), chromedp.UserDataDir(filepath.Join(folder, "profile")), chromedp.WindowSize(1280, 800),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Headless}
	for _, name := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "hide-scrollbars"} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		return 1, fmt.Errorf("chromium: %w", err)
	}
	shared.browser = ctx
	return m.Run(), nil
}

// tab is a page that is open.
type tab struct {
	t        *testing.T
	ctx      context.Context
	mu       sync.Mutex
	errors   []string // of the console
	requests []string // addresses that were asked for
}

// open opens an address, and holds the page to be quiet: no error on the console,
// and no request but for itself.
func open(t *testing.T, address string) *tab {
	t.Helper()
	if shared.browser == nil {
		t.Skip("chromium is not on the path: make test-browser installs it")
	}
	ctx, cancel := chromedp.NewContext(shared.browser)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	ctx, stop := context.WithTimeout(ctx, 40*time.Second)
	t.Cleanup(stop)
	p := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, p.hear))
	for _, enable := range []func(context.Context) error{
		func(c context.Context) error {
			_, err := chromedp.Call(c, network.Enable, network.EnableParams{})
			return err
		},
		func(c context.Context) error { _, err := chromedp.Call(c, log.Enable, cdp.Empty{}); return err },
	} {
		require.NoError(t, enable(ctx))
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(address)))
	p.settle()
	return p
}

// file is the address of a file.
func file(path string) string { return "file://" + filepath.ToSlash(path) }

// hear keeps what must not happen.
func (p *tab) hear(ev any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, ev.Request.URL)
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, fmt.Sprint(ev.ExceptionDetails))
	case *log.EventEntryAdded:
		p.errors = append(p.errors, ev.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		for _, a := range ev.Args {
			p.errors = append(p.errors, "console: "+string(a.Value))
		}
	}
}

// quiet fails where there was an error, or a request to anything but the page.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p.t, p.errors)
	for _, r := range p.requests {
		require.True(p.t, strings.HasPrefix(r, "file://") || strings.HasPrefix(r, "http://127.0.0.1"), r)
	}
	require.Len(p.t, p.requests, 1)
}

// eval is the value of an expression.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	x, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, expression)
	return x
}

// settle waits until what was asked for is painted.
func (p *tab) settle() {
	p.t.Helper()
	eval[bool](p, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// text is what elements say, without those that are hidden.
func (p *tab) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.innerText ?? e.textContent).join("\n")`, selector))
}

// count is how many elements there are.
func (p *tab) count(selector string) int {
	p.t.Helper()
	return eval[int](p, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
}

// at is the middle of an element.
func (p *tab) at(selector string) (x, y float64) {
	p.t.Helper()
	xy := eval[[]float64](p, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector))
	return xy[0], xy[1]
}

// move moves the pointer.
func (p *tab) move(x, y float64) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y)))
	p.settle()
}

// click clicks the middle of an element; twice is a double click.
func (p *tab) click(selector string, times int) {
	p.t.Helper()
	x, y := p.at(selector)
	for n := 1; n <= times; n++ {
		require.NoError(p.t, chromedp.Do(p.ctx, chromedp.MouseClickXY(x, y, chromedp.ClickCount(n))))
	}
	p.settle()
}

// key types keys.
func (p *tab) key(keys string) {
	p.t.Helper()
	require.NoError(p.t, chromedp.Do(p.ctx, chromedp.KeyEvent(keys)))
	p.settle()
}

// slide moves a slider.
func (p *tab) slide(selector string, value int) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %d; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, selector, value))
	p.settle()
}

// node selects a node by its name.
func node(name string) string { return fmt.Sprintf(`[data-node][aria-label="%s"] .box`, name) }

// made is a file that the program writes with some arguments, the last of which is
// the file's name.
func made(t *testing.T, args ...string) string {
	t.Helper()
	if shared.browser == nil {
		t.Skip("chromium is not on the path: make test-browser installs it")
	}
	path := filepath.Join(t.TempDir(), args[len(args)-1])
	args[len(args)-1] = path
	out, err := exec.Command(shared.program, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}
