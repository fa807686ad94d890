package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/pagedata"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/draw/render"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// pageMore is what a command knows for a page besides the circuit.
type pageMore struct {
	command []string                                                         // the command line
	live    json.RawMessage                                                  // what an engine behind the page offers, nil for none
	trace   *pagedata.Trace                                                  // of the search, nil for none
	add     func(ctx context.Context, d *page.Data, mask circuit.Mask) error // adds what else there is; may be nil
}

// pageEnding is that of a page's file.
const pageEnding = ".html"

// hasPage reports whether a page is among files.
func hasPage(files []string) bool {
	return slices.ContainsFunc(files, func(name string) bool { return strings.EqualFold(filepath.Ext(name), pageEnding) })
}

// mostWholeEdges is up to how many edges a graph may have of which a page with a
// replay has all, so that the film shows those that are cut.
const mostWholeEdges = 3000

// pageData is a circuit as a page shows it, without what only a model can say.
func pageData(ctx context.Context, f *circuit.File, more pageMore) (*page.Data, circuit.Mask, error) {
	g, mask, scores, err := f.Circuit()
	if err != nil {
		return nil, nil, err
	}
	d, err := page.New(g, mask, scores, page.Options{Caption: captionOf(f), Groups: groupsOf(f), Idle: g.Idle(mask, f.OrphansIdle()),
		All: more.live != nil || more.trace != nil && g.NumEdges() <= mostWholeEdges})
	if err != nil {
		return nil, nil, err
	}
	d.Measured = pagedata.Measured(f)
	d.Settings = pagedata.Settings(f, append([]string{"acdc"}, more.command...), versionText())
	if d.Live = more.live; d.Live != nil {
		return d, mask, nil // any node may come in, and the grid has a place for all
	}
	return d, mask, placePage(ctx, d)
}

// placePage has Graphviz place the nodes of a page.
func placePage(ctx context.Context, d *page.Data) error {
	return d.Place(ctx, func(ctx context.Context, dot []byte) ([]byte, error) {
		var b bytes.Buffer
		err := render.Write(ctx, &b, render.SVG, dot)
		return b.Bytes(), err
	})
}

// encodePage is a circuit as a page.
func encodePage(ctx context.Context, f *circuit.File, more pageMore) ([]byte, error) {
	d, mask, err := pageData(ctx, f, more)
	if err != nil {
		return nil, err
	}
	if more.trace != nil {
		more.trace.Fill(d, f.Measured.Initial)
	} else {
		d.Lacks = append(d.Lacks, "Replay: only discover knows the course of its search.")
	}
	if more.add != nil {
		if err := more.add(ctx, d, mask); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = page.Write(ctx, &b, d)
	return b.Bytes(), err
}

// pageTokenizer opens the tokenizer of a study's model, nil if it has none, or if
// that is not to be had here: tokens are then numbers.
func pageTokenizer(ctx context.Context, in *study.Study) (task.Tokenizer, error) {
	tok, err := in.Model.Tokenizer(ctx)
	var none *zoo.NoTokenizerError
	if errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tok, nil
}

// pageRuns adds what a study's model does to a page.
func pageRuns(in *study.Study, e *patch.Experiment) func(context.Context, *page.Data, circuit.Mask) error {
	return func(ctx context.Context, d *page.Data, mask circuit.Mask) error {
		tok, err := pageTokenizer(ctx, in)
		if err != nil {
			return err
		}
		return pagedata.Runs(ctx, d, e, mask, tok)
	}
}
