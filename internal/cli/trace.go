package cli

import (
	"context"
	"errors"
	"io"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
)

// traceLine is one tested edge, names as in TransformerLens.
type traceLine struct {
	Receiver string  `json:"receiver"`
	Sender   string  `json:"sender"`
	Metric   float64 `json:"metric"`
	Effect   float64 `json:"effect"`
	Kept     bool    `json:"kept"`
}

// trace writes a file of tests while they are made. The file appears when the
// run succeeds.
type trace struct {
	graph *circuit.Graph
	lines chan []byte
	done  chan struct{} // closed when nothing is written any more
	err   error         // why; read after done
}

// errAbandoned makes a file that is not to appear.
var errAbandoned = errors.New("abandoned")

// startTrace begins to write a trace; abort is called if that fails. A nil
// trace is one that is not wanted.
func startTrace(ctx context.Context, path string, g *circuit.Graph, abort context.CancelFunc) *trace {
	if path == "" {
		return nil
	}
	t := &trace{graph: g, lines: make(chan []byte, 1024), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.err = atomicfile.WriteFile(ctx, path, func(w io.Writer) error { return t.copy(ctx, w) })
		if t.err != nil {
			abort()
		}
	}()
	return t
}

// copy writes lines until there are no more, which the empty line at the end
// confirms.
func (t *trace) copy(ctx context.Context, w io.Writer) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, ok := <-t.lines:
			if !ok {
				return errAbandoned
			}
			if line == nil {
				return nil
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
	}
}

// learnedLine is a step of masks that are learned.
type learnedLine struct {
	Step     int     `json:"step"`
	Loss     float64 `json:"loss"`
	Metric   float64 `json:"metric"`
	Sparsity float64 `json:"sparsity"`
}

// add writes a test, or a step of masks that are learned.
func (t *trace) add(ev discover.Event) {
	if t == nil {
		return
	}
	switch {
	case ev.Learned != nil:
		t.write(learnedLine{ev.Learned.Step, ev.Learned.Loss, ev.Learned.Metric, ev.Learned.Sparsity})
	case ev.Tests > 0:
		e := t.graph.Edge(ev.Edge)
		t.write(traceLine{t.graph.HookName(e.Receiver), t.graph.HookName(e.Sender), ev.Metric, ev.Effect, ev.Test.Kept})
	}
}

// write writes a line.
func (t *trace) write(what any) {
	line, err := jsonfile.Encode(what, "")
	if err != nil {
		return // the metric is infinite, which the result will refuse
	}
	select {
	case t.lines <- line:
	case <-t.done:
	}
}

// finish makes the file appear, or, if the run did not succeed, go away.
func (t *trace) finish(succeeded bool) error {
	if t == nil {
		return nil
	}
	if succeeded {
		select {
		case t.lines <- nil:
		case <-t.done:
		}
	}
	close(t.lines)
	<-t.done
	if errors.Is(t.err, errAbandoned) || errors.Is(t.err, context.Canceled) {
		return nil
	}
	return t.err
}
