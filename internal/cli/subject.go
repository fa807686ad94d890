package cli

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// subject says what is examined and by which measure: flags that several
// commands share. What is empty is the task's to choose.
type subject struct {
	task     string
	model    string
	data     string
	metric   metric.Name
	ablation patch.Ablation
	seed     uint64
	examples int // 0 for all of a file, or the task's own number
}

// limits of what one may ask for by a slip of the finger.
const (
	maxExamples = 1_000_000
	maxThreads  = 4096
)

func (s *subject) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	taskNames := names(task.All(), func(t task.Task) string { return t.Name })
	choice(cmd, &s.task, "task", "", "what the model is to do; brings model, data, metric, threshold and ablation", taskNames,
		func(name string) (string, error) {
			_, err := task.Find(name)
			return name, err
		})
	typed(fs, &s.model, "model", "", "MODEL", "a name that acdc models lists, a folder with config.json and model.safetensors, or a .safetensors file", parseText("a name, a folder or a file"))
	models := names(append(zoo.All(), zoo.Families()[:2]...), func(e zoo.Entry) string { return e.Name })
	_ = cmd.RegisterFlagCompletionFunc("model", cobra.FixedCompletions(models, cobra.ShellCompDirectiveDefault))
	typed(fs, &s.data, "data", "", "FILE", "clean and corrupt prompts in a safetensors file (clean, corrupt; mask, labels, correct, wrong), or random:BxT for random ones", parseText("a file or random:BxT"))
	choice(cmd, &s.metric, "metric", "", "what is measured, default the task's or kl_div", texts(metric.Names()), metric.ParseName)
	choice(cmd, &s.ablation, "ablation", "", "what cut edges carry, default the task's or resample", texts(patch.Ablations()), patch.ParseAblation)
	typed(fs, &s.seed, "seed", "0", "N", "of everything that is random", parseSeed)
	typed(fs, &s.examples, "examples", "", "N", "prompts to use, default all of a file or the task's number", parseCount(maxExamples))
}

// names lists a field of all entries.
func names[T any](entries []T, name func(T) string) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = name(e)
	}
	return out
}

// resolve takes from the task what was not given, and returns the task; without
// one it is the task of no name that says the defaults.
func (s *subject) resolve() (task.Task, error) {
	t := task.Task{Metric: string(metric.KL), Threshold: 0.1, Ablation: string(patch.Resample)}
	if s.task != "" {
		var err error
		if t, err = task.Find(s.task); err != nil {
			return t, &usageError{err}
		}
	} else if s.model == "" || s.data == "" {
		return t, usagef("%s: expected --task NAME, or --model and --data together", given(s))
	}
	if s.model == "" {
		s.model = t.Model
	}
	if s.metric == "" {
		s.metric = metric.Name(t.Metric)
	}
	if s.ablation == "" {
		s.ablation = patch.Ablation(t.Ablation)
	}
	return t, nil
}

// given says in an error what there is instead of a task.
func given(s *subject) string {
	switch {
	case s.model != "":
		return "--model without --data"
	case s.data != "":
		return "--data without --model"
	}
	return "no task"
}

// opened is a subject's model and data.
type opened struct {
	model *zoo.Model
	data  task.Data
}

// open loads model and data. The caller closes the model.
func (s *subject) open(t task.Task) (*opened, error) {
	m, err := zoo.Open(s.model)
	if err != nil {
		return nil, err
	}
	in, err := s.withData(t, m)
	if err != nil {
		_ = m.Close() // the first error says more
	}
	return in, err
}

// withData loads data whose token ids fit the model.
func (s *subject) withData(t task.Task, m *zoo.Model) (*opened, error) {
	o := &opened{model: m}
	where := s.data
	if s.data == "" {
		where = "task " + s.task
	}
	if err := s.load(t, o); err != nil {
		return nil, err
	}
	s.model = m.Name
	return o, fits(o, where)
}

// fits checks the token ids of the data, and their number.
func fits(o *opened, where string) error {
	err := o.model.CheckTokens("\"clean\"", o.data.Clean)
	if err == nil {
		if err := enoughMemory(where, o.model.Config, len(o.data.Clean), len(o.data.Clean[0])); err != nil {
			return err
		}
	}
	if err == nil && o.data.Corrupt != nil {
		err = o.model.CheckTokens("\"corrupt\"", o.data.Corrupt)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// randomPrefix is followed by examples x tokens.
const randomPrefix = "random:"

// load reads or generates the data.
func (s *subject) load(t task.Task, o *opened) error {
	if s.data == "" {
		n := s.examples
		if n == 0 {
			n = t.Examples
		}
		o.data = t.Generate(s.seed, n)
		return nil
	}
	if shape, ok := strings.CutPrefix(s.data, randomPrefix); ok {
		b, tokens, err := randomShape(shape)
		if err != nil {
			return err
		}
		if ctx := o.model.Config.Ctx; tokens > ctx {
			return fmt.Errorf("data %s: expected at most n_ctx = %d tokens an example, found %d", s.data, ctx, tokens)
		}
		if err := enoughMemory("data "+s.data, o.model.Config, b, tokens); err != nil {
			return err
		}
		o.data = task.Random(s.seed, b, tokens, o.model.Config.Vocab)
	} else {
		var err error
		if o.data, err = task.Read(s.data); err != nil {
			return err
		}
		s.data = filepath.ToSlash(s.data)
	}
	if n := len(o.data.Clean); s.examples > n {
		return fmt.Errorf("%s: expected at least --examples %d, found %d", s.data, s.examples, n)
	}
	if s.examples > 0 {
		o.data = o.data.Take(s.examples)
	}
	return nil
}

// randomShape reads BxT.
func randomShape(shape string) (b, t int, err error) {
	parts := strings.Split(shape, "x")
	if len(parts) == 2 {
		b, err = strconv.Atoi(parts[0])
		if err == nil {
			t, err = strconv.Atoi(parts[1])
		}
	}
	if len(parts) != 2 || err != nil || b < 1 || t < 1 || b > maxExamples {
		return 0, 0, usagef("--data random:%s: expected random:BxT, examples x tokens, such as random:20x15", shape)
	}
	return b, t, nil
}
