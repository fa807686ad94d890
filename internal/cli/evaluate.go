package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
	"github.com/seed-2c350065/acdc/pkg/judge/figure"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// part is what minimality takes a circuit apart into.
type part string

const (
	partEdges part = "edges"
	partNodes part = "nodes"
)

// evaluateOptions are the flags of evaluate.
type evaluateOptions struct {
	subject
	report
	circuit string
	judge   judge.Options
	parts   part
	table   judge.Table
	mib     bool
}

func newEvaluate(run func(context.Context, *evaluateOptions) error) *cobra.Command {
	o := &evaluateOptions{judge: judge.Default(), parts: partEdges, table: judge.Metrics}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "evaluate CIRCUIT.json",
		Short: "judge a circuit",
		Long: `Judge a saved circuit: every metric that the data allow, on the validation and
the test half of the task's prompts, of the full model, the circuit, its complement
and the corrupted run; faithfulness; completeness and minimality (Wang et al.
2022); and the hypothesis tests of Shi et al. 2024 against random circuits.
Completeness, minimality and tests are of the circuit's own metric, on the test
half. Model, data, metric and ablation are those that the circuit was found with,
unless others are given. --mib prints instead the row that the circuit's scores make
in the leaderboard of the MIB benchmark: CPR of circuits chosen by signed scores, and
CMD of those by absolute ones, of logit_diff under resample ablation.`,
		Example: `  acdc discover --task tracr-reverse --ablation zero -o circuit.json
  acdc evaluate circuit.json --examples 30 -o judged.svg -o judged.json
  acdc evaluate circuit.json --half test --samples 50 --format csv --table minimality
  acdc discover --task ioi --model mini --algorithm eap-ig --metric logit_diff --top 50 -o ioi.json
  acdc evaluate ioi.json --mib`,
		Args: oneArg("a circuit file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.circuit = args[0]
			if o.mib {
				if err := o.checkRow(cmd.Flags()); err != nil {
					return err
				}
			}
			return run(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	typed(fs, &o.judge.Samples, "samples", fmt.Sprint(o.judge.Samples), "N", "random circuits of each null distribution", parseCount(maxSamples))
	typed(fs, &o.judge.Permutations, "permutations", fmt.Sprint(o.judge.Permutations), "N", "of the examples, for the test of independence", parseCount(maxSamples))
	typed(fs, &o.judge.KnockOuts, "knock-outs", fmt.Sprint(o.judge.KnockOuts), "N", "sets of nodes by chance that completeness and minimality knock out", parseCount(maxKnockOuts))
	typed(fs, &o.judge.Level, "level", fmt.Sprint(o.judge.Level), "SHARE", "of the tests", parseLevel)
	choice(cmd, &o.parts, "parts", string(o.parts), "what minimality takes out", texts([]part{partEdges, partNodes}), oneOf("part", []part{partEdges, partNodes}))
	choice(cmd, &o.table, "table", string(o.table), "what CSV has", texts(judge.Tables()), oneOf("table", judge.Tables()))
	fs.BoolVar(&o.mib, "mib", false, "print the row of MIB's leaderboard that the circuit's scores make, and nothing else")
	o.subject.flags(cmd)
	o.report.flags(cmd, ".svg", ".png", ".pdf", pageEnding, ".csv", ".json")
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

// limits of what one may ask for by a slip of the finger.
const (
	maxSamples   = 1_000_000
	maxKnockOuts = 10_000
)

// parseLevel reads a number above 0 and below 1.
func parseLevel(s string) (float64, error) {
	x, err := parseNumber(s)
	if err != nil || !(x > 0 && x < 1) {
		return 0, fmt.Errorf("expected a number above 0 and below 1, found %q", s)
	}
	return x, nil
}

// evaluate runs the command.
func (a *app) evaluate(ctx context.Context, o *evaluateOptions) error {
	if o.mib {
		return a.leaderboard(ctx, o)
	}
	outputs := places("-o", o.files...)
	if err := cmp.Or(o.check(), a.clash(outputs, append(inputs(o.spec, nil), a.circuitPlace(o.circuit)...))); err != nil {
		return err
	}
	f, err := a.readCircuit(ctx, o.circuit)
	if err != nil {
		return err
	}
	in, err := o.spec.OpenLike(ctx, o.circuit, f, o.threads)
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	if err := a.clash(outputs, inputs(in.Spec, in.Model)); err != nil {
		return err
	}
	a.warn(append(in.Model.Warnings, in.Changed...))
	metrics := in.Metrics()
	if o.spec.Metric != "" {
		metrics = metrics[:1]
	}
	o.judge.Seed, o.judge.Nodes, o.judge.Groups = in.Spec.RandomSeed(), o.parts == partNodes, namedNodes(f)
	found, err := in.Judge(ctx, f, o.spec.Half, metrics, o.judge, a.say(&o.report))
	if err != nil {
		return err
	}
	err = a.writeReport(ctx, &o.report, func(b *bytes.Buffer, ending string) error {
		switch ending {
		case ".json":
			return found.Encode(b)
		case ".csv":
			return found.WriteCSV(b, o.table)
		case pageEnding:
			return a.writeJudgedPage(ctx, b, in, f, judgedTables(found, metrics))
		}
		return figure.Write(ctx, b, found, plotstyle.Format(strings.TrimPrefix(ending, ".")))
	})
	if err == nil && o.format == tableText {
		a.print(tables(judgedTables(found, metrics), columns(a.stdout)))
	}
	return err
}

// namedNodes are the groups of a circuit's nodes that its task's paper names, nil
// if there are none.
func namedNodes(f *circuit.File) []judge.NamedNodes {
	by := map[string][]circuit.Node{}
	for n, g := range groupsOf(f) {
		by[g.Name] = append(by[g.Name], n)
	}
	var out []judge.NamedNodes
	for name, nodes := range by {
		slices.SortFunc(nodes, func(a, b circuit.Node) int { return cmp.Or(a.Layer-b.Layer, a.Head-b.Head, int(a.Kind)-int(b.Kind)) })
		out = append(out, judge.NamedNodes{Name: name, Nodes: nodes})
	}
	return out
}

// judgedTables are what people read.
func judgedTables(f *judge.File, metrics []metric.Name) [][][]string {
	of := func(data string, run judge.RunName, name metric.Name) judge.Run {
		for _, m := range f.Measurements {
			if m.Data == data && m.Metric == name {
				return m.Runs[slices.Index(judge.RunNames(), run)]
			}
		}
		return judge.Run{}
	}
	own, datas := metric.Name(f.Run.Metric), []string{}
	for _, m := range f.Measurements {
		if !slices.Contains(datas, m.Data) {
			datas = append(datas, m.Data)
		}
	}
	means := [][]string{append([]string{"DATA", "RUN", "EDGES", "FAITHFULNESS"}, texts(metrics)...)}
	spread := [][]string{{"DATA", strings.ToUpper(string(own)) + " OF EXAMPLES", "LEAST", "5%", "25%", "MEDIAN", "75%", "95%", "MOST"}}
	for _, data := range datas {
		for _, run := range judge.RunNames() {
			r := of(data, run, own)
			line, quantiles := []string{data, string(run), grouped(r.Edges), orDash(r.Faithfulness)}, []string{data, string(run)}
			for _, name := range metrics {
				line = append(line, number(of(data, run, name).Mean))
			}
			for _, q := range r.Quantiles {
				quantiles = append(quantiles, number(q))
			}
			means, spread = append(means, line), append(spread, quantiles)
		}
	}
	return append(append([][][]string{means, spread}, knockedTables(f)...), testsTable(f))
}

// knockedTables say how wide the gap is under each kind of knock-outs, and which
// parts add the least.
func knockedTables(f *judge.File) [][][]string {
	rows := [][]string{{"KNOCKED OUT", "SETS", "WIDEST GAP", "MODEL", "CIRCUIT", "NODES"}}
	for _, kind := range []judge.Kind{judge.None, judge.Single, judge.Group, judge.Chance, judge.Greedy} {
		n, widest := 0, judge.KnockOut{Gap: -1}
		for _, k := range f.Completeness.KnockOuts {
			if k.Kind == kind {
				if n++; k.Gap > widest.Gap {
					widest = k
				}
			}
		}
		if n > 0 {
			rows = append(rows, []string{string(kind), grouped(n), number(widest.Gap), number(widest.Model), number(widest.Circuit), cmp.Or(strings.Join(widest.Nodes, " "), "–")})
		}
	}
	const shown = 5
	parts := slices.Clone(f.Minimality)
	slices.SortStableFunc(parts, func(a, b judge.Part) int { return cmp.Compare(a.Square, b.Square) })
	least := [][]string{{"ADDS LEAST", "WITHOUT IT", "AT MOST", "UNDER"}}
	for _, p := range parts[:min(shown, len(parts))] {
		least = append(least, []string{p.Name, fmt.Sprintf("%+.4g", p.Effect), number(p.Most), cmp.Or(p.Under, "–")})
	}
	if len(least) == 1 {
		return [][][]string{rows}
	}
	return [][][]string{rows, least}
}

// testsTable says what the hypothesis tests say.
func testsTable(f *judge.File) [][]string {
	rows := [][]string{{"TEST", "OUTCOME", "P", "STATISTIC", "NULL HYPOTHESIS"}}
	for _, t := range f.Tests {
		null := t.Null
		if t.Note != "" {
			null += " (" + t.Note + ")"
		}
		rows = append(rows, []string{string(t.Name), string(t.Outcome), orDash(t.P), number(t.Statistic), null})
	}
	return rows
}

// orDash writes a number, or a dash where there is none.
func orDash(x *float64) string {
	if x == nil {
		return "–"
	}
	return number(*x)
}
