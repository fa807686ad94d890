package browser

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What people do with the page of the induction circuit, one after the other.
func TestLookingAtACircuit(t *testing.T) {
	p := open(t, file(made(t, "discover", "--task", "induction", "--quiet", "-o", "page.html")))
	assert.Equal(t, "induction", p.text("#title"))
	assert.Contains(t, p.text("#measured"), "9 of 41 edges · kl_div 0.7705")

	t.Run("hover", func(t *testing.T) {
		p.move(p.at(node("a1.h1")))
		assert.Contains(t, p.text("#tip"), "a1.h1\n3 in, 1 out\nstrongest 3.828")
		assert.Equal(t, 1, p.count("#stage.lighting"))
		assert.Positive(t, p.count("#lit path"))
		x, y := p.at(node("a1.h1"))
		x2, y2 := p.at(node("logits"))
		p.move((x+x2)/2, (y+y2)/2+8) // where the edge between them is
		assert.Contains(t, p.text("#tip"), "a1.h1 → logits\neffect 3.828")
		p.move(60, 400)
		assert.Equal(t, "", p.text("#tip"))
		assert.Equal(t, 0, p.count("#stage.lighting"))
	})
	t.Run("pin", func(t *testing.T) {
		p.click(node("a1.h1"), 1)
		panel := p.text("#panel-node")
		assert.Contains(t, panel, "blocks.1.attn.hook_result[:, :, 1]")
		assert.Regexp(t, `(?s)outgoing \(1\).*a1.h1 → logits.*3.828.*incoming \(3\).*input → a1.h1<v>\s+14.92.*a0.h0 → a1.h1<k>\s+11.67`, panel)
		assert.Contains(t, panel, "direct contribution")
		p.move(60, 400)
		assert.Equal(t, 1, p.count("#stage.lighting"), "what is pinned stays lit")
		p.key(kb.Escape)
		assert.Equal(t, 0, p.count("#stage.lighting"))
	})
	t.Run("paths", func(t *testing.T) {
		p.click(node("input"), 2)
		assert.Contains(t, p.text("#notice"), "every path from input")
		p.click(node("logits"), 1)
		assert.Contains(t, p.text("#panel-node"), "3 paths of 5 edges.")
		assert.Contains(t, p.text("#panel-node"), "input → a0.h0 → a1.h1 → logits")
		p.key(kb.Escape)
	})
	t.Run("search", func(t *testing.T) {
		for query, want := range map[string]string{"a1.1": "a1.1 a1.h1", "blocks.1.attn.hook_k[:, :, 1]": "blocks.1.attn.hook_k[:, :, 1] a1.h1", "a1.h1<q>": "a1.h1<q>", "a0.0 -> a1.1_k": "a0.h0->a1.h1<k>", "no such": "nothing of this name"} {
			p.click("#query", 1)
			require.NoError(t, chromedp.Do(p.ctx, chromedp.KeyEvent(query)))
			p.settle()
			assert.Equal(t, want, strings.Split(p.text("#hits"), "\n")[0], query)
			p.key(kb.Escape)
		}
		p.key("/")
		assert.Equal(t, "query", eval[string](p, `document.activeElement.id`))
		eval[bool](p, `(() => { document.activeElement.value = ""; return true; })()`)
		require.NoError(t, chromedp.Do(p.ctx, chromedp.KeyEvent("a0.h0")))
		p.key(kb.Enter)
		assert.Equal(t, "a0.h0", p.text("#panel-node h2"))
		p.key(kb.Escape)
		p.key(kb.Escape)
	})
	t.Run("slider", func(t *testing.T) {
		assert.Equal(t, "all 9 edges, 4 nodes", p.text("#left"))
		p.slide("#least", 100)
		assert.Regexp(t, `^\|effect\| ≥ [\d.]+: [1-8] edges?, \d nodes? left$`, p.text("#left"))
		assert.Contains(t, p.text("#sliders small"), "not the circuit that another τ would find")
		assert.Positive(t, p.count("#edges .dim"))
		p.slide("#least", 0)
		assert.Equal(t, 0, p.count("#edges .dim"))
	})
	t.Run("switches", func(t *testing.T) {
		before := p.count("#edges path")
		p.key("d")
		assert.Equal(t, before+4, p.count("#edges path"), "the direct edges are drawn")
		p.key("d")
		p.key("l")
		assert.Equal(t, "heads of 0", p.text(`[aria-label="heads of layer 0"] .name`))
		p.key("l")
		p.key("c")
		assert.Contains(t, p.text("#legend"), "raises the metric when cut")
		p.key("c")
		p.click("#grid", 1)
		assert.Equal(t, "true", eval[string](p, `document.querySelector("#grid").getAttribute("aria-pressed")`))
		p.click("#grid", 1)
	})
	t.Run("keyboard", func(t *testing.T) {
		eval[bool](p, `document.querySelector('[aria-label="input"]').focus() ?? true`)
		p.key(kb.ArrowDown)
		assert.Equal(t, "a0.h0", eval[string](p, `document.activeElement.getAttribute("aria-label")`))
		p.key(kb.Enter)
		assert.Equal(t, "a0.h0", p.text("#panel-node h2"))
		eval[bool](p, `document.activeElement.blur() ?? true`)
		p.key(kb.Escape)
	})
	t.Run("pattern", func(t *testing.T) {
		p.click(node("a0.h0"), 1)
		x, y := p.at(".pattern canvas")
		p.move(x, y)
		reading := regexp.MustCompile(`“.+” attends to (\d+) “.+”: (\d\.\d{4})`)
		assert.Regexp(t, reading, p.text(".pattern .reading"))
		// Rows of the picture add up to one where all positions are shown.
		sum := eval[float64](p, `(() => { const r = JSON.parse(document.getElementById("data").textContent).runs.patterns; const v = new DataView(Uint8Array.from(atob(r.weights), c => c.charCodeAt(0)).buffer); return v.getUint16(0, true) / 65535; })()`)
		assert.InDelta(t, 1, sum, 1e-4, "the first token attends to itself")
		p.click(".choice button:last-child", 1)
		assert.Contains(t, p.text(".pattern figcaption"), "corrupted")
		p.key(kb.Escape)
	})
	t.Run("prompts", func(t *testing.T) {
		p.click("#tab-prompts", 1)
		assert.Positive(t, p.count("#panel-prompts .token.differs"))
		assert.Equal(t, 30, p.count("#panel-prompts .predictions li"), "ten predictions of three runs")
		head := "#panel-prompts .sortable thead th:nth-child(3) button"
		column := func() []float64 {
			return eval[[]float64](p, `[...document.querySelectorAll("#panel-prompts .sortable tbody tr td:nth-child(3)")].map(e => Number(e.textContent.replace("−", "-")))`)
		}
		eval[bool](p, `document.querySelector("`+head+`").click() ?? true`)
		values := column()
		require.Greater(t, len(values), 1)
		for i := 1; i < len(values); i++ {
			assert.LessOrEqual(t, values[i], values[i-1])
		}
	})
	t.Run("replay", func(t *testing.T) {
		p.click("#tab-replay", 1)
		p.slide("#panel-replay input[type=range]", 3)
		assert.Regexp(t, `^test 4 of 21: .+, effect .+: (kept|cut); kl_div .+, \d+ of 41 edges left`, p.text("#panel-replay .reading"))
		early := p.count("#edges path:not(.untested)")
		p.slide("#panel-replay input[type=range]", 20)
		assert.Regexp(t, `kl_div 0.7705, 9 of 41 edges left$`, p.text("#panel-replay .reading"))
		assert.Greater(t, p.count("#edges path:not(.untested)"), early, "what was kept is drawn")
		p.click("#panel-replay .actions button:last-child", 1)
	})
	t.Run("settings", func(t *testing.T) {
		p.click("#tab-settings", 1)
		settings := p.text("#panel-settings")
		for _, want := range []string{"acdc discover --task induction --quiet -o", "weights' SHA-256", "prompts' SHA-256", "@inproceedings{conmy2023automated"} {
			assert.Contains(t, settings, want)
		}
	})
	t.Run("dark", func(t *testing.T) {
		paper := func() string { return eval[string](p, `getComputedStyle(document.body).backgroundColor`) }
		light := paper()
		p.click("#theme", 1)
		assert.Equal(t, light, paper())
		p.click("#theme", 1)
		assert.Equal(t, "rgb(21, 24, 29)", paper())
	})
	p.quiet()
}

