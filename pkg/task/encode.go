package task

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Tokenizer turns text into token ids; package tokenizer has them.
type Tokenizer interface {
	Encode(text string) []int // without a token for the beginning
	Token(id int) string      // the text of one token, to be shown, whatever the id
	BOS() (id int, ok bool)
}

// EncodeOptions say how prompts become tokens.
type EncodeOptions struct {
	Name string // what errors call the source of the prompts
	BOS  bool   // put the tokenizer's token for the beginning in front of each prompt that has none
}

// padToken fills up short prompts. Attention does not see it.
const padToken = 0

// maxTokens bounds the clean prompts together with their padding.
const maxTokens = 1 << 28

// Encode turns pairs into token ids. A clean and a corrupt prompt must have as
// many tokens; where the examples have different numbers, shorter ones are
// padded on the left, so that the last position is that of the answer in all.
// Each answer must be a single token. Without a tokenizer (nil) all prompts and
// answers must be token ids already. Whether ids are in the model's vocabulary
// is the model's to judge. Where the context ends, its error is returned.
func Encode(ctx context.Context, pairs []Pair, tok Tokenizer, o EncodeOptions) (Data, error) {
	d, err := encode(ctx, pairs, tok, o)
	if ended := ctx.Err(); ended != nil {
		return Data{}, ended
	}
	if err != nil {
		if o.Name != "" {
			err = fmt.Errorf("%s: %w", o.Name, err)
		}
		return Data{}, err
	}
	return d, nil
}

func encode(ctx context.Context, pairs []Pair, tok Tokenizer, o EncodeOptions) (Data, error) {
	var d Data
	if len(pairs) == 0 {
		return d, errors.New("expected at least one prompt, found none")
	}
	d.Called = pairs[0].Called
	e := encoder{tok: tok, answers: map[string]int{}}
	if o.BOS {
		if err := e.findBOS(); err != nil {
			return d, err
		}
	}
	for i, p := range pairs {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		if p.Corrupt.IsZero() != pairs[0].Corrupt.IsZero() {
			return d, fmt.Errorf("prompt %d: \"corrupt\": expected one in all pairs or in none, found prompt 1 to differ", i+1)
		}
		if err := e.add(&d, p); err != nil {
			return d, fmt.Errorf("prompt %d: %w", i+1, err)
		}
	}
	if !slices.ContainsFunc(d.Correct, func(a []int) bool { return len(a) > 0 }) {
		d.Correct = nil
	}
	if !slices.ContainsFunc(d.Wrong, func(a []int) bool { return len(a) > 0 }) {
		d.Wrong = nil
	}
	return d, d.padLeft()
}

// encoder turns prompts into tokens.
type encoder struct {
	tok     Tokenizer
	bos     []int          // to begin with, or nil
	answers map[string]int // tokens of answers met before
}

func (e *encoder) findBOS() error {
	if e.tok == nil {
		return errors.New("expected a tokenizer that knows the token for the beginning, found no tokenizer")
	}
	id, ok := e.tok.BOS()
	if !ok {
		return errors.New("expected a tokenizer with a token for the beginning (BOS), found one without")
	}
	e.bos = []int{id}
	return nil
}

// add encodes one pair.
func (e *encoder) add(d *Data, p Pair) error {
	clean, err := e.prompt("clean", p.Clean)
	if err != nil {
		return err
	}
	if !p.Corrupt.IsZero() {
		corrupt, err := e.prompt("corrupt", p.Corrupt)
		if err != nil {
			return err
		}
		if len(clean) != len(corrupt) {
			a, b := sideBySide(Spell(e.tok, clean), Spell(e.tok, corrupt))
			return fmt.Errorf("\"clean\" and \"corrupt\": expected as many tokens, found %d and %d: %s / %s", len(clean), len(corrupt), a, b)
		}
		d.Corrupt = append(d.Corrupt, corrupt)
	}
	correct, err := e.single(p.Called.correct(), p.Correct)
	if err != nil {
		return err
	}
	wrong, err := e.single(p.Called.wrong(), p.Wrong)
	if err != nil {
		return err
	}
	d.Clean, d.Correct, d.Wrong = append(d.Clean, clean), append(d.Correct, correct), append(d.Wrong, wrong)
	return nil
}

// prompt returns the tokens of a prompt.
func (e *encoder) prompt(field string, p Prompt) ([]int, error) {
	if p.IsZero() {
		return nil, fmt.Errorf("%q: expected a text or token numbers, found neither", field)
	}
	ids, err := e.ids(field, p)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%q: expected at least one token, found none", field)
	}
	if e.bos != nil && ids[0] != e.bos[0] {
		return slices.Concat(e.bos, ids), nil
	}
	return slices.Clone(ids), nil
}

// ids returns the tokens of a text or what stands for one.
func (e *encoder) ids(field string, p Prompt) ([]int, error) {
	if p.IDs != nil {
		return p.IDs, nil
	}
	if e.tok == nil {
		return nil, fmt.Errorf("%q: expected token numbers, since there is no tokenizer, found the text %s", field, oneline.Quote(p.Text))
	}
	return e.tok.Encode(p.Text), nil
}

// single returns the tokens of answers, each a single one.
func (e *encoder) single(field string, answers []Prompt) ([]int, error) {
	out := make([]int, 0, len(answers))
	for _, a := range answers {
		id, known := e.answers[a.Text]
		if !known || a.IDs != nil {
			ids, err := e.ids(field, a)
			if err != nil {
				return nil, err
			}
			if len(ids) != 1 {
				return nil, e.notSingle(field, a, ids)
			}
			id = ids[0]
		}
		if a.IDs == nil {
			e.answers[a.Text] = id
		}
		out = append(out, id)
	}
	return out, nil
}

func (e *encoder) notSingle(field string, a Prompt, ids []int) error {
	if len(ids) == 0 {
		return fmt.Errorf("%q: expected answers of a single token, found one of none", field)
	}
	shown, _ := sideBySide(Spell(e.tok, ids), nil)
	if a.IDs != nil {
		return fmt.Errorf("%q: expected answers of a single token, found one of %d: %s", field, len(ids), shown)
	}
	return fmt.Errorf("%q: expected answers of a single token, found %s of %d: %s", field, oneline.Quote(a.Text), len(ids), shown)
}

// padLeft makes all examples as long as the longest.
func (d *Data) padLeft() error {
	shortest, longest := len(d.Clean[0]), len(d.Clean[0])
	for _, row := range d.Clean {
		shortest, longest = min(shortest, len(row)), max(longest, len(row))
	}
	if shortest == longest {
		return nil
	}
	if len(d.Clean) > maxTokens/longest {
		return fmt.Errorf("expected at most %d tokens with padding, found %d prompts of up to %d tokens", maxTokens, len(d.Clean), longest)
	}
	d.Pad = make([]int, len(d.Clean))
	for i, row := range d.Clean {
		pad := slices.Repeat([]int{padToken}, longest-len(row))
		d.Pad[i] = len(pad)
		d.Clean[i] = append(slices.Clone(pad), row...)
		if d.Corrupt != nil {
			d.Corrupt[i] = append(pad, d.Corrupt[i]...)
		}
	}
	return nil
}
