// Package programs holds the RASP programs that come with the project, each a
// file NAME.rasp that says what it computes.
package programs

import (
	"context"
	"embed"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
)

//go:embed *.rasp
var files embed.FS

const ending = ".rasp"

// Names lists the programs, sorted.
func Names() (names []string) {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ending))
	}
	return names
}

// Source is the text of a program. An unknown name is an error that lists the
// known ones.
func Source(name string) (string, error) {
	if _, err := choice.Find("program", name, Names(), func(s string) string { return s }); err != nil {
		return "", err
	}
	source, err := files.ReadFile(name + ending)
	return string(source), err
}

// Parse reads a program.
func Parse(name string) (*text.File, error) {
	source, err := Source(name)
	if err != nil {
		return nil, err
	}
	return text.Parse(name+ending, source)
}

// maxFile bounds a file with a program, in bytes.
const maxFile = 1 << 20

// ReadFile reads a program from a file, and returns its text too.
func ReadFile(ctx context.Context, name string) (*text.File, string, error) {
	source, err := jsonfile.ReadFile(ctx, name, "a program", maxFile)
	if err != nil {
		return nil, "", err
	}
	f, err := text.Parse(name, string(source))
	return f, string(source), err
}

// IsFile reports whether a name is that of a file with a program.
func IsFile(name string) bool { return strings.EqualFold(filepath.Ext(name), ending) }
