package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// progress shows how far a run has come: on a terminal as a bar, elsewhere as a
// line whenever it is asked to. Its methods may be called from several goroutines
// at once.
type progress struct {
	w     io.Writer
	now   func() time.Time
	start time.Time

	mu       sync.Mutex
	bar      *progressbar.ProgressBar // nil for none
	estimate study.Estimator
	last     discover.Event
	kept     int

	stop    chan struct{} // closed to end listen
	stopped sync.WaitGroup
}

// lineEvery is how often a run says on standard error how far it is, if it is
// no terminal and asked to be verbose.
const lineEvery = time.Minute

// startProgress begins to show a run over so many edges. A signal asks for a line
// at any time (asked).
func startProgress(w io.Writer, edges int, quiet, verbose bool) *progress {
	p := newProgress(w, edges, time.Now)
	if isTerminal(w) && !quiet {
		p.bar = newBar(w, edges)
	}
	ticker := &time.Ticker{}
	if p.bar == nil && verbose {
		ticker = time.NewTicker(lineEvery)
	}
	signals, forget := asked()
	p.stopped.Go(func() {
		defer forget()
		if ticker.C != nil {
			defer ticker.Stop()
		}
		p.listen(ticker.C, signals)
	})
	return p
}

func newProgress(w io.Writer, edges int, now func() time.Time) *progress {
	return &progress{w: w, now: now, start: now(), estimate: study.Estimator{Total: edges}, stop: make(chan struct{})}
}

// barColumns are those of a bar beside its text: of the bar itself, the share
// done, and how many of how many.
const barColumns = 20 + 4 + 24

func newBar(w io.Writer, edges int) *progressbar.ProgressBar {
	return progressbar.NewOptions(edges,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(20),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(false), // it goes by edges, of which the last cost the most
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("edges"))
}

// listen prints a line whenever one of the channels says so.
func (p *progress) listen(ticks <-chan time.Time, signals <-chan os.Signal) {
	for {
		select {
		case <-p.stop:
			return
		case <-ticks:
		case <-signals:
		}
		p.mu.Lock()
		if p.bar != nil {
			_ = p.bar.Clear() // the next event draws it again
		}
		fmt.Fprintln(p.w, p.line())
		p.mu.Unlock()
	}
}

// update takes note of an event, and shows it on a terminal.
func (p *progress) update(ev discover.Event) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = ev
	p.estimate.Observe(ev.Decided, study.Work(ev), now)
	if ev.Tests > 0 && ev.Kept {
		p.kept++
	}
	if p.bar == nil {
		return
	}
	text := fmt.Sprintf("%d kept", p.kept)
	switch {
	case ev.Learned != nil:
		text = fmt.Sprintf("loss %s, metric %s, sparsity %.2f", number(ev.Learned.Loss), number(ev.Learned.Metric), ev.Learned.Sparsity)
	case ev.Tests == 0:
		text = "scored"
	}
	if left, ok := p.estimate.Left(now); ok {
		text += ", " + duration(left.Seconds()) + " left"
	}
	if most := columns(p.w) - barColumns; most > 0 {
		text = oneline.Middle(text, max(most, 12))
	}
	p.bar.Describe(text)
	done, of := ev.Decided, ev.Total
	if ev.Learned != nil {
		done, of = ev.Learned.Step, ev.Learned.Steps
	}
	if of != p.bar.GetMax() {
		p.bar.ChangeMax(of)
	}
	_ = p.bar.Set(done) // a terminal that cannot be written to is no reason to stop
}

// line says how far the run is.
func (p *progress) line() string {
	now := p.now()
	if p.last.Learned != nil {
		return fmt.Sprintf("acdc: %s, %s so far", learned(p.last.Learned), duration(now.Sub(p.start).Seconds()))
	}
	text := fmt.Sprintf("acdc: %s of %s edges decided, %s kept, %.3g forward passes, %s so far",
		grouped(p.last.Decided), grouped(p.estimate.Total), grouped(p.kept), p.last.Cost.ForwardPasses, duration(now.Sub(p.start).Seconds()))
	if left, ok := p.estimate.Left(now); ok {
		text += ", about " + duration(left.Seconds()) + " left"
	}
	return text
}

// learned says where masks that are learned are.
func learned(l *discover.Learned) string {
	return fmt.Sprintf("step %s of %s: loss %s, metric %s, sparsity %.3f", grouped(l.Step), grouped(l.Steps), number(l.Loss), number(l.Metric), l.Sparsity)
}

// clear ends the showing and removes the bar.
func (p *progress) clear() {
	close(p.stop)
	p.stopped.Wait()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
