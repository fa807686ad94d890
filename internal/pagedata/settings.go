package pagedata

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// Settings lists everything that made a circuit, as its file says it, behind the
// command line and the version of the program that wrote the page.
func Settings(f *circuit.File, command []string, version string) []page.Setting {
	var out []page.Setting
	add := func(name, value string) {
		if value != "" {
			out = append(out, page.Setting{Name: name, Value: value})
		}
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	add("page written by", Shell(command))
	add("version", version)
	add("task", f.Task)
	add("data", f.Data)
	add("half", f.Half)
	add("variant", f.Variant)
	add("examples", whole(f.Examples))
	add("seed", strconv.FormatUint(f.Seed, 10))
	if f.BOS != nil {
		add("start token", strconv.FormatBool(*f.BOS))
	}
	add("prompts' SHA-256", f.PromptsDigest)
	add("model", f.Model)
	add("weights' SHA-256", f.WeightsDigest)
	add("processing", strings.Join(f.Processing, ", "))
	if f.ResetWeights != nil {
		add("weights shuffled by", strconv.FormatUint(*f.ResetWeights, 10))
	}
	add("metric", f.Metric)
	add("ablation", f.Ablation)
	add("algorithm", f.Algorithm)
	add("order", f.Order)
	if f.Threshold != 0 {
		add("threshold τ", number(f.Threshold))
	}
	if f.AbsoluteValue {
		add("effects count", "by their size")
	}
	add("options", string(f.Options))
	if s := f.Selection; s != nil {
		add("edges chosen by", fmt.Sprintf("%s, %d edges", s.Rule, s.Edges))
	}
	add("graph", fmt.Sprintf("%s, %v", f.Graph.Definition, circuit.Config(f.Graph)))
	add("edges", fmt.Sprintf("%d of %d", f.EdgesKept, f.EdgesTotal))
	if f.Measured.Idle > 0 {
		add("edges that carry nothing", whole(f.Measured.Idle))
	}
	if Measured(f) != nil {
		add("metric of the full model", number(f.Measured.Initial))
		add("metric of the circuit", number(f.Measured.Final))
		add("metric of the corrupted run", number(f.Measured.Corrupted))
	}
	if c := f.Measured.Cost; c != nil {
		add("cost", fmt.Sprintf("%d tests, %d nodes, %d floating-point operations, %s forward passes", c.Tests, c.Nodes, c.FLOP, number(c.ForwardPasses)))
	}
	for _, w := range f.Measured.Warnings {
		add("warning", w)
	}
	return out
}

// Shared lists what all of some circuits have in common.
func Shared(files []*circuit.File) (out []page.Setting) {
	for i, f := range files {
		own := Settings(f, nil, "")
		if i == 0 {
			out = own
		}
		out = slices.DeleteFunc(out, func(s page.Setting) bool { return !slices.Contains(own, s) })
	}
	return out
}

// whole is a whole number, "" for 0.
func whole(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Measured is what a file was measured as, nil if it was not.
func Measured(f *circuit.File) *page.Measured {
	m := f.Measured
	if m.Initial == 0 && m.Final == 0 && m.Corrupted == 0 {
		return nil
	}
	return &page.Measured{Metric: f.Metric, Full: jsonfile.Finite(m.Initial), Circuit: jsonfile.Finite(m.Final), Corrupted: jsonfile.Finite(m.Corrupted)}
}

// Shell writes a command line so that a shell reads the same words.
func Shell(args []string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,"
	var words []string
	for _, s := range args {
		if s == "" || strings.Trim(s, plain) != "" {
			s = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
		words = append(words, s)
	}
	return strings.Join(words, " ")
}
