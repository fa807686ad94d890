package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// defaultManifest is where a manifest is looked for.
const defaultManifest = "runs.jsonl"

// planOptions are the flags of sweep plan.
type planOptions struct {
	gridOptions
	job      sweep.Job
	engine   sweep.Engine
	manifest string // -o
}

func newSweepPlan(a *app) *cobra.Command {
	o := &planOptions{}
	cmd := &cobra.Command{
		Use:   "plan (--task LIST | --model MODEL --data FILE)",
		Short: "list the runs of a sweep for other machines, and write the job",
		Long: `List the runs of a sweep, a line of JSON each, for acdc sweep run on other
machines. With --emit what is printed is the job that makes them all, a Slurm
script or a Kubernetes manifest, which reads the list from the file of -o.`,
		Example: `  acdc sweep plan --task induction --algorithm acdc,eap > runs.jsonl
  acdc sweep plan --task induction -o runs.jsonl --emit slurm --per-task 10 > sweep.sh`,
		Args: noArgs("task"),
		RunE: func(cmd *cobra.Command, _ []string) error { return again(a.sweepPlan(cmd.Context(), o)) },
	}
	o.gridOptions.flags(cmd)
	fs := cmd.Flags()
	choice(cmd, &o.engine, "emit", "", "print a job instead of the runs", texts(sweep.Engines()), oneOf("engine", sweep.Engines()))
	perTaskFlag(cmd, &o.job.PerTask, "default so many that the array has at most "+strconv.Itoa(sweep.MostShares)+" tasks")
	typed(fs, &o.job.CPUs, "cpus", "1", "N", "that a task of the job gets", parseCount(maxThreads))
	typed(fs, &o.job.Image, "image", "acdc", "NAME", "of the container, of Kubernetes", parseLine("an image"))
	typed(fs, &o.job.Claim, "claim", "acdc-sweep", "NAME", "of the volume with manifest and results, of Kubernetes", parseLine("a persistent volume claim"))
	typed(fs, &o.job.Dir, "dir", "", "FOLDER", "for the results, default the manifest's name without its ending", parseText("a folder"))
	fs.VarP(&value[string]{into: &o.manifest, kind: "FILE", parse: parseText("a file")}, "output", "o", "write the list there as well, as "+defaultManifest)
	o.job.CPUs, o.job.Image, o.job.Claim = 1, "acdc", "acdc-sweep"
	fs.SortFlags = false
	return cmd
}

// perTaskFlag says how many runs one index of an array stands for.
func perTaskFlag(cmd *cobra.Command, into *int, otherwise string) {
	typed(cmd.Flags(), into, "per-task", "", "N", "runs that an index of the array stands for, "+otherwise, parseCount(sweep.MostRuns))
}

// parseLine reads what is put into a job: one line.
func parseLine(what string) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			return "", fmt.Errorf("expected %s, found %q", what, s)
		}
		return s, nil
	}
}

// sweepPlan runs the command.
func (a *app) sweepPlan(ctx context.Context, o *planOptions) error {
	files := places("-o", o.manifest)
	if o.manifest != "" {
		if err := checkFiles([]string{o.manifest}, checkManifest); err != nil {
			return err
		}
	}
	if err := cmp.Or(o.check(), a.clash(files, o.inputs())); err != nil {
		return err
	}
	lab := a.lab(o.threads, "", files)
	defer lab.Close() // read only: nothing can be lost
	plan, err := o.grid.Plan(ctx, lab)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := sweep.WriteManifest(&b, plan); err != nil {
		return err
	}
	if o.manifest != "" {
		if err := a.writeFile(ctx, o.manifest, b.Bytes()); err != nil {
			return err
		}
	}
	if o.engine == "" {
		if o.manifest == "" {
			a.print(b.String())
		}
		return a.stdout.err
	}
	job := o.job
	job.Manifest, job.Runs = cmp.Or(o.manifest, defaultManifest), len(plan)
	job.Dir = cmp.Or(job.Dir, folderOf(job.Manifest))
	text, err := job.Script(o.engine)
	if err != nil {
		return &usageError{err}
	}
	a.print(text)
	return a.stdout.err
}

