package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/draw/render"
)

// pictureOptions are the flags that say what pictures of circuits show.
type pictureOptions struct {
	direct   bool
	heads    bool
	collapse draw.Collapse
	maxEdges int // 0 for all
}

func (o *pictureOptions) pictureFlags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&o.direct, "direct", false, "draw queries, keys and values, and the direct edges to them")
	fs.BoolVar(&o.heads, "heads", false, "draw heads only, without MLPs and their edges")
	choice(cmd, &o.collapse, "collapse", string(draw.CollapseNone), "draw as one box the heads of a layer, or each group of the task's known circuit", texts(draw.Collapses()), oneOf("collapse", draw.Collapses()))
	typed(fs, &o.maxEdges, "max-edges", "", "N", "draw at most N edges, the strongest", parseCount(mostEdges))
}

// checkPicture refuses what cannot be drawn together.
func (o *pictureOptions) checkPicture() error {
	if o.direct && o.isCollapsed() {
		return usagef("--direct and --collapse %s: expected one of them, since direct edges lie within a box", o.collapse)
	}
	return nil
}

func (o *pictureOptions) isCollapsed() bool {
	return cmp.Or(o.collapse, draw.CollapseNone) != draw.CollapseNone
}

// checkGroups refuses to draw groups where none are known.
func (o *pictureOptions) checkGroups(f *circuit.File) error {
	if o.collapse == draw.CollapseGroups && groupsOf(f) == nil {
		return fmt.Errorf("--collapse groups: expected a circuit of a task and a model whose groups are known (acdc reference lists them), found task %q and model %q; --collapse layers needs none", f.Task, f.Model)
	}
	return nil
}

// options are those of a picture besides what the flags say.
func (o *pictureOptions) options(d draw.Options) draw.Options {
	d.Direct, d.Heads, d.Collapse, d.MaxEdges = o.direct, o.heads, o.collapse, o.maxEdges
	return d
}

// pictureOf is a circuit as DOT, or as a picture of another format.
func pictureOf(ctx context.Context, kind format, g *circuit.Graph, m circuit.Mask, s circuit.Scores, o draw.Options) ([]byte, error) {
	var b, picture bytes.Buffer
	if err := draw.WriteDOT(&b, g, m, s, o); err != nil || kind == formatDOT {
		return b.Bytes(), err
	}
	err := render.Write(ctx, &picture, render.Format(kind), b.Bytes())
	return picture.Bytes(), err
}

// carpet is from how many arrows on nobody can follow one, so that fewer are
// suggested.
const carpet = 300

// tellSize says what a picture leaves out, or that it shows too much; grouped
// says that groups of its nodes are known.
func (a *app) tellSize(o *pictureOptions, size draw.Size, isGrouped bool) {
	what := "edge"
	if o.isCollapsed() {
		what = "arrow"
	}
	switch {
	case size.Dropped > 0 && !size.Scored && !o.isCollapsed():
		a.note(fmt.Sprintf("the picture has the first %d of %s, none of which has an effect (--max-edges)", size.Drawn, counted(size.Drawn+size.Dropped, what)))
	case size.Dropped > 0:
		a.note(fmt.Sprintf("the picture has the strongest %d of %s (--max-edges)", size.Drawn, counted(size.Drawn+size.Dropped, what)))
	case size.Drawn > carpet:
		a.note(fmt.Sprintf("the picture has %s, which nobody can follow: %s", counted(size.Drawn, what), o.fewer(size, isGrouped)))
	}
}

// fewer are ways to draw fewer edges.
func (o *pictureOptions) fewer(size draw.Size, isGrouped bool) string {
	var ways []string
	if size.Scored || o.isCollapsed() {
		ways = append(ways, "--max-edges 100 draws the strongest")
	}
	switch {
	case o.isCollapsed():
	case isGrouped:
		ways = append(ways, "--collapse groups draws one box for each group of heads")
	default:
		ways = append(ways, "--collapse layers draws one box for the heads of a layer")
	}
	return strings.Join(ways, ", ")
}

// note says something on standard error that is no doubt about a result.
func (a *app) note(text string) { fmt.Fprintln(a.stderr, "acdc: "+text) }

// isPicture reports whether a format is one of pictures.
func isPicture(f format) bool { return slices.Contains(pictureFormats, f) }
