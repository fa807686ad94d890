package rasp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Domain is what a program runs on.
type Domain struct {
	Vocab  []Value // the tokens that an input may have, in the order of Compare
	MaxLen int     // of an input
	Causal bool    // positions look only at themselves and at those before
}

// The sizes of a domain.
const (
	MaxVocab  = 10_000
	MaxLength = 1000
)

// NewDomain makes a domain, the vocabulary sorted.
func NewDomain(vocab []Value, maxLen int, causal bool) (Domain, error) {
	d := Domain{slices.Clone(vocab), maxLen, causal}
	slices.SortFunc(d.Vocab, Compare)
	return d, d.check()
}

func (d Domain) check() error {
	if d.MaxLen < 1 || d.MaxLen > MaxLength {
		return fmt.Errorf("maximum length: expected 1 to %d, found %d", MaxLength, d.MaxLen)
	}
	if n := len(d.Vocab); n < 1 || n > MaxVocab {
		return fmt.Errorf("vocabulary: expected 1 to %d tokens, found %d", MaxVocab, n)
	}
	for i, v := range d.Vocab {
		if !v.Defined() {
			return fmt.Errorf("vocabulary: expected numbers, strings and truth values, found %s", v.Kind())
		}
		if i > 0 && v == d.Vocab[i-1] {
			return fmt.Errorf("vocabulary: expected every token once, found %q twice", v)
		}
		if err := v.finite(); err != nil {
			return fmt.Errorf("vocabulary: %w", err)
		}
	}
	return nil
}

// CheckInput checks that an input is one of the domain's.
func (d Domain) CheckInput(input []Value) error {
	if len(input) < 1 || len(input) > d.MaxLen {
		return fmt.Errorf("input: expected 1 to %d tokens, found %d", d.MaxLen, len(input))
	}
	for i, v := range input {
		if _, ok := slices.BinarySearchFunc(d.Vocab, v, Compare); !ok {
			return fmt.Errorf("input: expected tokens of the vocabulary, found %q at position %d", v, i)
		}
	}
	return nil
}

// Inputs are all inputs of 1 to MaxLen tokens, the short ones first, if they are
// at most so many; else so many random ones, of all lengths alike, drawn by the
// seed.
func (d Domain) Inputs(most int, seed uint64) (inputs [][]Value, all bool) {
	total := 0.0
	for n := 1; n <= d.MaxLen; n++ {
		total += math.Pow(float64(len(d.Vocab)), float64(n))
	}
	if total <= float64(most) {
		return d.all(), true
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	for range most {
		input := make([]Value, 1+rng.IntN(d.MaxLen))
		for i := range input {
			input[i] = d.Vocab[rng.IntN(len(d.Vocab))]
		}
		inputs = append(inputs, input)
	}
	return inputs, false
}

func (d Domain) all() (out [][]Value) {
	last := [][]Value{nil}
	for range d.MaxLen {
		var longer [][]Value
		for _, x := range last {
			for _, v := range d.Vocab {
				longer = append(longer, append(slices.Clone(x), v))
			}
		}
		out, last = append(out, longer...), longer
	}
	return out
}
