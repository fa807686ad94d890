package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	choices "github.com/seed-2c350065/acdc/internal/choice"
)

// value is a flag whose text is read by parse, the errors of which are shown
// as they are.
type value[T any] struct {
	into  *T
	text  string // as given, or as help shows the default
	kind  string // what help calls the value
	parse func(string) (T, error)
}

func (v *value[T]) Set(s string) error {
	x, err := v.parse(s)
	if err != nil {
		return err
	}
	*v.into, v.text = x, s
	return nil
}

func (v *value[T]) String() string { return v.text }
func (v *value[T]) Type() string   { return v.kind }
func (v *value[T]) explains()      {}

// typed adds a flag that parse reads.
func typed[T any](fs *pflag.FlagSet, into *T, name, shown, kind, usage string, parse func(string) (T, error)) {
	if shown == "0" { // which the parser takes for none
		usage += " (default 0)"
	}
	fs.Var(&value[T]{into: into, text: shown, kind: kind, parse: parse}, name, usage)
}

// filled is a flag that may be repeated, but not be empty.
type filled struct {
	pflag.Value
	pflag.SliceValue
	what string
}

func (v filled) Set(s string) error {
	if s == "" {
		return fmt.Errorf("expected %s, found nothing", v.what)
	}
	return v.Value.Set(s)
}

func (v filled) explains() {}

// repeated adds a flag that may be repeated.
func repeated(fs *pflag.FlagSet, into *[]string, name, what, usage string) {
	fs.StringArrayVar(into, name, nil, usage+"; may be repeated")
	f := fs.Lookup(name)
	f.Value, f.DefValue = filled{f.Value, f.Value.(pflag.SliceValue), what}, ""
}

// choice adds a flag with a list of valid values: help lists them, completion
// offers them, and an error names the closest.
func choice[T any](cmd *cobra.Command, into *T, name, shown, usage string, valid []string, parse func(string) (T, error)) {
	typed(cmd.Flags(), into, name, shown, "NAME", usage+": "+strings.Join(valid, ", "), func(s string) (T, error) {
		x, err := parse(s)
		if err != nil {
			return x, fmt.Errorf("%w%s", err, suggestion(s, valid))
		}
		return x, nil
	})
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(valid, cobra.ShellCompDirectiveNoFileComp))
}

// texts turns typed names into strings.
func texts[T ~string](names []T) []string { return choices.Texts(names) }

// oneOf reads one of a list of names.
func oneOf[T ~string](what string, names []T) func(string) (T, error) {
	return func(s string) (T, error) { return choices.Parse(what, s, names) }
}

// parseThreshold reads a number of at least 0.
func parseThreshold(s string) (float64, error) {
	x, err := parseNumber(s)
	if err != nil || !(x >= 0) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("expected a number of at least 0, found %q", s)
	}
	return x, nil
}

// parseCount reads a whole number from 1 to limit.
func parseCount(limit int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > limit {
			return 0, fmt.Errorf("expected a whole number from 1 to %d, found %q", limit, s)
		}
		return n, nil
	}
}

// parseSeed reads a seed.
func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number from 0 to 2^64-1, found %q", s)
	}
	return n, nil
}

// parseText reads any text but none.
func parseText(what string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", fmt.Errorf("expected %s, found nothing", what)
		}
		return s, nil
	}
}