// checkManifest refuses a file that is no manifest by its name.
func checkManifest(name string) error {
	if kind := strings.ToLower(filepath.Ext(name)); kind != ".jsonl" && kind != ".json" {
		return usagef("-o %q: expected a file that ends in .jsonl or .json", name)
	}
	return nil
}

// folderOf is where the results of a manifest are unless anybody says otherwise.
func folderOf(manifest string) string {
	if base := strings.TrimSuffix(manifest, filepath.Ext(manifest)); base != manifest && filepath.Base(base) != "." {
		return base
	}
	return manifest + ".d"
}

// manifestOptions are flags that say which runs are meant.
type manifestOptions struct {
	manifest string
	dir      string
	perTask  int
}

func (o *manifestOptions) flags(cmd *cobra.Command) {
	o.manifest, o.perTask = defaultManifest, 1
	typed(cmd.Flags(), &o.manifest, "manifest", defaultManifest, "FILE", "the list of runs that acdc sweep plan printed", parseText("a file"))
	typed(cmd.Flags(), &o.dir, "dir", "", "FOLDER", "for the results, default the manifest's name without its ending", parseText("a folder"))
	perTaskFlag(cmd, &o.perTask, "default 1")
}

func (o *manifestOptions) folder() string { return cmp.Or(o.dir, folderOf(o.manifest)) }

// sweepRunOptions are the flags of sweep run.
type sweepRunOptions struct {
	manifestOptions
	index   *int
	threads int
	quiet   bool
}

func newSweepRun(a *app) *cobra.Command {
	o := &sweepRunOptions{}
	cmd := &cobra.Command{
		Use:   "run --manifest FILE [--index N]",
		Short: "make one share of the runs of a manifest",
		Long: `Make one share of the runs of a manifest. Which is said by --index, from 0, or
by Slurm (SLURM_ARRAY_TASK_ID) or Kubernetes (JOB_COMPLETION_INDEX). Exit codes:
0 done, by now or before; 2 never try again; 75 try again, since a disk is full or
another process is at it; 143 terminated, and what was done so far is kept.`,
		Example: `  acdc sweep plan --task induction --thresholds 0.1,0.5,1 > runs.jsonl
  acdc sweep run --manifest runs.jsonl --index 1`,
		Args: noArgs("manifest"),
		RunE: func(cmd *cobra.Command, _ []string) error { return again(a.sweepRun(cmd.Context(), o)) },
	}
	o.manifestOptions.flags(cmd)
	fs := cmd.Flags()
	typed(fs, &o.index, "index", "", "N", "which share, from 0", optional(parseIndex))
	typed(fs, &o.threads, "threads", "", "N", "how many cores to use, default SLURM_CPUS_PER_TASK, one in other jobs of Slurm, and else all; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.quiet, "quiet", false, "do not say which run is made")
	fs.SortFlags = false
	return cmd
}

// parseIndex reads an index of an array.
func parseIndex(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("expected a whole number from 0 to %d, found %q", math.MaxInt32, s)
	}
	return n, nil
}

// at is the index, from the flag or from the engine.
func (o *sweepRunOptions) at() (int, error) {
	if o.index != nil {
		return *o.index, nil
	}
	for _, name := range []string{"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"} {
		if s := os.Getenv(name); s != "" {
			n, err := parseIndex(s)
			if err != nil {
				return 0, usagef("%s: %w", name, err)
			}
			return n, nil
		}
	}
	return 0, usagef("expected --index N, or SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX in the environment, found none")
}

// cores are how many threads a run takes: in a job of Slurm as many as it was
// given, which is not what the machine has.
func (o *sweepRunOptions) cores() int {
	if o.threads > 0 {
		return o.threads
	}
	if n, err := parseCount(maxThreads)(os.Getenv("SLURM_CPUS_PER_TASK")); err == nil {
		return n
	}
	if os.Getenv("SLURM_JOB_ID") != "" {
		return 1
	}
	return defaultThreads()
}

