package page

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/draw"
)

// elements are those of a page, each as often as it is there.
var elements = strings.Fields(`html head meta meta meta meta title style body header div h1 p div input ul div main section div div div div p aside div div footer noscript script script`)

// walked lists the elements of a tree, and the texts of some.
func walked(n *html.Node, texts map[string][]string) (names []string) {
	if n.Type == html.ElementNode {
		names = append(names, n.Data)
		if n.FirstChild != nil && n.FirstChild.Type == html.TextNode {
			texts[n.Data] = append(texts[n.Data], n.FirstChild.Data)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		names = append(names, walked(c, texts)...)
	}
	return names
}

// A page has the same elements whatever others' texts say, one script of ours, and
// says these texts again.
func FuzzWrite(f *testing.F) {
	for _, s := range []string{"plain", "</script><script>alert(1)</script>", "<!--<script>", `"'><img src=x onerror=alert(1)>`, "{{script}}{{data}}", "a\x00b\u202e\u2028", "\xff\xfe", "]]>", "&lt;&#0;"} {
		f.Add(s, s)
	}
	f.Add(strings.Repeat("long ", 1000), strings.Repeat("é", 3000))
	f.Fuzz(func(t *testing.T, one, two string) {
		d := small(t, twoLayers, fewEdges, Options{Caption: draw.Caption{Title: one, Lines: []string{two}}})
		d.Settings = []Setting{{one, two}}
		d.Lacks, d.Citation = []string{two}, "cited"
		d.Tables = []Table{{one, [][]string{{two}, {one}}}}
		d.Runs = &Runs{Metric: "kl_div", Prompts: []Prompt{{Clean: []Token{{1, one}}, Corrupt: []Token{{2, two}}, Differ: []int{0},
			Predictions: [3][]Prediction{{{Token: Token{3, two}}}}}}}
		var b bytes.Buffer
		require.NoError(t, Write(t.Context(), &b, d))
		assert.Less(t, b.Len(), 400_000)
		tree, err := html.Parse(bytes.NewReader(b.Bytes()))
		require.NoError(t, err)
		texts := map[string][]string{}
		assert.Equal(t, elements, walked(tree, texts))
		assert.Equal(t, oneline.Plain(oneline.Shown(one)), strings.Join(texts["title"], ""))
		require.Len(t, texts["script"], 2)
		assert.Equal(t, script(), texts["script"][1])
		var back Data
		require.NoError(t, json.Unmarshal([]byte(texts["script"][0]), &back))
		want, err := json.Marshal(d.bounded())
		require.NoError(t, err)
		got, err := json.Marshal(&back)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(got))
		if len([]rune(one)) < mostToken && strings.ToValidUTF8(one, "") == one {
			assert.Equal(t, one, back.Title)
			assert.Equal(t, one, back.Runs.Prompts[0].Clean[0].Text)
		}
	})
}
