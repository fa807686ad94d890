package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/stability"
)

// stabilityOptions are the flags of stability.
type stabilityOptions struct {
	subject
	report
	pictureOptions
	bootstrap study.Bootstrap
	plan      bool
}

func newStability(run func(context.Context, *stabilityOptions) error) *cobra.Command {
	o := &stabilityOptions{bootstrap: study.Bootstrap{Definition: circuit.ACDC, Drawings: 100, Seeds: 1, Confidence: 0.95}}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "stability (--task NAME | --model MODEL --data FILE | --program FILE.rasp)",
		Short: "see how far a circuit depends on its examples",
		Long: `Find the circuit of a task on its examples, and again and again on as many drawn
from them with replacement (the bootstrap), also with other seeds: how often each
edge is found, in what range its effect lies, and how alike the circuits are. In
pictures, the more often an edge is found, the darker it is. Methods that score
examples one by one score once; ACDC runs anew on the same clean and corrupted run;
masks that are learned, and whatever else, run on the drawn examples from the start.
--plan says beforehand what it takes.`,
		Example: `  acdc stability --task induction --samples 20 -o stable.svg
  acdc stability --task tracr-reverse --algorithm exact --samples 500 --seeds 3 --format csv
  acdc stability --task induction --algorithm eap-ig --plan`,
		Args: noArgs("task"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	b, fs := &o.bootstrap, cmd.Flags()
	typed(fs, &b.Drawings, "samples", fmt.Sprint(b.Drawings), "N", "drawings of the examples, for each seed", parseCount(maxSamples))
	typed(fs, &b.Seeds, "seeds", fmt.Sprint(b.Seeds), "N", "how many, from --seed on, each with prompts of its own", parseCount(maxSeeds))
	typed(fs, &b.Confidence, "confidence", fmt.Sprint(b.Confidence), "SHARE", "of the intervals of effects", parseLevel)
	fs.BoolVar(&o.plan, "plan", false, "print how many runs it would be and how long they would take, and stop")
	o.subject.flags(cmd)
	o.programFlag(cmd)
	methodFlags(cmd, &b.Method)
	choice(cmd, &b.Definition, "definition", string(b.Definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	splitFlag(fs, &b.SplitEmbed)
	o.report.flags(cmd, ".svg", ".png", ".pdf", ".dot", ".csv", ".json")
	o.pictureFlags(cmd)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.SortFlags = false
	return cmd
}

// maxSeeds bounds the seeds.
const maxSeeds = 10_000

// stability runs the command.
func (a *app) stability(ctx context.Context, o *stabilityOptions) error {
	in, err := a.opened(ctx, &o.subject, o.check, places("-o", o.files...), nil)
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	if o.plan {
		p, err := in.PlanStability(ctx, o.bootstrap)
		if err == nil {
			a.printStabilityPlan(o, in, p)
		}
		return err
	}
	if err := o.checkGroupsOf(in); err != nil {
		return err
	}
	say := a.say(&o.report)
	r, err := in.Stability(ctx, o.bootstrap, func(done, of int) {
		if tenth := max(1, of/10); done%tenth == 0 || done == of {
			say(fmt.Sprintf("%d of %d circuits", done, of))
		}
	})
	if err != nil {
		return err
	}
	var size draw.Size
	err = a.writeReport(ctx, &o.report, func(b *bytes.Buffer, ending string) error {
		switch ending {
		case ".json":
			return r.Encode(b)
		case ".csv":
			return r.WriteCSV(b)
		}
		picture, shown, err := o.draw(ctx, r, ending)
		size = shown
		b.Write(picture)
		return err
	})
	if err == nil && !o.quiet {
		a.tellSize(&o.pictureOptions, size, false)
	}
	if err == nil && o.format == tableText {
		a.print(stabilityText(r, columns(a.stdout)))
	}
	return err
}

// check refuses, before anything is read, what cannot be meant.
func (o *stabilityOptions) check() error {
	if o.bootstrap.Method.Bootstrap > 0 {
		return usagef("--bootstrap: of acdc discover; --samples says how often examples are drawn here")
	}
	return cmp.Or(o.bootstrap.Method.Check(), o.report.check(), o.checkPicture())
}

// checkGroupsOf refuses, before anything is run, to draw groups where none are known.
func (o *stabilityOptions) checkGroupsOf(in *study.Study) error {
	c := in.Config(o.bootstrap.Definition, in.Splits(o.bootstrap.SplitEmbed))
	g, err := c.Graph()
	if err != nil {
		return err
	}
	return o.checkGroups(&circuit.File{Graph: g.Info(), Run: in.Planned()})
}

// draw draws the edges that were found, the darker the more often.
func (o *stabilityOptions) draw(ctx context.Context, r *stability.Result, ending string) ([]byte, draw.Size, error) {
	g, found, frequency, effect, err := r.Picture()
	if err != nil {
		return nil, draw.Size{}, err
	}
	f := &circuit.File{Run: r.Run}
	f.SetCircuit(g, found, effect, false)
	d := o.options(draw.Options{Caption: captionOf(f), Opacity: frequency, Groups: groupsOf(f)})
	lines := []string{fmt.Sprintf("the darker an edge, the more of %d circuits have it", len(r.Circuits))}
	if r.Jaccard != nil {
		lines[0] += fmt.Sprintf("; mean Jaccard index %.3f", *r.Jaccard)
	}
	d.Caption.Lines = append(d.Caption.Lines, lines...)
	size, err := draw.SizeOf(g, found, effect, d)
	if err != nil {
		return nil, size, err
	}
	picture, err := pictureOf(ctx, format(strings.TrimPrefix(ending, ".")), g, found, effect, d)
	return picture, size, err
}

// stabilityText is what people read.
func stabilityText(r *stability.Result, width int) string {
	var sizes []int
	for _, c := range r.Circuits {
		sizes = append(sizes, c.Edges)
	}
	slices.Sort(sizes)
	found := fmt.Sprintf("%s, of %s and %s each: %d to %d edges, median %d", counted(len(sizes), "circuit"), counted(len(r.Options.Seeds), "seed"), counted(r.Options.Drawings, "drawing"),
		sizes[0], sizes[len(sizes)-1], sizes[len(sizes)/2])
	alike := "none, of a single circuit"
	if r.Jaccard != nil {
		alike = fmt.Sprintf("%.3f, the mean over all pairs; %.3f with the circuit of all examples", *r.Jaccard, *r.JaccardWhole)
	}
	rows := [][]string{{"EDGE", "FOUND", "SHARE", "EFFECT", "LOW", "HIGH", "IN THE CIRCUIT"}}
	edges := slices.Clone(r.Edges)
	slices.SortStableFunc(edges, func(a, b stability.Edge) int { return cmp.Compare(b.Found, a.Found) })
	for _, e := range edges {
		in := "no"
		if e.Kept {
			in = "yes"
		}
		rows = append(rows, []string{e.Name, grouped(e.Found), fmt.Sprintf("%.3f", e.Frequency), orDash(e.Effect), orDash(e.Low), orDash(e.High), in})
	}
	return pairLines(width, [2]string{"found", found}, [2]string{"Jaccard", alike}) + "\n" + table(rows, width)
}

// printStabilityPlan prints what it would take.
func (a *app) printStabilityPlan(o *stabilityOptions, in *study.Study, p study.StabilityPlan) {
	shared := map[stability.Sharing]string{
		stability.Scored: "the scores of the examples: the drawings of a seed cost no run",
		stability.Runs:   "the model, and for each seed the clean and the corrupted run",
		stability.Model:  "the model",
	}[p.Shares]
	seconds := func(d time.Duration) string { return duration(d.Seconds()) }
	lines(a.stdout,
		[2]string{"circuits", fmt.Sprintf("%s: %s, %s of %s", grouped(p.Circuits), counted(o.bootstrap.Seeds, "seed"), counted(o.bootstrap.Drawings, "drawing"), counted(len(in.Data.Clean), "example"))},
		[2]string{"runs", counted(p.Runs, "run") + " of the algorithm"},
		[2]string{"shared", shared},
		[2]string{"one run", fmt.Sprintf("about %s, at most %s", seconds(p.One.Likely), seconds(p.One.Most))},
		[2]string{"time", fmt.Sprintf("about %s, at most %s", seconds(p.Likely), seconds(p.Most))})
}
