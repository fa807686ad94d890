package study

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/task"
)

// MaxExamples bounds what one may ask for by a slip of the finger.
const MaxExamples = 1_000_000

// Where says where the prompts come from, for errors.
func (x *Study) Where() string {
	if x.Spec.Data == "" {
		return "task " + x.Spec.Task
	}
	return x.Spec.Data
}

// load reads or generates data whose token ids fit the model.
func (x *Study) load(ctx context.Context) (err error) {
	s := &x.Spec
	where := x.Where()
	if s.Data == "" {
		x.Data, err = x.generate(ctx)
	} else {
		x.Data, err = x.given(ctx)
	}
	if err != nil {
		return err
	}
	if s.permuted != nil && len(s.permuted) == len(x.Data.Clean[0]) && x.Data.PosPermutation == nil {
		x.Data.PosPermutation = s.permuted
	}
	err = x.Model.CheckTokens("\"clean\"", x.Data.Clean)
	if err == nil {
		if err := EnoughMemory(where, x.Model.Config, len(x.Data.Clean), len(x.Data.Clean[0])); err != nil {
			return err
		}
	}
	if err == nil && x.Data.Corrupt != nil {
		err = x.Model.CheckTokens("\"corrupt\"", x.Data.Corrupt)
	}
	if err == nil {
		err = x.Data.CheckAnswers(x.Model.Config.VocabOut)
	}
	if err == nil && s.Metric != "" {
		err = patch.Allows(s.Metric, x.Data, x.Model.Config)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// randomPrefix is followed by examples x tokens.
const randomPrefix = "random:"

// DataFile is the file that data of a name are read from, if there is one.
func DataFile(data string) []string {
	if data == "" || data == programData || strings.HasPrefix(data, randomPrefix) {
		return nil
	}
	return []string{data}
}

// given reads the data that the Spec names.
func (x *Study) given(ctx context.Context) (task.Data, error) {
	s := &x.Spec
	var d task.Data
	if shape, ok := strings.CutPrefix(s.Data, randomPrefix); ok {
		b, tokens, err := randomShape(shape)
		if err != nil {
			return d, err
		}
		if s.BOS != nil {
			return d, usagef("--data %s: expected no --bos and no --no-bos, since the prompts are token ids", s.Data)
		}
		if most := x.Model.Config.MaxTokens(); most > 0 && tokens > most {
			return d, fmt.Errorf("data %s: expected at most n_ctx = %d tokens an example, found %d", s.Data, most, tokens)
		}
		if err := EnoughMemory("data "+s.Data, x.Model.Config, b, tokens); err != nil {
			return d, err
		}
		d = task.Random(s.RandomSeed(), b, tokens, x.Model.Config.Vocab)
	} else if s.Data == programData {
		if x.Model.Program == nil {
			return d, usagef("--data program: expected a model that a program compiles to, found %s", x.Model.Name)
		}
		if s.BOS != nil {
			return d, usagef("--data program: expected no --bos and no --no-bos, since the prompts are token ids")
		}
		d, err := programPrompts(x.Model.Program, cmp.Or(s.Examples, ProgramExamples), s.RandomSeed())
		if err == nil && x.Model.Imitates() { // where the program has no value, the model says anything
			d.PosPermutation = nil
			d.Mask, err = x.Model.Defined(ctx, d.Clean)
		}
		return d, err
	} else {
		var err error
		if d, x.ids, err = ReadData(ctx, s.Data, x.Model.Tokenizer, s.BOS); err != nil {
			return d, err
		}
		s.Data = filepath.ToSlash(s.Data)
	}
	if n := len(d.Clean); s.Examples > n {
		return d, fmt.Errorf("%s: expected at least --examples %d, found %d", s.Data, s.Examples, n)
	}
	if s.Examples > 0 {
		d = d.Take(s.Examples)
	}
	return d, nil
}

// generate makes a task's prompts.
func (x *Study) generate(ctx context.Context) (task.Data, error) {
	var tok task.Tokenizer
	if x.Task.Text != nil {
		own, err := x.Model.Tokenizer(ctx)
		if err != nil {
			return task.Data{}, fmt.Errorf("task %s: %w", x.Task.Name, err)
		}
		tok = own
	}
	s := x.Spec
	return x.Task.Data(ctx, task.Draw{Seed: s.RandomSeed(), Examples: s.Examples, Half: s.Half, Variant: s.Variant}, tok, s.BOS)
}

// ReadData reads prompts: token ids of safetensors, or what other tools write,
// which text needs the model's tokenizer for. Where bos does not say, the start
// token stands before text, as TransformerLens puts it, and not before ids. It
// reports whether the file has ids.
func ReadData[T task.Tokenizer](ctx context.Context, path string, tokenizer func(context.Context) (T, error), bos *bool) (d task.Data, ids bool, err error) {
	if isSafetensors(path) {
		if bos != nil {
			return d, true, usagef("%s: expected no --bos and no --no-bos, since the file has token ids", path)
		}
		d, err = task.Read(ctx, path)
		return d, true, err
	}
	pairs, err := task.ReadPairs(ctx, path)
	if err != nil {
		return d, false, err
	}
	text := slices.ContainsFunc(pairs, func(p task.Pair) bool {
		return p.Clean.IDs == nil || !p.Corrupt.IsZero() && p.Corrupt.IDs == nil
	})
	o := task.EncodeOptions{Name: path}
	var tok task.Tokenizer
	if text || bos != nil && *bos {
		own, err := tokenizer(ctx)
		if err != nil {
			return d, false, fmt.Errorf("%s: %w", path, err)
		}
		tok = own
		_, o.BOS = tok.BOS()
	}
	if bos != nil {
		o.BOS = *bos
	}
	d, err = task.Encode(ctx, pairs, tok, o)
	return d, !text, err
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
	if len(parts) != 2 || err != nil || b < 1 || t < 1 || b > MaxExamples {
		return 0, 0, usagef("--data random:%s: expected random:BxT, examples x tokens, such as random:20x15", shape)
	}
	return b, t, nil
}
