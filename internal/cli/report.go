package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// tableFormat is how a command prints what it found.
type tableFormat string

const (
	tableText tableFormat = "table"
	tableCSV  tableFormat = "csv"
	tableJSON tableFormat = "json"
)

var tableFormats = []tableFormat{tableText, tableCSV, tableJSON}

// report is where a result goes that is a table, a file and a picture.
type report struct {
	files   []string
	endings []string // that files may have
	format  tableFormat
	quiet   bool
}

func (r *report) flags(cmd *cobra.Command, endings ...string) {
	r.format, r.endings = tableText, endings
	fs := cmd.Flags()
	fs.StringArrayVarP(&r.files, "output", "o", nil, "`FILE` to write, by its ending "+strings.Join(r.endings, ", ")+"; may be repeated")
	choice(cmd, &r.format, "format", string(r.format), "what standard output carries", texts(tableFormats), oneOf("format", tableFormats))
	fs.BoolVar(&r.quiet, "quiet", false, "do not say on standard error what is being done")
}

// check refuses, before anything is computed, what cannot be written in the end.
func (r *report) check() error {
	return checkEndings(r.files, r.endings)
}

// writeReport writes the files of a report, each encoded by its ending, before
// anything is printed.
func (a *app) writeReport(ctx context.Context, r *report, encode func(b *bytes.Buffer, ending string) error) error {
	pages := make([][]byte, len(r.files))
	for i, name := range r.files {
		var b bytes.Buffer
		if err := encode(&b, strings.ToLower(filepath.Ext(name))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pages[i] = b.Bytes()
	}
	var printed bytes.Buffer
	if r.format != tableText {
		if err := encode(&printed, "."+string(r.format)); err != nil {
			return err
		}
	}
	for i, name := range r.files {
		if err := a.writeFile(ctx, name, pages[i]); err != nil {
			return err
		}
	}
	a.print(printed.String())
	return nil
}

// say tells on standard error what is being done.
func (a *app) say(r *report) func(what string) {
	return func(what string) {
		if !r.quiet {
			fmt.Fprintln(a.stderr, "acdc: "+what)
		}
	}
}
