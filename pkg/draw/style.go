package draw

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// The colours keep their difference for every kind of colour vision: those of
// kinds are Paul Tol's "bright" scheme, those of signs the ends of ColorBrewer's
// RdBu.
const (
	inkDark     = "#222222"
	inkMuted    = "#8a8a8a"
	inkSoft     = "#555555"
	paleBox     = "#f4f5f7"
	lineBox     = "#9aa0a8"
	noScore     = "#8a8f98"
	positive    = "#2166ac"
	negative    = "#b2182b"
	kindQ       = "#4477aa"
	kindK       = "#ee6677"
	kindV       = "#228833"
	kindMLP     = "#aa3377"
	kindOut     = "#5a5f66"
	paleMLP     = "#f6e8f0"
	paleEnds    = "#e4e7eb"
	paleNoTab   = "#ffffff"
	lineFrame   = "#c9ced6" // around what belongs to one head
	paleFrame   = "#fafbfc"
	paleNoGroup = "#ffffff" // colours are for the groups
)

var (
	letterInk = [3]string{kindQ, kindK, kindV}
	// partInks are a dark grey, and the blue and the orange of Paul Tol's "vibrant"
	// scheme.
	partInks = [3]string{"#444444", "#0077bb", "#ee7733"}
	// inkOrder is that of the legend.
	inkOrder   = []string{kindQ, kindK, kindV, kindMLP, kindOut, partInks[0], partInks[1], partInks[2], noScore}
	letterPale = [3]string{"#dbe5f0", "#fce0e4", "#d5e9d9"}
	// groupFills are Paul Tol's "light" scheme without its grey.
	groupFills = []string{"#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#99ddff", "#44bb99", "#bbcc33", "#aaaa00"}
)

const (
	minWidth     = 0.6 // points, as all widths
	maxWidth     = 4.5
	minStripe    = 0.8  // of an arrow in several colours
	neutralWidth = 1.2  // of an edge without a score
	flatWidth    = 2.0  // of edges that all have the same score
	idleWidth    = 0.8  // of an edge that carries nothing
	leastOpacity = 0.08 // of an edge that is hardly ever found: it does not vanish
	// The thinnest line lies at least and at most so many powers of ten below
	// the widest: similar scores look similar, and none vanishes.
	leastDecades, mostDecades = 1, 3
)

// scale turns the size of a score, or a number of edges, into a share of the way from the thinnest to
// the widest line, in the logarithm.
type scale struct {
	least, most float64 // sizes of the smallest and the largest score; 0 without scores
	low         float64 // size of the thinnest line
	widest      float64 // points
}

// newScale fits a scale to edges. Pictures of many edges have thinner lines.
func newScale(edges []edge) scale {
	s := scale{widest: maxWidth}
	if n := len(edges); n > manyEdges {
		s.widest = max(2.6, maxWidth*math.Pow(manyEdges/float64(n), 0.35))
	}
	for _, e := range edges {
		size := e.size
		if size == 0 || math.IsNaN(size) || math.IsInf(size, 0) {
			continue
		}
		s.most = max(s.most, size)
		if s.least == 0 || size < s.least {
			s.least = size
		}
	}
	s.low = min(max(s.least, s.most*math.Pow(10, -mostDecades)), s.most*math.Pow(10, -leastDecades))
	return s
}

// share is 0 for the thinnest line and 1 for the widest.
func (s scale) share(size float64) float64 {
	switch {
	case size <= s.low && size < s.most || size == 0:
		return 0
	case size >= s.most:
		return 1
	}
	return math.Log(size/s.low) / math.Log(s.most/s.low)
}

// isFlat reports whether all scores are of one size, or there are none.
func (s scale) isFlat() bool { return s.least == s.most }

// width is a line's width in points.
func (s scale) width(size float64) float64 {
	switch {
	case math.IsNaN(size):
		return neutralWidth
	case s.isFlat() && size == s.most && size != 0:
		return flatWidth // the width says nothing
	}
	return minWidth + (s.widest-minWidth)*s.share(size)
}

