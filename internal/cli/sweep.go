package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/plotstyle"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/internal/sweep/figure"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// sweepOptions are the flags of sweep.
type sweepOptions struct {
	gridOptions
	dir    string
	files  []string
	tracks []string
	format tablefile.Format
	quiet  bool
}

// sweepEndings are those of the files that rows are written to.
var sweepEndings = []string{".csv", ".jsonl", ".json", ".svg", ".png", ".pdf", pageEnding}

func newSweep(a *app) *cobra.Command {
	o := &sweepOptions{format: tablefile.CSV}
	cmd := &cobra.Command{
		Use:   "sweep (--task LIST | --model MODEL --data FILE)",
		Short: "find circuits at many thresholds, by many methods, on many tasks",
		Long: `Find circuits at many thresholds, by many methods, on many tasks, and print a
row for each: what it is, and how good it is on the prompts that it was found on
and on others. Lists have commas between their values; every combination is run.
ACDC runs once a threshold; scores of other methods are made once, and circuits
of many sizes chosen by them.

With --dir every run has a file there, named by all that decides its result: the
same command again, stopped or changed, makes only what is missing.`,
		Example: `  acdc sweep --task induction --thresholds 0.1,0.5,1
  acdc sweep --task induction --algorithm acdc,eap-ig,random --thresholds log:0.01:3:20 --dir runs -o pareto.svg -o rows.csv
  acdc sweep --task tracr-reverse,tracr-proportion --ablation zero,resample --thresholds 0.05 --format jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !cmd.Flags().Changed("task") && !slices.Contains(taskNames(), args[0]) {
				return unknownCommand(cmd, args[0])
			}
			return noArgs("task")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return again(a.sweep(cmd.Context(), o)) },
	}
	o.gridOptions.flags(cmd)
	typed(cmd.Flags(), &o.dir, "dir", "", "FOLDER", "keep a file of every run there, and do not repeat those that have one", parseText("a folder"))
	o.rowFlags(cmd, &o.files, &o.format)
	trackFlag(cmd.Flags(), &o.tracks, "of masks that are learned")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "do not say which run is made")
	cmd.Flags().SortFlags = false
	cmd.AddCommand(newSweepPlan(a), newSweepRun(a), newSweepCollect(a))
	return cmd
}

// rowFlags are the flags of commands that write rows.
func (o *gridOptions) rowFlags(cmd *cobra.Command, files *[]string, format *tablefile.Format) {
	cmd.Flags().StringArrayVarP(files, "output", "o", nil, "`FILE` to write, by its ending "+strings.Join(sweepEndings, ", ")+"; may be repeated")
	choice(cmd, format, "format", string(*format), "what standard output carries", texts(tablefile.Formats()), oneOf("format", tablefile.Formats()))
}

// checkRows refuses files that rows cannot be written to.
func checkRows(files []string) error {
	return checkEndings(files, sweepEndings)
}

// sweep runs the command.
func (a *app) sweep(ctx context.Context, o *sweepOptions) error {
	outputs := append(places("-o", o.files...), places("--track", o.tracks...)...)
	if err := cmp.Or(o.check(), checkRows(o.files), checkTracks(o.tracks), a.clash(outputs, o.inputs())); err != nil {
		return err
	}
	if len(o.tracks) > 0 && !slices.ContainsFunc(o.grid.Algorithms, func(name string) bool { return study.Method{Algorithm: name}.Learns() }) {
		return usagef("--track: of masks that are learned; expected one of sp, sp-edges, edge-pruning, ugs among the methods, found none")
	}
	lab := a.lab(o.threads, o.dir, outputs)
	lab.Track = len(o.tracks) > 0
	defer lab.Close() // read only: nothing can be lost
	plan, err := o.grid.Plan(ctx, lab)
	if err != nil {
		return err
	}
	if err := lab.Folder.Prepare(); err != nil {
		return err
	}
	changed, err := lab.Folder.Changed(ctx, plan)
	if err != nil {
		return err
	}
	a.warn(changed)
	results, err := a.makeRuns(ctx, lab, plan, o.quiet, hasPage(o.files))
	if err != nil {
		return err
	}
	if err := a.writeSteps(ctx, lab, plan, o.tracks); err != nil {
		return err
	}
	return a.writeRows(ctx, results, o.files, o.format)
}

// writeSteps writes the steps of a plan's runs that learn masks, if anybody asked.
func (a *app) writeSteps(ctx context.Context, lab *sweep.Lab, plan []sweep.Planned, files []string) error {
	if len(files) == 0 {
		return nil
	}
	steps, err := lab.Steps(ctx, plan)
	if err != nil {
		return err
	}
	return a.writeTracks(ctx, files, steps)
}

// lab is where runs are made, with a folder or without, for outputs that are
// none of its inputs.
func (a *app) lab(threads int, dir string, outputs []place) *sweep.Lab {
	return &sweep.Lab{Origin: sweep.Here(programText()), Threads: threads, Folder: sweep.Folder(dir),
		Opened: func(x *study.Study) error {
			a.warn(x.Model.Warnings)
			return a.clash(outputs, inputs(x.Spec, x.Model))
		}}
}

// sweepResults are what runs found.
type sweepResults struct {
	rows     []sweep.Row
	circuits []*circuit.File // where a page is to show them
}

// add adds a result, with its circuit if there is to be a page.
func (s *sweepResults) add(ctx context.Context, r *sweep.Result, withCircuit bool) error {
	s.rows = append(s.rows, r.Row)
	if !withCircuit {
		return nil
	}
	f, err := r.File(ctx)
	s.circuits = append(s.circuits, f)
	return err
}

// makeRuns makes what is missing of a plan, and says so.
func (a *app) makeRuns(ctx context.Context, lab *sweep.Lab, plan []sweep.Planned, quiet, withCircuits bool) (sweepResults, error) {
	var results sweepResults
	count, last := 0, ""
	for i, p := range plan {
		if what := p.Setting(); what != last && !quiet && !lab.Folder.Has(p) {
			fmt.Fprintf(a.stderr, "acdc: %d of %d: %s\n", i+1, len(plan), what)
			last = what
		}
		r, made, err := lab.Make(ctx, p)
		if err != nil {
			return results, fmt.Errorf("%s, %s: %w", p.Setting(), p.Point(), err)
		}
		if made {
			count++
		}
		if err := results.add(ctx, r, withCircuits); err != nil {
			return results, err
		}
	}
	if !quiet {
		fmt.Fprintf(a.stderr, "acdc: %d runs, %d made now\n", len(plan), count)
	}
	return results, nil
}

// writeRows writes rows to files, and to standard output.
func (a *app) writeRows(ctx context.Context, results sweepResults, files []string, format tablefile.Format) error {
	for _, name := range files {
		text, err := a.encodeRows(ctx, results, strings.ToLower(filepath.Ext(name)))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := a.writeFile(ctx, name, text); err != nil {
			return err
		}
	}
	text, err := tablefile.Encode(results.rows, format)
	if err != nil {
		return err
	}
	a.print(string(text))
	return a.stdout.err
}

// encodeRows is what a file of an ending has in it.
func (a *app) encodeRows(ctx context.Context, results sweepResults, ending string) ([]byte, error) {
	kind := strings.TrimPrefix(ending, ".")
	if slices.Contains(texts(tablefile.Formats()), kind) {
		return tablefile.Encode(results.rows, tablefile.Format(kind))
	}
	if ending == pageEnding {
		return a.encodeSweepPage(ctx, results.circuits)
	}
	var b bytes.Buffer
	err := figure.Write(ctx, &b, plotstyle.Format(kind), results.rows)
	return b.Bytes(), err
}

// defaultThreads are those of a process that is alone on its machine.
func defaultThreads() int { return runtime.GOMAXPROCS(0) }