// A sweep's slider walks the circuits of each threshold.
func TestSweepWalksCircuits(t *testing.T) {
	p := open(t, file(made(t, "sweep", "--task", "induction", "--thresholds", "0.1,0.5,3", "--quiet", "-o", "page.html")))
	assert.Regexp(t, `^τ = 0.1: \d+ edges \(1 of 3\)$`, p.text("#which"))
	first := p.count("#edges path")
	p.slide("#circuits", 1)
	assert.Equal(t, "τ = 0.5: 9 edges (2 of 3)", p.text("#which"))
	assert.Contains(t, p.text("#measured"), "9 of 41 edges · kl_div 0.7705")
	assert.Less(t, p.count("#edges path"), first)
	p.quiet()
}

// Texts of others are text, whatever they say, and the page stays whole.
func TestHostileTexts(t *testing.T) {
	d := grid(t, 3, 3, 20)
	bad := `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&{{data}}` + "\u202e\x00\u2028"
	d.Title, d.Parts, d.Settings[0].Value = bad, []string{bad}, bad
	p := open(t, file(written(t, d)))
	assert.Contains(t, p.text("#title"), `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'&{{data}}⟨202E⟩⟨0000⟩⟨2028⟩`)
	p.click("#tab-settings", 1)
	assert.Contains(t, p.text("#panel-settings"), `onerror=alert(2)>`)
	assert.Equal(t, 0, p.count("img"))
	assert.Equal(t, 2, p.count("script"))
	p.quiet()
}

