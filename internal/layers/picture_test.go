package layers

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/draw/render"
)

var update = flag.Bool("update", false, "draw docs/floors.dot and docs/floors.svg anew")

// house is what stands of Floors: the listed packages that have code, and which
// of them each imports.
func house(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for pkg, list := range imports(t, root) {
		from, _, ok := floor(pkg)
		if !ok {
			continue
		}
		for _, imported := range list {
			if to, _, ours := floor(imported); ours && to != from && !slices.Contains(out[from], to) {
				out[from] = append(out[from], to)
			}
		}
		out[from] = slices.Sorted(slices.Values(out[from]))
	}
	return out
}

// reaches reports whether imports lead from one package to another.
func reaches(house map[string][]string, from, to string) bool {
	return from == to || slices.ContainsFunc(house[from], func(next string) bool { return reaches(house, next, to) })
}

// needed are the imports of a package to which none of its other imports leads:
// with them all others follow.
func needed(house map[string][]string, pkg string) []string {
	var out []string
	for _, to := range house[pkg] {
		if !slices.ContainsFunc(house[pkg], func(other string) bool { return other != to && reaches(house, other, to) }) {
			out = append(out, to)
		}
	}
	return out
}

// fills are the colours of the top folders.
var fills = map[string]string{"cmd": "#fde68a", "docs": "#fde68a", "internal": "#e5e7eb", "pkg": "#bfdbfe"}

// picture writes the floors as DOT, the highest at the top, with the imports
// that are needed.
func picture(house map[string][]string) []byte {
	rows := map[float64][]string{}
	for pkg := range house {
		rows[Floors[pkg]] = append(rows[Floors[pkg]], pkg)
	}
	levels := slices.SortedFunc(maps.Keys(rows), func(a, b float64) int { return cmp.Compare(b, a) })
	var b bytes.Buffer
	b.WriteString("digraph floors {\n" +
		"  graph [rankdir=TB, ranksep=0.45, nodesep=0.25, fontname=\"Arial\"]\n" +
		"  node [shape=box, style=\"filled,rounded\", fontname=\"Arial\", fontsize=12, margin=\"0.1,0.05\", height=0.3, color=\"#6b7280\"]\n" +
		"  edge [color=\"#6b7280\", arrowsize=0.6]\n")
	for i, level := range levels {
		fmt.Fprintf(&b, "  { rank=same\n    \"floor %v\" [shape=plaintext, style=\"\", fontcolor=\"#6b7280\"]\n", level)
		for _, pkg := range slices.Sorted(slices.Values(rows[level])) {
			top, _, _ := strings.Cut(pkg, "/")
			fmt.Fprintf(&b, "    %q [fillcolor=%q]\n", pkg, fills[top])
		}
		b.WriteString("  }\n")
		if i > 0 {
			fmt.Fprintf(&b, "  \"floor %v\" -> \"floor %v\" [style=invis]\n", levels[i-1], level)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(house)) {
		for _, to := range needed(house, pkg) {
			fmt.Fprintf(&b, "  %q -> %q\n", pkg, to)
		}
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// svgWords are the names in a picture. Where they stand may differ in the last
// digits between processors.
func svgWords(svg []byte) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<(?:text|title)[^>]*>([^<]*)<`).FindAllSubmatch(svg, -1) {
		out = append(out, string(m[1]))
	}
	return out
}

func TestPictureOfTheFloorsIsCurrent(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dot := picture(house(t, root))
	var svg bytes.Buffer
	require.NoError(t, render.Write(t.Context(), &svg, render.SVG, dot))
	files := map[string][]byte{"floors.dot": dot, "floors.svg": svg.Bytes()}
	for name, data := range files {
		path := filepath.Join(root, "docs", name)
		if *update {
			require.NoError(t, os.WriteFile(path, data, 0o644))
		}
		files[name], err = os.ReadFile(path)
		require.NoError(t, err)
	}
	const stale = "out of date: go test ./internal/layers -update draws docs/floors.dot and docs/floors.svg anew"
	assert.True(t, bytes.Equal(dot, files["floors.dot"]), stale)
	assert.True(t, slices.Equal(svgWords(svg.Bytes()), svgWords(files["floors.svg"])), stale)
}

// Imports that others imply are not drawn, and all that are drawn are enough.
func TestPictureLeavesOutWhatFollows(t *testing.T) {
	small := map[string][]string{"top": {"bottom", "middle"}, "middle": {"bottom"}, "bottom": nil}
	assert.Equal(t, []string{"middle"}, needed(small, "top"))
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	all := house(t, root)
	drawn := map[string][]string{}
	for pkg := range all {
		drawn[pkg] = needed(all, pkg)
	}
	for pkg, list := range all {
		for _, to := range list {
			assert.True(t, reaches(drawn, pkg, to), "%s to %s", pkg, to)
		}
	}
}

// row is a row of the page's table: its floor and its packages.
var row = regexp.MustCompile(`(?m)^\| ([−.0-9]+) \| (.*?) \| `)

// The page on the architecture tells of every package, on its floor.
func TestArchitecturePageHasEveryFloor(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	require.NoError(t, err)
	told := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		for _, name := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(m[2], -1) {
			told[name[1]] = strings.ReplaceAll(m[1], "−", "-")
		}
	}
	listed := map[string]string{}
	for pkg, level := range Floors {
		listed[pkg] = fmt.Sprint(level)
	}
	assert.Equal(t, listed, told)
}
