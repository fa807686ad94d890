package cli

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// subject says what is examined and by which measure: flags that several
// commands share. What is empty is the task's to choose.
type subject struct {
	modelFlags
	task     string
	data     string
	metric   metric.Name
	ablation ablate.Ablation
	seed     uint64
	examples int // 0 for all of a file, or the task's own number
	promptFlags
}

// promptFlags say which of a task's prompts are taken, and how text becomes
// tokens.
type promptFlags struct {
	half    task.Half
	variant string
	bos     *bool // nil as task, data and model have it
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
	typed(fs, &s.data, "data", "", "FILE", "clean and corrupt prompts: safetensors (clean, corrupt; mask, labels, correct, wrong), JSON, JSON lines or CSV of other tools, or random:BxT for random ones", parseText("a file or random:BxT"))
	choice(cmd, &s.metric, "metric", "", "what is measured, default the task's or kl_div", texts(metric.Names()), metric.ParseName)
	choice(cmd, &s.ablation, "ablation", "", "what cut edges carry, default the task's or resample", texts(ablate.Ablations()), ablate.Parse)
	typed(fs, &s.seed, "seed", "0", "N", "of everything that is random", parseSeed)
	typed(fs, &s.examples, "examples", "", "N", "prompts to use, default all of a file or the task's number", parseCount(maxExamples))
	s.promptFlags.flags(cmd)
	s.modelFlags.flags(cmd)
}

func (p *promptFlags) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	choice(cmd, &p.half, "half", "", "of a task's prompts, default validation", texts(task.Halves()), oneOf("half", task.Halves()))
	choice(cmd, &p.variant, "variant", "", "of a task's prompts, default the first", variantNames(), oneOf("variant", variantNames()))
	typed(fs, &p.bos, "bos", "", "BOOL", "put the model's start token before each prompt, default as the task or the tokenizer has it", parseSwitch)
	fs.Lookup("bos").NoOptDefVal = "true"
	typed(fs, &p.bos, "no-bos", "", "BOOL", "put no start token before prompts", func(s string) (*bool, error) {
		no, err := parseSwitch(s)
		if err != nil {
			return nil, err
		}
		bos := !*no
		return &bos, nil
	})
	fs.Lookup("no-bos").NoOptDefVal = "true"
}

// variantNames lists the variants of all tasks.
func variantNames() []string {
	var out []string
	for _, g := range task.Generators() {
		for _, v := range g.Variants {
			if !slices.Contains(out, v.Name) {
				out = append(out, v.Name)
			}
		}
	}
	return out
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
	t := task.Task{Metric: string(metric.KL), Threshold: 0.1, Ablation: string(ablate.Resample)}
	if s.task != "" {
		var err error
		if t, err = task.Find(s.task); err != nil {
			return t, &usageError{err}
		}
	} else if s.model == "" || s.data == "" {
		return t, usagef("%s: expected --task NAME, or --model and --data together", given(s))
	}
	if s.data != "" && (s.half != "" || s.variant != "") {
		return t, usagef("--data %s: expected no --half and no --variant, which are of a task's prompts", s.data)
	}
	if s.data == "" {
		if err := cmp.Or(t.CheckVariant(s.variant), t.CheckBOS(s.bos)); err != nil {
			return t, &usageError{err}
		}
	}
	if s.model == "" {
		s.model = t.Model
	}
	if s.metric == "" {
		s.metric = metric.Name(t.Metric)
	}
	if s.ablation == "" {
		s.ablation = ablate.Ablation(t.Ablation)
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
	m, err := s.openModel()
	if err != nil {
		return nil, err
	}
	in, err := s.withData(t, m)
	if err != nil {
		_ = m.Close() // the first error says more
		return nil, err
	}
	return in, nil
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
	if err := fits(o, where); err != nil {
		return nil, err
	}
	return o, nil
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
		return s.generate(t, o)
	}
	if shape, ok := strings.CutPrefix(s.data, randomPrefix); ok {
		b, tokens, err := randomShape(shape)
		if err != nil {
			return err
		}
		if s.bos != nil {
			return usagef("--data %s: expected no --bos and no --no-bos, since the prompts are token ids", s.data)
		}
		if most := o.model.Config.MaxTokens(); most > 0 && tokens > most {
			return fmt.Errorf("data %s: expected at most n_ctx = %d tokens an example, found %d", s.data, most, tokens)
		}
		if err := enoughMemory("data "+s.data, o.model.Config, b, tokens); err != nil {
			return err
		}
		o.data = task.Random(s.seed, b, tokens, o.model.Config.Vocab)
	} else {
		var err error
		if o.data, err = readData(s.data, o.model.Tokenizer, s.bos); err != nil {
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

// generate makes a task's prompts.
func (s *subject) generate(t task.Task, o *opened) error {
	var tok task.Tokenizer
	if t.Text != nil {
		own, err := o.model.Tokenizer()
		if err != nil {
			return fmt.Errorf("task %s: %w", t.Name, err)
		}
		tok = own
	}
	var err error
	o.data, err = t.Data(task.Draw{Seed: s.seed, Examples: s.examples, Half: s.half, Variant: s.variant}, tok, s.bos)
	return err
}

// readData reads prompts: token ids of safetensors, or what other tools write,
// which text needs the model's tokenizer for. Where bos does not say, the start
// token stands before text, as TransformerLens puts it, and not before ids.
func readData[T task.Tokenizer](path string, tokenizer func() (T, error), bos *bool) (task.Data, error) {
	if isSafetensors(path) {
		if bos != nil {
			return task.Data{}, usagef("%s: expected no --bos and no --no-bos, since the file has token ids", path)
		}
		return task.Read(path)
	}
	pairs, err := task.ReadPairs(path)
	if err != nil {
		return task.Data{}, err
	}
	text := slices.ContainsFunc(pairs, func(p task.Pair) bool {
		return p.Clean.IDs == nil || !p.Corrupt.IsZero() && p.Corrupt.IDs == nil
	})
	o := task.EncodeOptions{Name: path}
	var tok task.Tokenizer
	if text || bos != nil && *bos {
		own, err := tokenizer()
		if err != nil {
			return task.Data{}, fmt.Errorf("%s: %w", path, err)
		}
		tok = own
		_, o.BOS = tok.BOS()
	}
	if bos != nil {
		o.BOS = *bos
	}
	return task.Encode(pairs, tok, o)
}

// isSafetensors tells safetensors from text: a length of 8 bytes that no text
// begins with, and a brace. What cannot be read is not.
func isSafetensors(path string) bool {
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		return true
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 9)
	if _, err := io.ReadFull(f, head); err != nil {
		return false
	}
	return head[8] == '{' && binary.LittleEndian.Uint64(head) <= uint64(info.Size())
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
