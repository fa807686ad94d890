package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/internal/track"
)

// trackEndings are those of the files that steps are written to.
func trackEndings() []string {
	var out []string
	for _, f := range tablefile.Formats() {
		out = append(out, "."+string(f))
	}
	return out
}

// trackFlag is the flag of commands that go step by step.
func trackFlag(fs *pflag.FlagSet, into *[]string, of string) {
	repeated(fs, into, "track", "a file", "write loss, sparsity and metric of every step "+of+" to `FILE`, by its ending "+strings.Join(trackEndings(), ", "))
}

// checkTracks refuses files that steps cannot be written to.
func checkTracks(files []string) error {
	for _, name := range files {
		if !slices.Contains(trackEndings(), strings.ToLower(filepath.Ext(name))) {
			return usagef("--track %q: expected a file that ends in %s", name, strings.Join(trackEndings(), ", "))
		}
		if err := atomicfile.Check(name); err != nil {
			return err
		}
	}
	return nil
}

// writeTracks writes steps to files.
func (a *app) writeTracks(ctx context.Context, files []string, steps []track.Step) error {
	for _, name := range files {
		text, err := tablefile.Encode(steps, tablefile.Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := a.writeFile(ctx, name, text); err != nil {
			return err
		}
	}
	return nil
}
