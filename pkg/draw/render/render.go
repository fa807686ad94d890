// Package render turns DOT text into SVG, PNG and PDF.
//
// Graphviz lays the picture out and writes the SVG (go-graphviz, Graphviz 12 as
// WebAssembly, no cgo). PNG and PDF are painted from that SVG (svg.go, paint.go,
// pdf.go) with the Go fonts, so that all are the same picture and none depends on
// the machine's fonts; go-graphviz's own PNG leaves out opacity, does not scale
// lines and text with the resolution, and looks for fonts in the system.
//
// # Where Graphviz runs
//
// Linking this package costs a process go-graphviz's start-up before main,
// about 25 milliseconds, and half a second the first time (package cachedir
// says where the compiled code is kept, and why). Only programs that render
// should import it.
//
// The program acdc is spared that: it leaves Graphviz out, starts itself a
// second time when there is something to draw (child.go), and ends that process
// when the context ends. Every other program draws where it is.
package render

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-graphviz"

	"github.com/seed-2c350065/acdc/pkg/draw/render/internal/cachedir"
)

// This package is initialised after go-graphviz, which it imports.
func init() {
	cachedir.Restore()
	turn <- desk{}
}

// Format is a kind of picture file.
type Format string

// The formats.
const (
	SVG Format = "svg"
	PNG Format = "png"
	PDF Format = "pdf"
)

// Formats lists the valid formats.
func Formats() []Format { return []Format{SVG, PNG, PDF} }

// Write renders DOT text to w. Nothing is written before the picture is
// complete. When ctx ends, Write returns its error at once. Graphviz cannot be
// interrupted: where it runs in this process it finishes in the background, and
// the next call waits for it.
func Write(ctx context.Context, w io.Writer, f Format, dot []byte) error {
	if !slices.Contains(Formats(), f) {
		return fmt.Errorf("picture format %q is unknown: expected one of %s", f, listed(Formats()))
	}
	picture, err := layOut(ctx, dot)
	if err != nil {
		return err
	}
	switch f {
	case PNG:
		picture, err = paint(ctx, picture)
	case PDF:
		picture, err = paintPDF(ctx, picture)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(picture)
	return err
}

// Prepare makes the next Write faster where it needs another process, which
// then starts while the caller does something else. Should that fail, Write
// says why.
func Prepare() {
	if !cachedir.IsLazy() {
		return
	}
	select {
	case d := <-turn:
		if d.child == nil {
			d.child, _ = startChild()
		}
		turn <- d
	default: // it is drawing
	}
}

func listed(formats []Format) string {
	var names []string
	for _, f := range formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// turn is held by whoever uses Graphviz, which is one instance a process and
// not safe for goroutines.
var turn = make(chan desk, 1)

// desk is what goes from one who draws to the next.
type desk struct {
	child    *child // nil before there is one, and where this process draws itself
	dot, svg []byte // the last picture, which is often wanted as SVG and as PNG
}

// layOut returns the SVG of DOT text, which the caller must not change.
func layOut(ctx context.Context, dot []byte) ([]byte, error) {
	var d desk
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case d = <-turn:
	}
	if err := ctx.Err(); err != nil {
		turn <- d
		return nil, err
	}
	if d.svg != nil && bytes.Equal(d.dot, dot) {
		turn <- d
		return d.svg, nil
	}
	if cachedir.IsLazy() {
		err := d.askChild(ctx, dot)
		turn <- d
		return d.svg, err
	}
	return layOutHere(ctx, d, dot)
}

// askChild has the child lay out the picture, a new one if there is none.
func (d *desk) askChild(ctx context.Context, dot []byte) error {
	d.dot, d.svg = nil, nil
	if d.child == nil {
		c, err := startChild()
		if err != nil {
			return fmt.Errorf("graphviz: starting the process that draws: %w", err)
		}
		d.child = c
	}
	svg, isAlive, err := d.child.ask(ctx, dot)
	if !isAlive {
		d.child = nil
	}
	if err == nil {
		d.dot, d.svg = bytes.Clone(dot), svg
	}
	return err
}

// layOutHere calls Graphviz, and gives the turn back once it is done.
func layOutHere(ctx context.Context, d desk, dot []byte) ([]byte, error) {
	type answer struct {
		svg []byte
		err error
	}
	done := make(chan answer, 1)
	own := bytes.Clone(dot) // the caller's may change after ctx has ended
	go func() {
		d.dot, d.svg = nil, nil
		svg, err := graphvizSVG(own)
		if err == nil {
			d.dot, d.svg = own, svg
		}
		done <- answer{svg, err}
		turn <- d
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a := <-done:
		return a.svg, a.err
	}
}

// graphvizSVG calls Graphviz, which reports some errors by panicking.
func graphvizSVG(dot []byte) (svg []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			svg, err = nil, fmt.Errorf("graphviz: %v", r)
		}
	}()
	ctx := context.Background()
	gv, err := graphviz.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("graphviz: %w", err)
	}
	defer gv.Close()
	g, err := graphviz.ParseBytes(dot)
	if err != nil {
		return nil, fmt.Errorf("graphviz: not DOT text: %w", err)
	}
	if g == nil {
		return nil, fmt.Errorf("graphviz: not DOT text: expected digraph { … }")
	}
	defer g.Close()
	var b bytes.Buffer
	if err := gv.Render(ctx, g, graphviz.SVG, &b); err != nil {
		return nil, fmt.Errorf("graphviz: laying out the picture: %w", err)
	}
	if b.Len() == 0 {
		return nil, fmt.Errorf("graphviz: the picture is empty")
	}
	// Graphviz measures text by one name it knows; viewers get a choice.
	return bytes.ReplaceAll(b.Bytes(), []byte(`font-family="Arial"`), []byte(`font-family="Arial,Helvetica,sans-serif"`)), nil
}
