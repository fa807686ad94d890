package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/pagedata"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/track"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// discoverOptions are the flags of discover.
type discoverOptions struct {
	subject
	outputs
	method     study.Method
	definition circuit.Definition
	splitEmbed *bool // nil for the task's own
	allEdges   bool
	trace      string
	tracks     []string
	checkpoint string
	memory     int64 // bytes, 0 for no limit
	plan       bool
	quiet      bool
	verbose    bool
	live       bool // the circuit is looked at as soon as it is found
}

func newDiscover(a *app, run func(context.Context, *discoverOptions) error) *cobra.Command {
	o := &discoverOptions{definition: circuit.ACDC}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "discover (--task NAME | --model MODEL --data FILE | --program FILE.rasp)",
		Short: "find the circuit of a task",
		Long: `Find the circuit of a task. ACDC, the default, walks the model from its output
to its input, cuts one edge after the other, and leaves an edge cut if the
metric rises by less than the threshold. Other algorithms give every edge a
score, by which edges are chosen; those that lead nowhere are left out. The
circuit is printed as DOT, or written to files.`,
		Example: `  acdc discover --task induction
  acdc discover --task induction --threshold 0.1 -o circuit.svg -o circuit.json
  acdc discover --task induction --format edges --quiet
  acdc discover --task induction --algorithm exact --top 20 -o circuit.json
  acdc discover --model random:2x4x64x256x100 --data random:8x10 --threshold 0.01 --format json`,
		Args: noArgs("task"),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.subject.flags(cmd)
	o.programFlag(cmd)
	o.flags(cmd)
	o.outputs.flags(cmd)
	cmd.Flags().SortFlags = false
	return cmd
}

func (o *discoverOptions) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	methodFlags(cmd, &o.method)
	choice(cmd, &o.definition, "definition", string(o.definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	splitFlag(fs, &o.splitEmbed)
	fs.BoolVar(&o.allEdges, "all-edges", false, "list in JSON also the edges that were tested and cut")
	typed(fs, &o.trace, "trace", "", "FILE", "write every test, or step of masks that are learned, as a line of JSON", parseText("a file"))
	trackFlag(fs, &o.tracks, "of masks that are learned")
	typed(fs, &o.checkpoint, "checkpoint", "", "FILE", "save the state there as the run goes; the same command again continues it", parseText("a file"))
	fs.BoolVar(&o.plan, "plan", false, "print edges, tests, memory and time that the run would take, and stop")
	typed(fs, &o.memory, "memory", "", "BYTES", "stay below so much memory (800M, 3G) by taking fewer examples at a time; does not change the circuit", parseBytes)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.quiet, "quiet", false, "no progress and no summary on standard error")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "say more about model and data on standard error")
}

// discover runs the command.
func (a *app) discover(ctx context.Context, o *discoverOptions) error {
	start := time.Now()
	in, err := a.opened(ctx, &o.subject, o.check, o.places(), nil)
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	c, err := o.config(in)
	if err != nil {
		return err
	}
	g, err := c.Graph()
	if err != nil {
		return err
	}
	method, err := o.method.Resolve(in.Task, g)
	if err != nil {
		return err
	}
	if o.plan {
		return a.plan(ctx, in, c, method)
	}
	return a.find(ctx, o, in, c, method, start)
}

// find runs the algorithm, and writes what it found.
func (a *app) find(ctx context.Context, o *discoverOptions, in *study.Study, c patch.Config, method discover.Algorithm, start time.Time) error {
	_, f, result, err := a.found(ctx, o, in, c, method)
	if err != nil {
		return err
	}
	o.silent = o.quiet
	if err := a.write(ctx, &o.outputs, f); err != nil {
		return err
	}
	a.warn(f.Measured.Warnings)
	if !o.quiet {
		summarize(a.stderr, f, result.Verified, time.Since(start))
	}
	return nil
}

// found runs the algorithm. The options' page then has what a page shows, if one
// is to be written.
func (a *app) found(ctx context.Context, o *discoverOptions, in *study.Study, c patch.Config, method discover.Algorithm) (*patch.Experiment, *circuit.File, *discover.Result, error) {
	e, err := patch.Bind(ctx, c)
	if err != nil {
		return nil, nil, nil, err
	}
	f, err := o.file(in, e, method)
	if err != nil {
		return nil, nil, nil, err
	}
	if o.draws() {
		if err := o.checkGroups(f); err != nil {
			return nil, nil, nil, err
		}
	}
	if o.writes(formatJSON) || o.writes(formatHTML) || o.live {
		if err := in.Identify(ctx, &f.Run); err != nil {
			return nil, nil, nil, err
		}
	}
	if o.verbose {
		if err := e.Measure(ctx); err != nil {
			return nil, nil, nil, err
		}
		f.Measured.Corrupted = e.CorruptedMetric()
		describeRun(a.stderr, in, f)
	}
	if o.writes(formatHTML) || o.live {
		o.page.add = pageRuns(in, e)
		if o.method.Goes() {
			o.page.trace = pagedata.NewTrace(e.Graph())
		}
	}
	result, steps, err := a.search(ctx, o, in, c, e, method, f)
	if err != nil {
		return nil, nil, nil, err
	}
	doubts, err := in.Doubts(ctx, e)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := o.fill(ctx, f, e, result, doubts); err != nil {
		return nil, nil, nil, err
	}
	return e, f, result, a.writeTracks(ctx, o.tracks, track.Learned(f.Run, steps))
}

