package task

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/seed-2c350065/acdc/internal/choice"
)

// Half is a part of a task's pairs: circuits are found on one half and may be
// tested on the other.
type Half string

// The halves.
const (
	Validation Half = "validation" // the pairs that discovery runs on
	Test       Half = "test"       // as many again, none of them in the other half
)

// Halves lists the valid halves.
func Halves() []Half { return []Half{Validation, Test} }

// ParseHalf reads a half's name; another is an error that lists the valid ones.
func ParseHalf(s string) (Half, error) { return choice.Parse("half", s, Halves()) }

// Variant is a way to make a text task's prompts or their corruption.
type Variant struct {
	Name        string
	Description string // one line
}

// Generator makes the pairs of a text task, and says what the task is run with
// unless told otherwise.
type Generator struct {
	Name        string
	Description string  // one line
	Model       string  // model that the behaviour was described in
	Builtin     string  // builtin model that was trained on it
	Metric      string  // default metric
	Threshold   float64 // default threshold
	Ablation    string  // default ablation
	Examples    int     // default number of examples
	BOS         bool    // whether a start token stands before the prompts
	Variants    []Variant

	stream uint64 // sets the task's random numbers apart from other tasks' of the same seed
	// prepare looks up the words that a lexicon allows and returns what draws
	// one pair.
	prepare func(variant string, l lexicon) (func(*rand.Rand) Pair, error)
}

// Generators lists the text tasks.
func Generators() []Generator { return []Generator{ioi, greaterThan, docstring} }

// Draw says which pairs to make.
type Draw struct {
	Seed     uint64
	Examples int
	Half     Half   // empty is Validation
	Variant  string // empty is the first of Generator.Variants
	Words    Words  // that prompts may be made of, nil for all
}

// manyDraws is how often in a row a prompt may come up that was made before,
// until there are held to be no others.
const manyDraws = 1000

// Pairs makes pairs whose clean prompts all differ. The pairs of one seed are
// one sequence, of which Validation is the first d.Examples and Test the next
// as many. In each pair clean and corrupt are of the same number of tokens.
func (g Generator) Pairs(ctx context.Context, d Draw, enc Encoder) ([]Pair, error) {
	first, err := g.first(d)
	if err != nil {
		return nil, err
	}
	draw, err := g.Drawer(d.Variant, d.Words, enc)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(d.Seed, g.stream))
	seen := map[string]bool{}
	var pairs []Pair
	for repeats := 0; len(seen)-first < d.Examples; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := draw(rng)
		if seen[p.Clean.Text] {
			if repeats++; repeats == manyDraws {
				return nil, fmt.Errorf("%s: expected %d different prompts, found %d under this tokenizer", g.Name, first+d.Examples, len(seen))
			}
			continue
		}
		repeats = 0
		seen[p.Clean.Text] = true
		if len(seen) <= first {
			continue
		}
		if a, b := len(enc.Encode(p.Clean.Text)), len(enc.Encode(p.Corrupt.Text)); a != b {
			return nil, fmt.Errorf("%s: expected the %d tokens of %q in its corrupt prompt, found %d in %q", g.Name, a, p.Clean.Text, b, p.Corrupt.Text)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// Drawer returns what draws one pair of a variant, the first for an empty name,
// from words of which each is one token.
func (g Generator) Drawer(variant string, words Words, enc Encoder) (func(*rand.Rand) Pair, error) {
	variant, err := g.variant(variant)
	if err != nil {
		return nil, err
	}
	if enc == nil {
		return nil, fmt.Errorf("%s: expected a tokenizer, found none", g.Name)
	}
	return g.prepare(variant, lexicon{g.Name, enc, words})
}

// first is how many pairs of the sequence come before those asked for.
func (g Generator) first(d Draw) (int, error) {
	if d.Examples < 1 {
		return 0, fmt.Errorf("%s: expected at least one example, found %d", g.Name, d.Examples)
	}
	switch d.Half {
	case Validation, "":
		return 0, nil
	case Test:
		return d.Examples, nil
	}
	return 0, fmt.Errorf("%s: unknown half %q: expected one of %s, %s", g.Name, d.Half, Validation, Test)
}

// variant is the name of a variant, the first for an empty one.
func (g Generator) variant(name string) (string, error) {
	names := make([]string, len(g.Variants))
	for i, v := range g.Variants {
		if v.Name == name || name == "" {
			return v.Name, nil
		}
		names[i] = v.Name
	}
	return "", fmt.Errorf("%s: unknown variant %q: expected one of %s", g.Name, name, strings.Join(names, ", "))
}

// texts makes a prompt of each word.
func texts(before string, words ...string) []Prompt {
	out := make([]Prompt, len(words))
	for i, w := range words {
		out[i] = Prompt{Text: before + w}
	}
	return out
}