// opacity, from 0 to 1, lets strong edges stand before weak ones where many
// cross.
func (s scale) opacity(size float64, edges int) float64 {
	if edges <= 24 {
		return 1
	}
	share := 0.5
	if !math.IsNaN(size) && !s.isFlat() {
		share = s.share(size)
	}
	faint := max(0.4, 0.85-float64(edges)/600)
	return faint + (0.95-faint)*share
}

// style chooses what widths and colours mean.
func (p *picture) style(c ColorBy) {
	p.scale = newScale(p.carrying())
	p.color = c
	if c == ByAuto {
		p.color = ByKind
		if plus, minus, _ := p.signs(); plus && minus {
			p.color = BySign
		}
	}
}

// signs reports which signs the scores have, and whether any edge has none.
func (p *picture) signs() (plus, minus, none bool) {
	for _, e := range p.carrying() {
		switch signInk(e.score) {
		case positive:
			plus = true
		case negative:
			minus = true
		default:
			none = true
		}
	}
	return plus, minus, none
}

func signInk(score float64) string {
	switch {
	case score > 0:
		return positive
	case score < 0:
		return negative
	}
	return noScore
}

func kindInk(receiver circuit.Node) string {
	if c, ok := receiver.Letter(); ok {
		return letterInk[c]
	}
	if receiver.Kind == circuit.MLPIn {
		return kindMLP
	}
	return kindOut
}

// groupOf is the group of a node, or of all that it stands for.
func (p *picture) groupOf(n *node) (Group, bool) {
	if n.bundle != nil {
		return n.bundle.group, n.bundle.isGroup
	}
	g, ok := p.groups.of[n.Node]
	return g, ok
}

// kindInks are the colours of an edge by what it ends in, several of an arrow
// that stands for several edges.
func (e edge) kindInks() []string {
	if e.many != nil {
		return e.many.inks
	}
	return []string{kindInk(e.to)}
}

// partInk is the colour of a part, -1 for none.
func partInk(part int) string {
	if part < 0 {
		return noScore
	}
	return partInks[part]
}

// inks are the colours of an edge, one unless it is striped.
func (p *picture) inks(e edge) []string {
	switch {
	case e.idle:
		return []string{inkMuted}
	case p.color == BySign:
		return []string{signInk(e.score)}
	case p.color == byPart && e.many != nil:
		return e.many.partInks
	case p.color == byPart:
		return []string{partInk(e.part)}
	}
	return e.kindInks()
}

// ink is the colour of an edge with its opacity, or several in stripes.
func (p *picture) ink(e edge) string {
	inks := p.inks(e)
	if e.idle {
		return inks[0]
	}
	opacity := e.opacity
	if math.IsNaN(opacity) {
		opacity = p.scale.opacity(e.size, len(p.edges))
	}
	out := make([]string, len(inks))
	for i, ink := range inks {
		out[i] = fmt.Sprintf("%s%02x", ink, int(255*min(max(opacity, leastOpacity), 1)+0.5))
	}
	return strings.Join(out, ":")
}

// grouping is the groups with their colours decided.
type grouping struct {
	of    map[circuit.Node]Group
	names []string // sorted
	fill  map[string]string
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// palette gives every group a colour.
func palette(groups map[circuit.Node]Group) (grouping, error) {
	out := grouping{of: groups, fill: map[string]string{}}
	for n, g := range groups {
		if g.Color != "" && !hexColor.MatchString(g.Color) {
			return out, fmt.Errorf("group %q: colour %q: expected the form #77aadd", g.Name, g.Color)
		}
		if old := out.fill[g.Name]; old != "" && g.Color != "" && old != g.Color {
			return out, fmt.Errorf("group %q: node %v has colour %q and another has %q", g.Name, n, max(old, g.Color), min(old, g.Color))
		}
		out.fill[g.Name] = max(out.fill[g.Name], g.Color)
	}
	out.names = slices.Sorted(maps.Keys(out.fill))
	next := 0
	for _, name := range out.names {
		if out.fill[name] == "" {
			out.fill[name] = groupFills[next%len(groupFills)]
			next++
		}
	}
	return out, nil
}