// config says what is to be bound, in batches if memory is short.
func (o *discoverOptions) config(in *study.Study) (patch.Config, error) {
	c := in.Config(o.definition, in.Splits(o.splitEmbed))
	if in.Model.Config.Parameters() > largeModel && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(largeGarbage)
	}
	c.Later = o.method.Once() && !o.plan // which tells the runs' time apart
	if o.memory == 0 && o.method.Once() {
		return c, fitOnce(&c, in)
	}
	if o.memory == 0 {
		return c, nil
	}
	fit := incremental.Fit
	if o.method.Decides() {
		fit = incremental.FitMost
	}
	if err := fit(&c, o.memory, ownBytes); err != nil {
		return c, err
	}
	if c.Batch == len(c.Data.Clean) {
		c.Batch = 0
	}
	keepTo(o.memory, in)
	return c, nil
}

// fitOnce takes some examples at a time where their runs are large, and keeps to
// the memory that the plan says.
func fitOnce(c *patch.Config, in *study.Study) error {
	if err := incremental.FitOnce(c); err != nil || c.Batch == 0 {
		return err
	}
	budget, err := incremental.Take(*c)
	if err == nil {
		keepTo(budget.Total()+ownBytes, in)
	}
	return err
}

// keepTo lets the collector keep to a limit, since nothing is freed by itself. It
// does not see the program itself and weights that lie in a mapped file.
func keepTo(limit int64, in *study.Study) {
	unseen := int64(programBytes)
	if in.Model.Mapped() {
		unseen += 4 * int64(in.Model.Config.Parameters())
	}
	debug.SetMemoryLimit(max(limit-unseen, programBytes))
}

// Of a large model the garbage is large too, and collecting it is cheap beside
// what makes it.
const (
	largeModel   = 64 << 20 // parameters
	largeGarbage = 25       // per cent of what is in use
)

const (
	ownBytes     = 56 << 20 // what the program takes besides model and data
	programBytes = 32 << 20 // what of this is no Go memory: the program itself, its stacks
)

// check refuses outputs that cannot be written.
func (o *discoverOptions) check() error {
	if o.quiet && o.verbose {
		return usagef("--quiet and --verbose: expected one of them, found both")
	}
	for _, f := range [][2]string{{"--trace", o.trace}, {"--checkpoint", o.checkpoint}} {
		if f[1] != "" && !o.method.Goes() {
			return usagef("%s: of acdc and of masks that are learned, which go step by step; %s does not", f[0], o.method.Algorithm)
		}
	}
	for _, f := range [][2]string{{"--trace", o.trace}, {"--checkpoint", o.checkpoint}} {
		if f[1] == "-" {
			return usagef("%s -: expected a file; standard output carries the circuit", f[0])
		}
	}
	if len(o.tracks) > 0 && !o.method.Learns() {
		return usagef("--track: of masks that are learned; %s learns none%s", o.method.Name(), map[bool]string{true: ", and has --trace"}[o.method.Decides()])
	}
	if err := cmp.Or(o.method.Check(), o.outputs.check(), checkTracks(o.tracks)); err != nil {
		return err
	}
	if o.trace == "" {
		return nil
	}
	return atomicfile.Check(o.trace)
}

// search runs the algorithm, with progress and trace, and returns the steps too if
// they are to be tracked.
func (a *app) search(ctx context.Context, o *discoverOptions, in *study.Study, c patch.Config, e *patch.Experiment, method discover.Algorithm, f *circuit.File) (*discover.Result, []discover.Learned, error) {
	saved, err := o.openCheckpoint(ctx, in, c, e, f)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	bar := startProgress(a.stderr, e.Graph().NumEdges(), o.quiet, o.verbose)
	trace := startTrace(ctx, o.trace, e.Graph(), cancel)
	var steps []discover.Learned
	r := discover.Request{Experiment: e, Seed: in.Spec.RandomSeed(),
		Observe: func(ev discover.Event) {
			trace.add(ev)
			if ev.Learned != nil && len(o.tracks) > 0 {
				steps = append(steps, *ev.Learned)
			}
			if o.page.trace != nil {
				o.page.trace.Add(ev)
			}
			bar.update(ev)
		}}
	if saved != nil {
		if saved.Anew() {
			a.warn([]string{o.checkpoint + ": checkpoint cut short in its first line: the run begins anew"})
		}
		defer saved.Close() // every line was written when it was saved
		r.Progress = saved.Progress()
	}
	result, err := method.Discover(ctx, r)
	bar.clear()
	if traceErr := trace.finish(err == nil); traceErr != nil {
		return nil, nil, traceErr
	}
	return result, steps, err
}

// file says what a run was asked; fill adds what it found.
func (o *discoverOptions) file(in *study.Study, e *patch.Experiment, method discover.Algorithm) (*circuit.File, error) {
	f := &circuit.File{Graph: e.Graph().Info(), EdgesTotal: e.Graph().NumEdges(), Run: in.Run(e)}
	return f, study.Describe(&f.Run, method)
}

// fill adds the result. The circuit's metric is that of the plain pass, which
// acdc run finds again to the last digit.
func (o *discoverOptions) fill(ctx context.Context, f *circuit.File, e *patch.Experiment, r *discover.Result, doubts []string) error {
	final := r.MetricFinal
	if o.method.Decides() { // and measures as it goes; others as acdc run does
		var err error
		if final, err = incremental.Metric(ctx, e, r.Mask); err != nil {
			return err
		}
	}
	f.Measured.Initial, f.Measured.Final, f.Measured.Corrupted = r.MetricInitial, final, e.CorruptedMetric()
	f.Measured.Cost, f.Measured.Warnings = &r.Cost, append(doubts, r.Warnings...)
	f.Measured.Chosen, f.Measured.Screened = r.Chosen, r.Screened
	f.SetCircuit(e.Graph(), r.Mask, r.Scores, o.allEdges || f.Selection != nil) // scores are the result
	return nil
}

// warn prints doubts about a result.
func (a *app) warn(warnings []string) {
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "acdc: warning: "+oneline.Plain(w))
	}
}
