package cli

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/view"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw/page"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// viewOptions are the flags of view.
type viewOptions struct {
	find    discoverOptions // what is opened, and how a circuit is found where no file has one
	circuit string          // the file, empty for none
	files   []string        // that the page may save to
	port    int
	open    bool
	given   []string // the flags that say what is opened or how it is found, as they were given
	search  []string // of these the names of those that only a search has
}

func newView(a *app, run func(context.Context, *viewOptions) error) *cobra.Command {
	o := &viewOptions{find: discoverOptions{definition: circuit.ACDC, live: true}}
	o.find.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:   "view (CIRCUIT.json | --task NAME | --model MODEL --data FILE | --program FILE.rasp)",
		Short: "look at a circuit and edit it in a browser",
		Long: `Serve the page of a circuit on this machine, with the engine behind it: cut and
restore edges, heads and layers, and see at once what the circuit then predicts
and what its metric is, the same to the last digit as that of acdc run. The
circuit is a saved one, or is found first, as acdc discover finds it with the
same flags. The address is printed, and has a token without which nobody is let
in; it leads to this machine alone. The page saves the edited circuit as a
download, and to the files after -o. Ctrl-C ends it.`,
		Example: `  acdc view --task induction
  acdc discover --task induction --quiet -o circuit.json
  acdc view circuit.json -o edited.json
  acdc view --task ioi --model mini --algorithm eap --metric logit_diff --top 100`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("expected one argument, a circuit file, found %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if o.circuit = args[0]; o.circuit == "" {
					return usagef("expected a circuit file, found an empty name")
				}
			}
			o.note(cmd)
			return run(cmd.Context(), o)
		},
	}
	o.flags(cmd)
	cmd.Flags().SortFlags = false
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"json"}, cobra.ShellCompDirectiveFilterFileExt)
	return cmd
}

func (o *viewOptions) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	typed(fs, &o.port, "port", "0", "N", "of the loopback to listen on, any free one for 0", parsePort)
	fs.BoolVar(&o.open, "open", false, "open the page in the browser")
	fs.StringArrayVarP(&o.files, "output", "o", nil, "`FILE` that the page may save the edited circuit to, by its ending "+endingsText()+"; may be repeated")
	o.find.subject.flags(cmd)
	o.find.programFlag(cmd)
	o.searchFlags(cmd)
	typed(fs, &o.find.threads, "threads", fmt.Sprint(o.find.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	fs.BoolVar(&o.find.quiet, "quiet", false, "no progress and no summary on standard error")
}

// searchFlags are those that say how a circuit is found.
func (o *viewOptions) searchFlags(cmd *cobra.Command) {
	methodFlags(cmd, &o.find.method)
	choice(cmd, &o.find.definition, "definition", string(o.find.definition), "of the graph's edges", texts(circuit.Definitions()), oneOf("definition", circuit.Definitions()))
	splitFlag(cmd.Flags(), &o.find.splitEmbed)
}

// parsePort reads the number of a port.
func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number from 0 to 65535, found %q", s)
	}
	return int(n), nil
}

// note takes down the flags that another command needs to come to the same.
func (o *viewOptions) note(cmd *cobra.Command) {
	searching := &cobra.Command{}
	(&viewOptions{}).searchFlags(searching)
	besides := map[string]bool{"port": true, "open": true, "output": true, "threads": true, "quiet": true, "verify": true}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if besides[f.Name] {
			return
		}
		o.given = append(o.given, flagWords(f)...)
		if f.Name == "program" || searching.Flags().Lookup(f.Name) != nil {
			o.search = append(o.search, f.Name)
		}
	})
}

// flagWords are the words of a command line that give a flag its value.
func flagWords(f *pflag.Flag) []string {
	value := f.Value.String()
	if f.NoOptDefVal == "" {
		return []string{"--" + f.Name, value}
	}
	if value == "true" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name + "=" + value}
}

// check refuses what is wrong before anything is read.
func (o *viewOptions) check() error {
	if o.circuit != "" && len(o.search) > 0 {
		return usagef("--%s: expected none with a circuit file, whose edges are found already", o.search[0])
	}
	if o.circuit == "" && len(o.given) == 0 {
		return usagef("expected a circuit file, or --task NAME, of which one is to be found")
	}
	for _, f := range o.files {
		if f == "-" {
			return usagef("-o -: expected a file; standard output carries the address of the page")
		}
	}
	return cmp.Or(o.find.check(), (&outputs{files: o.files}).check())
}

// viewed is what there is to look at.
type viewed struct {
	in     *study.Study
	e      *patch.Experiment
	file   *circuit.File
	origin view.Origin
}

