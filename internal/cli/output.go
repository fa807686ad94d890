package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/draw/render"
)

// format is a way to write a circuit.
type format string

const (
	formatDOT   format = "dot"
	formatJSON  format = "json"
	formatEdges format = "edges" // sender, receiver and score, a tab between, one edge a line
	formatSVG   format = "svg"
	formatPNG   format = "png"
	formatPDF   format = "pdf"
	formatHTML  format = "html" // a page to look at in a browser
)

// formats are those that standard output may carry, endings those of files.
var (
	formats = []format{formatDOT, formatJSON, formatEdges}
	endings = []format{formatDOT, formatSVG, formatPNG, formatPDF, formatHTML, formatJSON}
	// pictureFormats are those that render makes.
	pictureFormats = []format{formatSVG, formatPNG, formatPDF}
)

// outputs are the places that a circuit is written to.
type outputs struct {
	files  []string // -o
	format format   // --format, empty if not given
	color  draw.ColorBy
	pictureOptions
	// dropIdle leaves out the edges that carry nothing, everywhere.
	dropIdle bool
	silent   bool     // nothing is said of pictures
	page     pageMore // what the command knows for a page
}

func (o *outputs) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` to write, by its ending "+endingsText()+"; - is standard output; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(texts(endings), cobra.ShellCompDirectiveFilterFileExt))
	choice(cmd, &o.format, "format", "", "what standard output carries, default dot, or nothing with -o", texts(formats), oneOf("format", formats))
	choice(cmd, &o.color, "color", "", "what the colour of a drawn edge means, default auto", texts(draw.ColorBys()), oneOf("colour", draw.ColorBys()))
	o.pictureFlags(cmd)
	idleFlag(cmd, &o.dropIdle)
}

func idleFlag(cmd *cobra.Command, drop *bool) {
	cmd.Flags().BoolVar(drop, "drop-idle", false, "leave out kept edges that carry nothing; does not change the metric")
}

// check refuses, before anything is computed, what cannot be written in the
// end.
func (o *outputs) check() error {
	if err := o.checkPicture(); err != nil {
		return err
	}
	return checkFiles(o.files, func(name string) error {
		_, err := ending(name)
		return err
	})
}

// checkEndings is checkFiles for files that end in one of some endings.
func checkEndings(files, endings []string) error {
	return checkFiles(files, func(name string) error {
		if !slices.Contains(endings, strings.ToLower(filepath.Ext(name))) {
			return usagef("-o %q: expected a file that ends in %s", name, strings.Join(endings, ", "))
		}
		return nil
	})
}

// checkFiles refuses files after -o whose endings are refused, that are one, or
// that cannot be written.
func checkFiles(files []string, checkEnding func(name string) error) error {
	seen := map[string]bool{}
	for _, f := range files {
		if err := checkEnding(f); err != nil {
			return err
		}
		if seen[filepath.Clean(f)] {
			return usagef("-o %s: expected different files, found it twice", f)
		}
		seen[filepath.Clean(f)] = true
	}
	for _, f := range files {
		if f == "-" {
			continue
		}
		if err := atomicfile.Check(f); err != nil {
			return err
		}
	}
	return nil
}

// ending is the format of a file by its name.
func ending(name string) (format, error) {
	if name == "-" {
		return "", nil
	}
	for _, f := range endings {
		if strings.EqualFold(filepath.Ext(name), "."+string(f)) {
			return f, nil
		}
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return "", fmt.Errorf("%s: a file expected, found a directory", name)
	}
	return "", usagef("-o %q: expected a file that ends in %s, or -", name, endingsText())
}

// endingsText lists what a circuit's file may end in.
func endingsText() string { return "." + strings.Join(texts(endings), ", .") }

// prepare makes ready to draw, if a picture is wanted.
func (o *outputs) prepare() {
	for _, f := range o.files {
		if kind, err := ending(f); err == nil && (isPicture(kind) || kind == formatHTML) {
			render.Prepare()
			return
		}
	}
}

// stdout is the format of standard output, empty if it stays empty.
func (o *outputs) stdout() format {
	wanted := len(o.files) == 0
	for _, f := range o.files {
		wanted = wanted || f == "-"
	}
	if o.format == "" && wanted {
		return formatDOT
	}
	return o.format
}

// writes reports whether a circuit goes anywhere in a format.
func (o *outputs) writes(kind format) bool {
	return o.stdout() == kind || slices.ContainsFunc(o.files, func(name string) bool {
		own, err := ending(name)
		return err == nil && own == kind
	})
}

// draws reports whether a circuit is drawn anywhere.
func (o *outputs) draws() bool {
	return o.writes(formatDOT) || slices.ContainsFunc(pictureFormats, o.writes)
}

// write writes a circuit to all places, standard output last. Everything is
// encoded before anything is written. With dropIdle the circuit is without its
// idle edges afterwards.
func (a *app) write(ctx context.Context, o *outputs, f *circuit.File) error {
	o.page.command = a.args
	if o.dropIdle {
		if _, err := f.DropIdle(); err != nil {
			return err
		}
	}
	if err := o.checkGroups(f); err != nil && o.draws() {
		return err
	}
	type page struct {
		file string
		text []byte
	}
	var pages []page
	for _, name := range o.files {
		kind, err := ending(name)
		if err != nil {
			return err
		}
		if name == "-" {
			continue
		}
		text, err := o.encode(ctx, f, kind)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pages = append(pages, page{name, text})
	}
	var last []byte
	if kind := o.stdout(); kind != "" {
		var err error
		if last, err = o.encode(ctx, f, kind); err != nil {
			return err
		}
	}
	for _, p := range pages {
		if err := a.writeFile(ctx, p.file, p.text); err != nil {
			return err
		}
	}
	_, _ = a.stdout.Write(last) // an error is kept
	if a.stdout.err != nil || !o.draws() || o.silent {
		return a.stdout.err
	}
	return a.tellSizeOf(o, f)
}

// tellSizeOf says what the pictures of a circuit leave out.
func (a *app) tellSizeOf(o *outputs, f *circuit.File) error {
	g, mask, scores, err := f.Circuit()
	if err != nil {
		return err
	}
	d := o.drawing(f, nil)
	size, err := draw.SizeOf(g, mask, scores, d)
	if err == nil {
		a.tellSize(&o.pictureOptions, size, d.Groups != nil)
	}
	return err
}

// drawing is how a circuit is drawn.
func (o *outputs) drawing(f *circuit.File, idle circuit.Mask) draw.Options {
	return o.options(draw.Options{Caption: captionOf(f), Color: o.color, Groups: groupsOf(f), Idle: idle})
}

// writeFile writes one file unless the command was interrupted.
func (a *app) writeFile(ctx context.Context, name string, text []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return atomicfile.WriteFile(ctx, name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// encode is a circuit in a format.
func (o *outputs) encode(ctx context.Context, f *circuit.File, kind format) ([]byte, error) {
	var b bytes.Buffer
	switch kind {
	case formatJSON:
		err := f.Encode(&b)
		return b.Bytes(), err
	case formatEdges:
		_, err := f.EncodeAs(&b, circuit.EdgeList) // that others are left out is known
		return b.Bytes(), err
	case formatHTML:
		return encodePage(ctx, f, o.page)
	}
	g, mask, scores, err := f.Circuit()
	if err != nil {
		return nil, err
	}
	return pictureOf(ctx, kind, g, mask, scores, o.drawing(f, g.Idle(mask, f.OrphansIdle())))
}
