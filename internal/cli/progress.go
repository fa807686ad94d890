package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/seed-2c350065/acdc/pkg/discover"
)

// progress shows how far a run has come, on a terminal.
type progress struct {
	bar  *progressbar.ProgressBar
	kept int
}

// newProgress returns a bar over all edges; nil, which shows nothing, where w
// is no terminal.
func newProgress(w io.Writer, edges int) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{bar: progressbar.NewOptions(edges,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false), // the last edges cost the most
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("edges"))}
}

// update shows an event.
func (p *progress) update(e discover.Event) {
	if p == nil {
		return
	}
	if e.Kept {
		p.kept++
		p.bar.Describe(fmt.Sprintf("%d kept", p.kept))
	}
	_ = p.bar.Set(e.Decided) // a terminal that cannot be written to is no reason to stop
}

// clear removes the bar.
func (p *progress) clear() {
	if p != nil {
		_ = p.bar.Clear()
	}
}