// sweepRun runs the command.
func (a *app) sweepRun(ctx context.Context, o *sweepRunOptions) error {
	index, err := o.at()
	if err != nil {
		return err
	}
	plan, err := sweep.ReadManifest(ctx, o.manifest)
	if err != nil {
		return err
	}
	share := sweep.Share(plan, index, o.perTask)
	if len(share) == 0 {
		return usagef("--index %d: expected 0 to %d, since %s has %d runs, %d a task", index, sweep.Shares(len(plan), o.perTask)-1, o.manifest, len(plan), o.perTask)
	}
	lab := a.lab(o.cores(), o.folder(), nil)
	defer lab.Close() // read only: nothing can be lost
	if err := lab.Folder.Prepare(); err != nil {
		return err
	}
	_, err = a.makeRuns(ctx, lab, share, o.quiet, false)
	return err
}

// sweepCollectOptions are the flags of sweep collect.
type sweepCollectOptions struct {
	manifestOptions
	missing bool
	files   []string
	tracks  []string
	format  tablefile.Format
}

func newSweepCollect(a *app) *cobra.Command {
	o := &sweepCollectOptions{format: tablefile.CSV}
	cmd := &cobra.Command{
		Use:   "collect --manifest FILE",
		Short: "print the rows of a manifest's runs",
		Long: `Print the rows of a manifest's runs, in its order. Where results are missing it
ends with exit code 1, and says which indices to run again as Slurm's --array
reads them; --missing prints these alone.`,
		Example: `  acdc sweep plan --task induction --thresholds 0.1,0.5 > runs.jsonl
  acdc sweep collect --missing`,
		Args: noArgs("manifest"),
		RunE: func(cmd *cobra.Command, _ []string) error { return again(a.sweepCollect(cmd.Context(), o)) },
	}
	o.manifestOptions.flags(cmd)
	cmd.Flags().BoolVar(&o.missing, "missing", false, "print the indices whose results are missing, and nothing else")
	(&gridOptions{}).rowFlags(cmd, &o.files, &o.format)
	trackFlag(cmd.Flags(), &o.tracks, "of masks that are learned")
	cmd.Flags().SortFlags = false
	return cmd
}

// sweepCollect runs the command.
func (a *app) sweepCollect(ctx context.Context, o *sweepCollectOptions) error {
	if err := cmp.Or(checkRows(o.files), checkTracks(o.tracks), a.clash(append(places("-o", o.files...), places("--track", o.tracks...)...), places("--manifest", o.manifest))); err != nil {
		return err
	}
	plan, err := sweep.ReadManifest(ctx, o.manifest)
	if err != nil {
		return err
	}
	folder := sweep.Folder(o.folder())
	missing := sweep.Missing(folder, plan, o.perTask)
	if o.missing {
		if len(missing) > 0 {
			a.print(sweep.Array(missing) + "\n")
		}
		return a.stdout.err
	}
	var results sweepResults
	for _, p := range plan {
		r, err := folder.Load(ctx, p)
		if err == nil && r != nil {
			err = results.add(ctx, r, hasPage(o.files))
		}
		if err != nil {
			return err
		}
	}
	if err := a.writeSteps(ctx, &sweep.Lab{Folder: folder}, plan, o.tracks); err != nil {
		return err
	}
	if err := a.writeRows(ctx, results, o.files, o.format); err != nil {
		return err
	}
	if lost := len(plan) - len(results.rows); lost > 0 {
		return fmt.Errorf("%s: %d of %d runs are missing in %s: --array=%s", o.manifest, lost, len(plan), folder, sweep.Array(missing))
	}
	return nil
}

// againError is what may go away by itself, so that trying again is worth it.
type againError struct{ error }

func (e *againError) Unwrap() error { return e.error }

// again marks errors of a full disk and of files that others work on.
func again(err error) error {
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, discover.ErrLocked} {
		if errors.Is(err, cause) {
			return &againError{err}
		}
	}
	return err
}
