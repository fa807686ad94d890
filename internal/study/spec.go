// Package study is what a command line and a circuit file both describe: which
// model, which data, which measure.
//
// The steps:
//
//  1. a Spec says what decides a result; flags fill one, a file's provenance
//     gives another (FromRun), and Over lays the one over the other;
//  2. Spec.Open takes from the task what nobody said, opens model and data, and
//     checks that they fit: a Study;
//  3. Study.Config is what package patch binds, and Study.Run the provenance
//     that is written with the result, from which FromRun makes the same Spec.
//
// Nothing is changed on the way: each step returns its own value.
package study

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

// Spec says what decides a result, as far as anybody said: what is empty is for
// the task, or the circuit's file, to choose.
type Spec struct {
	Model      string
	Processing checkpoint.Switches // of the model's weights
	Reset      *uint64             // the seed that the weights are shuffled by, as a control
	NoReset    bool                // they are not, whatever a file says

	Task     string
	Data     string  // a file, or random:BxT
	Examples int     // 0 for all of a file, or the task's own number
	Seed     *uint64 // of everything that is random, 0 if nil
	Half     task.Half
	Variant  string
	BOS      *bool // whether a start token stands before the prompts, nil as task, data and model have it
	permuted []int // where a file's corrupted run took its position embeddings from

	Metric    metric.Name
	Ablation  ablate.Ablation
	Constants *circuit.Constants // what ablated senders send, of optimal ablation, if a file says it
}

// UsageError is a Spec that cannot be meant.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// FromRun is the Spec of a file's provenance. A name that is not known is an
// error that names the field.
func FromRun(r circuit.Run) (Spec, error) {
	seed := r.Seed
	s := Spec{Model: r.Model, Reset: r.ResetWeights, NoReset: r.ResetWeights == nil, Task: r.Task, Data: r.Data, Examples: r.Examples,
		Seed: &seed, Variant: r.Variant, BOS: r.BOS, permuted: r.PosPermutation}
	var err error
	field := func(name string, e error) {
		if e != nil && err == nil {
			err = fmt.Errorf("field %q: %v", name, e) // whatever it is, it is no fault of the flags
		}
	}
	if r.Processing != nil {
		yes := true
		s.Processing = checkpoint.NoProcessing()
		for _, name := range r.Processing {
			into, e := s.Processing.Step(name)
			if field("processing", e); e == nil {
				*into = &yes
			}
		}
	}
	if r.Task != "" {
		t, e := task.Find(r.Task)
		field("task", e)
		if e == nil && r.Data == "" {
			field("variant", t.CheckVariant(r.Variant))
			field("bos", t.CheckBOS(r.BOS))
		}
	}
	if shape, ok := strings.CutPrefix(r.Data, randomPrefix); ok {
		b, _, e := randomShape(shape)
		if field("data", e); e == nil && r.Examples > b {
			field("examples", fmt.Errorf("expected at most %d, as many as data %s has, found %d", b, r.Data, r.Examples))
		}
	}
	if r.Half != "" {
		var e error
		s.Half, e = task.ParseHalf(r.Half)
		field("half", e)
	}
	if r.Order != "" {
		_, e := acdc.ParseOrder(r.Order)
		field("order", e)
	}
	if r.Metric != "" {
		var e error
		s.Metric, e = metric.ParseName(r.Metric)
		field("metric", e)
	}
	if r.Ablation != "" {
		var e error
		s.Ablation, e = ablate.Parse(r.Ablation)
		field("ablation", e)
	}
	if s.Constants = r.Constants; r.Constants != nil && s.Ablation != ablate.Optimal {
		field("constants", fmt.Errorf("expected ablation %s, found %s", ablate.Optimal, r.Ablation))
	}
	return s, err
}

// Over is s with what it does not say as base says it. Data are taken whole:
// where s names data or a task, nothing of base's data is; and what was done to
// the weights of base's model is of no other model.
func (s Spec) Over(base Spec) Spec {
	if s.Model == "" || s.Model == base.Model {
		s.Model = base.Model
		s.Processing = s.Processing.Over(base.Processing)
		if s.Reset == nil && !s.NoReset {
			s.Reset, s.NoReset = base.Reset, base.NoReset
		}
	}
	if s.Task == "" && s.Data == "" {
		s.Task, s.Data, s.permuted = base.Task, base.Data, base.permuted
		if s.Examples == 0 {
			s.Examples = base.Examples
		}
		if s.Half == "" {
			s.Half = base.Half
		}
		if s.Variant == "" {
			s.Variant = base.Variant
		}
		if s.BOS == nil {
			s.BOS = base.BOS
		}
	}
	if s.Seed == nil {
		s.Seed = base.Seed
	} else if base.Seed == nil || *s.Seed != *base.Seed {
		s.permuted = nil // another seed draws another permutation
	}
	if s.Metric == "" {
		s.Metric = base.Metric
	}
	if s.Ablation == "" || s.Ablation == base.Ablation {
		s.Ablation = base.Ablation
		if s.Model == base.Model {
			s.Constants = base.Constants
		}
	}
	return s
}

// RandomSeed is the seed of everything that is random.
func (s Spec) RandomSeed() uint64 {
	if s.Seed == nil {
		return 0
	}
	return *s.Seed
}

// Resolve takes from the task what nobody said, and returns the task; without
// one it is the task of no name that says the defaults.
func (s Spec) Resolve() (Spec, task.Task, error) {
	t := task.Task{Metric: string(metric.KL), Threshold: 0.1, Ablation: string(ablate.Resample)}
	if s.Task != "" {
		var err error
		if t, err = task.Find(s.Task); err != nil {
			return s, t, &UsageError{err}
		}
	} else if s.Model == "" || s.Data == "" {
		return s, t, usagef("%s: expected --task NAME, or --model and --data together", s.given())
	}
	if s.Data == programData {
		t = task.Task{Metric: string(metric.L2), Threshold: 0.001, Ablation: string(ablate.Zero), SplitEmbed: true}
	}
	if s.Data != "" && (s.Half != "" || s.Variant != "") {
		return s, t, usagef("--data %s: expected no --half and no --variant, which are of a task's prompts", s.Data)
	}
	if s.Data == "" {
		if err := cmp.Or(t.CheckVariant(s.Variant), t.CheckBOS(s.BOS)); err != nil {
			return s, t, &UsageError{err}
		}
	}
	if s.Model == "" {
		s.Model = t.Model
	}
	if s.Metric == "" {
		s.Metric = metric.Name(t.Metric)
	}
	if s.Ablation == "" {
		s.Ablation = ablate.Ablation(t.Ablation)
	}
	return s, t, nil
}

// given says in an error what there is instead of a task.
func (s Spec) given() string {
	switch {
	case s.Model != "":
		return "--model without --data"
	case s.Data != "":
		return "--data without --model"
	}
	return "no task"
}
