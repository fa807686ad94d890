package study

import (
	"context"
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/judge"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// Metrics lists the metrics that the data allow, the study's own first.
func (x *Study) Metrics() []metric.Name {
	out := []metric.Name{x.Spec.Metric}
	for _, name := range metric.Names() {
		if name != x.Spec.Metric && patch.Allows(name, x.Data, x.Model.Config) == nil {
			out = append(out, name)
		}
	}
	return out
}

// OnHalf is the study on a half of its task's prompts, with the same model, which
// is closed with the study.
func (x *Study) OnHalf(ctx context.Context, h task.Half) (*Study, error) {
	s := x.Spec
	s.Half = h
	return x.Also(ctx, s)
}

// judgedData is data that a circuit is measured on, by name.
type judgedData struct {
	name string
	in   *Study
}

// judgedOn lists the data that a circuit is judged on: those of a file, a half
// that somebody asked for, or both halves of the task's prompts.
func (x *Study) judgedOn(ctx context.Context, half task.Half) ([]judgedData, error) {
	switch {
	case x.Spec.Data != "":
		return []judgedData{{"data", x}}, nil
	case half != "":
		return []judgedData{{string(half), x}}, nil
	}
	var out []judgedData
	for _, h := range task.Halves() {
		in, err := x.OnHalf(ctx, h)
		if err != nil {
			return nil, err
		}
		out = append(out, judgedData{string(h), in})
	}
	return out, nil
}

// Judge measures a file's circuit on the validation and on the test half of the
// task's prompts, on one if half says which, or on a file's data; and asks the
// last of them for a verdict by the study's own metric. Observe, if it is not nil,
// hears what comes next.
func (x *Study) Judge(ctx context.Context, f *circuit.File, half task.Half, metrics []metric.Name, o judge.Options, observe func(what string)) (*judge.File, error) {
	g, mask, _, err := f.Circuit()
	if err != nil {
		return nil, err
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	all, err := x.judgedOn(ctx, half)
	if err != nil {
		return nil, err
	}
	out := &judge.File{Options: o}
	out.SetCircuit(g, mask)
	var e *patch.Experiment // on the last of them
	for _, d := range all {
		if out.Judged = d.name; observe != nil {
			observe("metrics on " + d.name)
		}
		if e, err = d.in.measureAll(ctx, g, mask, metrics, out); err != nil {
			return nil, fmt.Errorf("%s: %w", d.in.Where(), err)
		}
	}
	last := all[len(all)-1].in
	out.Run = last.Run(e)
	if err := last.Identify(ctx, &out.Run); err != nil {
		return nil, err
	}
	v, err := judge.Judge(ctx, e, mask, o, observe)
	if err != nil {
		return nil, err
	}
	out.Verdict = *v
	return out, out.Check()
}

// measureAll adds the measurements of a circuit by some metrics, and returns the
// experiment by the study's own, of which all share the two runs.
func (x *Study) measureAll(ctx context.Context, g *circuit.Graph, mask circuit.Mask, metrics []metric.Name, out *judge.File) (*patch.Experiment, error) {
	own, err := patch.Bind(ctx, x.Config(g.Config().Definition, g.Config().SplitEmbed))
	if err != nil {
		return nil, err
	}
	for _, name := range metrics {
		e := own
		if name != x.Spec.Metric {
			if e, err = own.With(ctx, name); err != nil {
				return nil, err
			}
		}
		m, err := judge.Measure(ctx, e, mask)
		if err != nil {
			return nil, err
		}
		m.Data = out.Judged
		out.Measurements = append(out.Measurements, *m)
	}
	return own, nil
}