// Screens of other sizes, and paper. With ACDC_SHOTS pictures are kept there.
func TestScreens(t *testing.T) {
	path := made(t, "discover", "--task", "ioi", "--model", "mini", "--quiet", "-o", "page.html")
	p := open(t, file(path))
	shots := os.Getenv("ACDC_SHOTS")
	for _, size := range [][2]int64{{1280, 800}, {390, 844}} {
		require.NoError(t, chromedp.Do(p.ctx, chromedp.EmulateViewport(size[0], size[1])))
		p.settle()
		assert.LessOrEqual(t, eval[int](p, `document.documentElement.scrollWidth`), int(size[0]), "nothing is cut off at the side")
		assert.Empty(t, eval[[]string](p, `[...document.querySelectorAll("[data-node] .box")].filter(e => { const r = e.getBoundingClientRect(), s = document.getElementById("stage").getBoundingClientRect(); return r.left < s.left || r.right > s.right || r.top < s.top; }).map(e => e.parentNode.getAttribute("aria-label"))`), "all nodes are in sight")
		for _, look := range looks {
			if shots == "" {
				break
			}
			eval[json.RawMessage](p, `(() => {`+look.do+`; return null; })()`)
			p.settle()
			picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(shots+"/"+look.name+map[bool]string{true: "-wide", false: "-narrow"}[size[0] > 400]+".png", picture, 0o644))
		}
	}
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF())
	require.NoError(t, err)
	assert.Greater(t, len(pdf), 10_000)
	p.quiet()
}

// looks are what pictures are taken of.
var looks = []struct{ name, do string }{
	{"light", `document.documentElement.dataset.theme = "light"; document.querySelector('[aria-label="a1.h1"]').focus(); document.getElementById("tab-node").click()`},
	{"pinned", `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true})); document.activeElement.blur()`},
	{"prompts", `document.getElementById("tab-prompts").click()`},
	{"dark", `document.documentElement.dataset.theme = "dark"`},
	{"replay", `document.getElementById("tab-replay").click(); const e = document.querySelector("#panel-replay input"); e.value = 30; e.dispatchEvent(new Event("input"))`},
	{"settings", `document.documentElement.dataset.theme = "light"; document.getElementById("tab-settings").click()`},
}
