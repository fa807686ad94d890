package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/discover/ensemble"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// gridOptions are the flags that say what a sweep varies.
type gridOptions struct {
	grid    sweep.Grid
	threads int
}

func (o *gridOptions) flags(cmd *cobra.Command) {
	o.grid.Algorithms, o.grid.Definition, o.threads = study.Algorithms()[:1], circuit.ACDC, defaultThreads()
	g, fs := &o.grid, cmd.Flags()
	choice(cmd, &g.Tasks, "task", "", "a list of tasks; each brings model, data, metric, threshold and ablation", taskNames(), listOf("tasks", oneOf("task", taskNames())))
	typed(fs, &g.Spec.Data, "data", "", "FILE", "clean and corrupt prompts, as of discover", parseText("a file or random:BxT"))
	typed(fs, &g.TestData, "test-data", "", "FILE", "other prompts, to test what was found with --data on; those of a task are its other half", parseText("a file or random:BxT"))
	choice(cmd, &g.Metrics, "metric", "", "a list of what is measured, default the task's or kl_div", texts(metric.Names()), listOf("metrics", metric.ParseName))
	choice(cmd, &g.Ablations, "ablation", "", "a list of what cut edges carry, default the task's or resample", texts(ablate.Ablations()), listOf("ablations", ablate.Parse))
	typed(fs, &g.Seeds, "seed", "", "LIST", "a list of seeds of everything that is random (default 0)", listOf("seeds", parseSeed))
	typed(fs, &g.Spec.Examples, "examples", "", "N", "prompts to use, default all of a file or the task's number", parseCount(maxExamples))
	choice(cmd, &g.Spec.Variant, "variant", "", "of a task's prompts, default the first", variantNames(), parseText("a variant"))
	bosFlags(cmd, &g.Spec)
	modelFlags(cmd, &g.Spec)
	choice(cmd, &g.Algorithms, "algorithm", g.Algorithms[0], "a list of methods", study.Algorithms(), listOf("methods", study.ParseAlgorithm))
	typed(fs, &g.Thresholds, "thresholds", "", "LIST", "ACDC's, as 0.01,0.03 or log:FROM:TO:N; default 21 from a thousandth of the task's to ten times", parseThresholds)
	typed(fs, &g.Sizes, "sizes", "", "LIST", "how many edges scores choose, as 10,30 or log:FROM:TO:N; default as many as thresholds, from 1 to all", parseSizes)
	o.methodFlags(cmd)
	choice(cmd, &g.Definition, "definition", string(g.Definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	splitFlag(fs, &g.SplitEmbed)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
}

// methodFlags are options of methods, each of those that have it.
func (o *gridOptions) methodFlags(cmd *cobra.Command) {
	fs, m := cmd.Flags(), &o.grid.Method
	fs.BoolVar(&m.Absolute, "abs", false, "ACDC compares the absolute value of the rise, and scores count by their size")
	choice(cmd, &m.Rule, "select", "", "how scores choose, default top, or greedy for ifr", texts(sizeRules()), oneOf("rule", sizeRules()))
	choice(cmd, &m.Norm, "norm", string(ensemble.Rank), "how an ensemble's scores are made comparable", texts(ensemble.Norms()), oneOf("norm", ensemble.Norms()))
	typed(fs, &m.Steps, "steps", "", "N", "those of EAP-IG and of masks that are learned", parseCount(maxSteps))
	typed(fs, &m.Rate, "rate", "", "NUMBER", "the learning rate of masks", optional(parseRate))
	typed(fs, &m.Lambda, "lambda", "", "NUMBER", "what an open mask costs, of sp and ugs", optional(parseLambda))
	choice(cmd, &m.Init, "init", "", "whose scores edge pruning begins with", study.Screeners(), study.ParseScreener)
	fs.BoolVar(&m.FixedPattern, "fixed-pattern", false, "RelP takes attention weights as constants as well")
	fs.BoolVar(&m.PreNorm, "prenorm", false, "scores by gradients leave out the norm behind attention, as EAP-IG's own do")
	choice(cmd, &m.Order, "order", string(acdc.Normal), "in which ACDC tests a receiver's senders", texts(acdc.Orders()), acdc.ParseOrder)
}

// sizeRules are the rules that choose a number of edges.
func sizeRules() []circuit.Rule {
	return slices.DeleteFunc(circuit.Rules(), func(r circuit.Rule) bool { return r == circuit.Threshold })
}

// check refuses axes that do not go together.
func (o *gridOptions) check() error {
	g := &o.grid
	switch {
	case g.Spec.Data != "" && len(g.Tasks) > 1:
		return usagef("--data with %d tasks: expected one, or none", len(g.Tasks))
	case g.Spec.Data == "" && g.TestData != "":
		return usagef("--test-data: expected --data, whose test it is; a task has test prompts of its own")
	case len(g.Tasks) == 0 && g.Spec.Data == "":
		return usagef("expected --task LIST, or --model and --data together")
	}
	_, err := g.Method.Each(g.Algorithms)
	return err
}

// inputs are the files that are read.
func (o *gridOptions) inputs() []place {
	return append(inputs(o.grid.Spec, nil), places("--test-data", study.DataFile(o.grid.TestData)...)...)
}

// listOf reads values with commas between them, no two the same.
func listOf[T comparable](what string, one func(string) (T, error)) func(string) ([]T, error) {
	return func(s string) ([]T, error) {
		var out []T
		for part := range strings.SplitSeq(s, ",") {
			x, err := one(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			if slices.Contains(out, x) {
				return nil, fmt.Errorf("expected different %s, found %v twice", what, x)
			}
			out = append(out, x)
		}
		return out, nil
	}
}

// parseThresholds reads thresholds, ascending.
func parseThresholds(s string) ([]float64, error) { return sweep.ParseValues(s, parseThreshold) }

// parseSizes reads numbers of edges, ascending.
func parseSizes(s string) ([]int, error) {
	sizes, err := sweep.ParseValues(s, func(s string) (float64, error) {
		n, err := parseCount(math.MaxInt32)(s)
		return float64(n), err
	})
	var out []int
	for _, x := range sizes {
		out = append(out, int(math.Round(x)))
	}
	return slices.Compact(out), err
}
