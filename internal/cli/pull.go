package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// pullOptions are the flags of pull.
type pullOptions struct {
	name     string
	revision string
}

func newPull(a *app, run func(context.Context, *pullOptions) error) *cobra.Command {
	o := &pullOptions{}
	cmd := &cobra.Command{
		Use:   "pull NAME",
		Short: "download a model into the Hugging Face cache",
		Long: `Download a model into the Hugging Face cache, where --model finds it, and print
its folder. NAME is a short name such as gpt2, pythia-70m or attn-only-2l, or a
repository as org/name. Only configuration, tokenizer and weights are fetched.
A download that was interrupted is continued; each file is checked against its
checksum.

The environment is that of the Hugging Face libraries: HF_HOME or HF_HUB_CACHE
(where the cache is), HF_TOKEN (for gated models), HF_ENDPOINT (another server),
HF_HUB_OFFLINE, and HTTPS_PROXY.`,
		Example: `  acdc pull gpt2
  acdc pull EleutherAI/pythia-70m --revision step3000`,
		Args: oneArg("a model's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return run(cmd.Context(), o)
		},
	}
	typed(cmd.Flags(), &o.revision, "revision", "main", "REVISION", "branch, tag or commit; NAME@REVISION is the same", parseText("a branch, a tag or a commit"))
	cmd.ValidArgsFunction = cobra.FixedCompletions(names(hub.Aliases(), modelName), cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

func modelName(m hub.Model) string { return m.Name }

// check takes the revision out of the name.
func (o *pullOptions) check() error {
	name, revision := hub.Split(o.name)
	if revision != "" && o.revision != "" && revision != o.revision {
		return usagef("%s: expected the revision once, found --revision %s too", o.name, o.revision)
	}
	if strings.Contains(o.name, "@") && revision == "" {
		return usagef("%q: expected a revision after the @, found nothing", o.name)
	}
	if slices.Contains(names(zoo.All(), func(e zoo.Entry) string { return e.Name }), name) {
		return usagef("model %q is builtin: there is nothing to download", name)
	}
	if revision != "" {
		o.revision = revision
	}
	o.name = name
	return nil
}

// pull runs the command.
func (a *app) pull(ctx context.Context, o *pullOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	settings, err := hub.ReadSettings(ctx, os.Getenv)
	if err != nil {
		return err
	}
	client := &hub.Client{Settings: settings, HTTP: &http.Client{Transport: http.DefaultTransport}}
	shown := newTransfer(a.stderr, isTerminal(a.stderr))
	start := time.Now()
	pulled, err := client.Pull(ctx, hub.Options{Name: o.name, Revision: o.revision, Progress: shown.update})
	shown.clear()
	if err != nil {
		return pullError(o.name, err)
	}
	fmt.Fprintln(a.stderr, pullSummary(o.name, pulled, time.Since(start)))
	a.print(pulled.Dir + "\n")
	return nil
}

// pullError tells wrong names from what went wrong.
func pullError(name string, err error) error {
	var malformed *hub.NameError
	var absent *hub.AbsentError
	switch {
	case errors.As(err, &malformed):
		return &usageError{err}
	case errors.As(err, &absent):
		if known := names(hub.Aliases(), modelName); !slices.Contains(known, name) {
			return fmt.Errorf("%w%s", err, suggestion(name, known))
		}
	}
	return err
}

func pullSummary(name string, p *hub.Pulled, took time.Duration) string {
	got := 0
	for _, f := range p.Files {
		if !f.Present {
			got++
		}
	}
	if got == 0 {
		return fmt.Sprintf("%s: already there, %d files at commit %s", name, len(p.Files), p.Commit)
	}
	text := fmt.Sprintf("%s: %s in %.1f s, %d of %d files", name, bytesText(p.Received), took.Seconds(), got, len(p.Files))
	if got < len(p.Files) {
		text += ", the others were already there"
	}
	return text
}

// bytesText writes a size in decimal units, as the hub does.
func bytesText(n int64) string {
	x, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; x >= 999.5 && i+1 < len(units); i++ {
		x /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.3g %s", x, units[i])
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// transfer shows a download: a bar on a terminal, and everywhere a line when
// there is something to wait for.
type transfer struct {
	w        io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	repo     string // what the bar is of
	most     int64  // bytes at its end
}

func newTransfer(w io.Writer, terminal bool) *transfer { return &transfer{w: w, terminal: terminal} }

// update shows an event.
func (t *transfer) update(e hub.Event) {
	file := e.Repo
	if e.File != "" {
		file += ": " + e.File
	}
	switch e.Kind {
	case hub.Retrying:
		t.clear()
		fmt.Fprintf(t.w, "%s: %v; trying again in %s\n", file, e.Err, e.Wait.Round(time.Second))
	case hub.Waiting:
		t.clear()
		fmt.Fprintf(t.w, "%s: waiting for another download of the same file\n", file)
	default:
		t.draw(e)
	}
}

func (t *transfer) draw(e hub.Event) {
	if !t.terminal {
		return
	}
	what := e.File
	if e.Kind == hub.Checking {
		what += ", checking"
	}
	if most := max(1, e.All, e.Sum); t.bar == nil || t.repo != e.Repo || t.most != most {
		t.clear()
		t.repo, t.most = e.Repo, most
		t.bar = progressbar.NewOptions64(most,
			progressbar.OptionSetDescription(what),
			progressbar.OptionSetWriter(t.w),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionShowTotalBytes(true),
			progressbar.OptionClearOnFinish())
	}
	_ = t.bar.Set64(e.Sum) // a terminal that cannot be written to is no reason to stop
	t.bar.Describe(what)
}

// clear removes the bar.
func (t *transfer) clear() {
	if t.bar != nil {
		_ = t.bar.Clear()
		t.bar = nil
	}
}
