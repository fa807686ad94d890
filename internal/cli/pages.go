package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/pagedata"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/compare"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// studyPage adds what a study's model does, of whom no experiment is bound yet.
func studyPage(in *study.Study, g *circuit.Graph) func(context.Context, *page.Data, circuit.Mask) error {
	return func(ctx context.Context, d *page.Data, mask circuit.Mask) error {
		e, err := patch.Bind(ctx, in.Config(g.Config().Definition, g.Config().SplitEmbed))
		if err != nil {
			return err
		}
		return pageRuns(in, e)(ctx, d, mask)
	}
}

// openPage opens model and data of a file for its page, which without them says
// why it lacks them. The function that it returns closes them.
func (o *renderOptions) openPage(ctx context.Context, f *circuit.File) (closed func()) {
	in, err := study.Spec{}.OpenLike(ctx, o.circuit, f, 0)
	if err != nil {
		o.page.add = func(ctx context.Context, d *page.Data, _ circuit.Mask) error {
			d.Lacks = append(d.Lacks, "Prompts, predictions, attention and contributions: "+oneline.Plain(err.Error())+". acdc run --circuit FILE --model … --data … -o FILE.html writes a page with those that it is given.")
			return ctx.Err()
		}
		return func() {}
	}
	o.page.add = func(ctx context.Context, d *page.Data, mask circuit.Mask) error {
		for _, w := range in.Changed {
			d.Settings = append(d.Settings, page.Setting{Name: "warning", Value: w})
		}
		g, _, _, err := f.Circuit()
		if err != nil {
			return err
		}
		return studyPage(in, g)(ctx, d, mask)
	}
	return func() { _ = in.Close() } // read only: nothing can be lost
}

// command is the command line, for a page's settings.
func (a *app) command() []page.Setting {
	return []page.Setting{{Name: "page written by", Value: pagedata.Shell(append([]string{"acdc"}, a.args...))}, {Name: "version", Value: versionText()}}
}

// encodeSweepPage is a page of the circuits of a sweep.
func (a *app) encodeSweepPage(ctx context.Context, files []*circuit.File) ([]byte, error) {
	d, err := pagedata.Sweep(files)
	if err != nil {
		return nil, err
	}
	d.Settings = append(a.command(), pagedata.Shared(files)...)
	return placedPage(ctx, d)
}

// encodeTwoPage is a page of two circuits, whose edges are told by which has them.
func (a *app) encodeTwoPage(ctx context.Context, g *circuit.Graph, list []compare.Circuit, union circuit.Mask, o page.Options) ([]byte, error) {
	d, err := page.New(g, union, nil, o)
	if err != nil {
		return nil, err
	}
	d.Settings = a.command()
	d.Tables = pageTables(comparisonTables(compare.NewReport(g, list)), "Edges and nodes in common", "Ranks of scores")
	d.Lacks = []string{"Prompts and replay: of one circuit alone; discover, run and render write pages with them."}
	return placedPage(ctx, d)
}

// writeJudgedPage writes the page of a circuit that was judged, with the tables.
func (a *app) writeJudgedPage(ctx context.Context, b *bytes.Buffer, in *study.Study, f *circuit.File, judged [][][]string) error {
	g, _, _, err := f.Circuit()
	if err != nil {
		return err
	}
	more := pageMore{command: a.args, add: func(ctx context.Context, d *page.Data, mask circuit.Mask) error {
		d.Tables = pageTables(judged, "Metrics", "Metric of single examples", "Completeness", "Minimality", "Tests")
		return studyPage(in, g)(ctx, d, mask)
	}}
	text, err := encodePage(ctx, f, more)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	_, err = b.Write(text)
	return err
}

// pageTables are the tables that a command prints, each with a title; where there
// is one fewer than titles, as of a circuit of which nothing is taken out, the last
// but one has none.
func pageTables(list [][][]string, titles ...string) (out []page.Table) {
	for i, rows := range list {
		title := titles[i]
		if i == len(list)-1 {
			title = titles[len(titles)-1]
		}
		out = append(out, page.Table{Title: title, Rows: rows})
	}
	return out
}

// placedPage has the nodes of a page placed, and encodes it.
func placedPage(ctx context.Context, d *page.Data) ([]byte, error) {
	if err := placePage(ctx, d); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := page.Write(ctx, &b, d)
	return b.Bytes(), err
}
