package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// grid is the page of a circuit of about so many edges by chance.
func grid(t *testing.T, layers, heads, edges int) *page.Data {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: layers, Heads: heads})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	m, s := g.Empty(), make(circuit.Scores, g.NumEdges())
	for _, i := range rng.Perm(g.NumEdges())[:edges] {
		m[i] = true
	}
	for i := range s {
		s[i] = rng.ExpFloat64()*0.01 - 0.002
	}
	d, err := page.New(g, m, s, page.Options{Caption: draw.Caption{Title: fmt.Sprintf("%d edges", edges)}})
	require.NoError(t, err)
	d.Settings = []page.Setting{{Name: "made", Value: "by chance"}}
	return d
}

// written is the file of a page.
func written(t *testing.T, d *page.Data) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, page.Write(t.Context(), f, d))
	require.NoError(t, f.Close())
	return path
}

// Large circuits open and can be moved, painted by software. How fast depends on
// the machine: the figures are logged, to be held by whoever reads them to 2 seconds
// to open and, a frame of panning, 40 ms for 1,000 edges and 100 ms for 3,000.
func TestLargeCircuits(t *testing.T) {
	for _, edges := range []int{1000, 3000} {
		t.Run(fmt.Sprint(edges), func(t *testing.T) {
			path := written(t, grid(t, 12, 12, edges))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Less(t, info.Size(), int64(1_500_000))
			p := open(t, file(path))
			opened := eval[float64](p, `performance.getEntriesByName("shown")[0].startTime`) // since it began to navigate
			assert.Equal(t, edges, p.count("#edges path"))
			pans := p.frames(func() { p.drag(40, 7, 5) })
			zooms := p.frames(func() { p.wheel(12) })
			hovers := p.frames(func() {
				for i := range 12 {
					p.move(200+50*float64(i), 400)
				}
			})
			slides := p.frames(func() {
				for i := range 12 {
					p.slide("#least", 12*i)
				}
			})
			t.Logf("%d edges, %d bytes: open %.0f ms; frames in ms, median and worst: pan %s, zoom %s, hover %s, slider %s", edges, info.Size(), opened,
				spread(pans), spread(zooms), spread(hovers), spread(slides))
			assert.Greater(t, len(pans), 10, "the picture moves")
			p.quiet()
		})
	}
}

// frames are the times between the frames that the browser draws while something
// is done, by its own tracing.
func (p *tab) frames(do func()) []float64 {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	var at []float64
	complete := make(chan bool, 1)
	require.NoError(p.t, chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *tracing.EventDataCollected:
			for _, raw := range ev.Value {
				var e struct {
					Name string  `json:"name"`
					TS   float64 `json:"ts"`
				}
				if json.Unmarshal(raw, &e) == nil && e.Name == "DrawFrame" {
					at = append(at, e.TS/1000)
				}
			}
		case *tracing.EventTracingComplete:
			complete <- true
		}
	}))
	_, err := chromedp.Call(p.ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"disabled-by-default-devtools.timeline.frame", "devtools.timeline.frame"}}})
	require.NoError(p.t, err)
	do()
	_, err = chromedp.Call(p.ctx, tracing.End, cdp.Empty{})
	require.NoError(p.t, err)
	select {
	case <-complete:
	case <-p.ctx.Done():
		require.NoError(p.t, p.ctx.Err())
	}
	slices.Sort(at)
	var out []float64
	for i := 1; i < len(at); i++ {
		out = append(out, at[i]-at[i-1])
	}
	return out
}

// drag moves the picture by steps.
func (p *tab) drag(steps int, dx, dy float64) {
	p.t.Helper()
	x, y := 120.0, 140.0
	mouse := func(typ input.DispatchMouseEventType, o ...chromedp.MouseOption) {
		require.NoError(p.t, chromedp.Do(p.ctx, chromedp.MouseEvent(typ, x, y, o...)))
	}
	mouse(input.DispatchMouseEventTypeMousePressed, chromedp.ButtonLeft, chromedp.ClickCount(1))
	for range steps {
		x, y = x+dx, y+dy
		mouse(input.DispatchMouseEventTypeMouseMoved, chromedp.ButtonLeft)
	}
	mouse(input.DispatchMouseEventTypeMouseReleased, chromedp.ButtonLeft, chromedp.ClickCount(1))
}

// wheel zooms in, step by step.
func (p *tab) wheel(steps int) {
	p.t.Helper()
	for range steps {
		eval[bool](p, `document.getElementById("stage").dispatchEvent(new WheelEvent("wheel", {deltaY: -60, clientX: 500, clientY: 400, bubbles: true, cancelable: true})) ?? true`)
		p.settle()
	}
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	if len(x) == 0 {
		return 0
	}
	return x[len(x)/2]
}

func spread(x []float64) string {
	if len(x) == 0 {
		return "none"
	}
	return fmt.Sprintf("%.0f, %.0f (%d)", median(x), slices.Max(x), len(x))
}