// view runs the command.
func (a *app) view(ctx context.Context, o *viewOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	l, err := view.Listen(o.port)
	if err != nil {
		return err
	}
	defer l.Close() // it is only listened on
	show := a.viewSaved
	if o.circuit == "" {
		show = a.viewFound
	}
	v, err := show(ctx, o)
	if err != nil {
		return err
	}
	defer v.in.Close() // read only: nothing can be lost
	s, err := view.Open(ctx, v.in, v.e, v.file, v.origin)
	if err != nil {
		return err
	}
	served := view.Options{Policy: page.Policy(), Token: view.NewToken(), Log: a.stderr}
	more := o.find.page
	more.command, more.live, more.add = a.args, s.Live(o.files), pageRuns(v.in, v.e)
	if served.Page, err = encodePage(ctx, v.file, more); err != nil {
		return err
	}
	if len(o.files) > 0 {
		served.Save = func(ctx context.Context, f *circuit.File) error {
			return a.write(ctx, &outputs{files: o.files, page: pageMore{command: a.args, add: pageRuns(v.in, v.e)}}, f)
		}
	}
	address := view.Address(l, served.Token)
	a.print(address + "\n")
	if a.stdout.err != nil {
		return a.stdout.err
	}
	if o.open {
		a.openBrowser(address)
	}
	return view.Serve(ctx, l, s, served)
}

// viewSaved opens a file's circuit as acdc run does.
func (a *app) viewSaved(ctx context.Context, o *viewOptions) (*viewed, error) {
	f, err := a.readCircuit(ctx, o.circuit)
	if err != nil {
		return nil, err
	}
	g, _, _, err := f.Circuit()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.circuit, err)
	}
	in, err := o.find.spec.OpenLike(ctx, o.circuit, f, o.find.threads)
	if err != nil {
		return nil, err
	}
	v := &viewed{in: in, file: f, origin: view.Origin{Run: a.runWords(o, in, o.circuit, o.given)}}
	if err = a.clash(places("-o", o.files...), inputs(in.Spec, in.Model)); err == nil { // the circuit may be edited in place
		a.warn(append(in.Model.Warnings, in.Changed...))
		v.e, err = patch.Bind(ctx, in.Config(g.Config().Definition, g.Config().SplitEmbed))
	}
	if err != nil {
		_ = in.Close() // the first error says more
		return nil, err
	}
	return v, nil
}

// runWords are the words of acdc run of a circuit, which measures what the page
// does.
func (a *app) runWords(o *viewOptions, in *study.Study, circuit string, given []string) []string {
	words := append([]string{"acdc", "run", "--circuit", circuit}, given...)
	if o.find.spec.Metric == "" || len(given) == 0 {
		words = append(words, "--metric", string(in.Spec.Metric))
	}
	return words
}

// viewFound finds a circuit as acdc discover does.
func (a *app) viewFound(ctx context.Context, o *viewOptions) (*viewed, error) {
	start := time.Now()
	in, err := a.opened(ctx, &o.find.subject, o.check, places("-o", o.files...), nil)
	if err != nil {
		return nil, err
	}
	v := &viewed{in: in, origin: view.Origin{Run: a.runWords(o, in, "-", nil),
		Find: append(append([]string{"acdc", "discover"}, o.given...), "--quiet", "--format", "json")}}
	if err := a.findViewed(ctx, o, v, start); err != nil {
		_ = in.Close() // the first error says more
		return nil, err
	}
	return v, nil
}

// findViewed finds the circuit of an open study.
func (a *app) findViewed(ctx context.Context, o *viewOptions, v *viewed, start time.Time) error {
	c, err := o.find.config(v.in)
	if err != nil {
		return err
	}
	g, err := c.Graph()
	if err != nil {
		return err
	}
	method, err := o.find.method.Resolve(v.in.Task, g)
	if err != nil {
		return err
	}
	e, f, result, err := a.found(ctx, &o.find, v.in, c, method)
	if err != nil {
		return err
	}
	v.e, v.file = e, f
	a.warn(f.Measured.Warnings)
	if !o.find.quiet {
		summarize(a.stderr, f, result.Verified, time.Since(start))
	}
	return nil
}

// openBrowser shows an address in the user's browser. That it cannot is a warning:
// the address was printed.
func (a *app) openBrowser(address string) {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	cmd := exec.Command(program, address)
	if err := cmd.Start(); err != nil {
		a.warn([]string{fmt.Sprintf("--open: %v; open the address by hand", err)})
		return
	}
	go func() { _ = cmd.Wait() }() // what it said is the browser's
}
