package train

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Kind says what a model is trained on.
type Kind string

// The kinds of data.
const (
	Repeats     Kind = "repeats"     // random tokens of which a block is repeated
	Text        Kind = "text"        // the prompts of the text tasks, lists of words and numbers
	Interchange Kind = "interchange" // the inputs of a program, which the model is to compute as the program does
)

// Kinds lists the kinds of data.
func Kinds() []Kind { return []Kind{Repeats, Text, Interchange} }

// Data says what a model is trained on.
type Data struct {
	Kind        Kind              `json:"kind"`
	Repeats     *task.Repeats     `json:"repeats,omitempty"`     // of Repeats
	Measured    *task.Repeats     `json:"measured,omitempty"`    // of Repeats, the prompts that the model is measured on, if they are others
	Text        *TextData         `json:"text,omitempty"`        // of Text
	Interchange *interchange.Spec `json:"interchange,omitempty"` // of Interchange
}

func (d Data) check(ctx context.Context, c transformer.Config) error {
	if _, err := choice.Parse("kind", string(d.Kind), Kinds()); err != nil {
		return fmt.Errorf("field \"data.kind\": %w", err)
	}
	if (d.Kind == Repeats) != (d.Repeats != nil) || (d.Kind == Text) != (d.Text != nil) || (d.Kind == Interchange) != (d.Interchange != nil) ||
		d.Kind != Repeats && d.Measured != nil {
		return fmt.Errorf("field \"data\": expected the field %q beside the kind, and no other kind's", d.Kind)
	}
	switch d.Kind {
	case Text:
		return d.Text.check(c)
	case Interchange:
		if _, err := interchange.New(ctx, *d.Interchange, c); err != nil {
			return fmt.Errorf("field \"data.interchange\": %w", err)
		}
		return nil
	}
	if err := checkRepeats("repeats", *d.Repeats, c); err != nil || d.Measured == nil {
		return err
	}
	return checkRepeats("measured", *d.Measured, c)
}

func checkRepeats(field string, r task.Repeats, c transformer.Config) error {
	for _, f := range []struct {
		name          string
		value, lo, hi int
	}{
		{"length", r.Length, 5, c.Ctx}, {"vocab", r.Vocab, r.Length, c.Vocab},
		{"max_period", r.MaxPeriod, 2, (r.Length - 1) / 2}, {"min_period", r.MinPeriod, 2, r.MaxPeriod},
	} {
		if f.value < f.lo || f.value > f.hi {
			return fmt.Errorf("field \"data.%s.%s\": expected a whole number from %d to %d, found %d", field, f.name, f.lo, f.hi, f.value)
		}
	}
	return nil
}

// Batch is examples of one length.
type Batch struct {
	Tokens  [][]int     // [B,T]
	Targets [][]int     // [B,T] what should come next
	Weights [][]float32 // [B,T] of each target in the loss, 1 together; 0 for positions that do not count
}

// normalize divides the weights by their sum, so that every chunk counts alike.
func (b Batch) normalize() {
	sum := 0.0
	for _, row := range b.Weights {
		for _, w := range row {
			sum += float64(w)
		}
	}
	for _, row := range b.Weights {
		for t := range row {
			row[t] = float32(float64(row[t]) / sum)
		}
	}
}

// objective is what a model is trained towards.
type objective interface {
	// addGradient draws chunkSize examples, adds the gradient of their loss to
	// grads, and returns the loss; number is the chunk's in the whole run.
	addGradient(ctx context.Context, m *transformer.Model, rng *rand.Rand, number int, grads *transformer.Params) (float64, error)
	// measure says what a model can do on examples that the seed draws.
	measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) ([]Measure, error)
	// tokenizer is the text of the tokenizer.json that belongs to the model, nil
	// if it has none.
	tokenizer() []byte
}

// corpus makes examples of tokens, of which the model is to foretell the next.
type corpus interface {
	// chunk makes chunkSize examples; number is the chunk's in the whole run.
	chunk(rng *rand.Rand, number int) Batch
	measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) ([]Measure, error)
	tokenizer() []byte
}

// foretelling is the objective of a corpus.
type foretelling struct{ corpus }

func (f foretelling) addGradient(ctx context.Context, m *transformer.Model, rng *rand.Rand, number int, grads *transformer.Params) (float64, error) {
	return addGradient(ctx, m, f.chunk(rng, number), grads)
}

// objective makes what data say; the model's configuration is c.
func (d Data) objective(ctx context.Context, c transformer.Config) (objective, error) {
	if d.Kind == Interchange {
		pair, err := interchange.New(ctx, *d.Interchange, c)
		return imitation{pair}, err
	}
	x, err := d.corpus()
	return foretelling{x}, err
}

func (d Data) corpus() (corpus, error) {
	if d.Kind == Text {
		return newTextCorpus(*d.Text)
	}
	if d.Measured == nil {
		d.Measured = d.Repeats
	}
	return repeats{*d.Repeats, *d.Measured}, nil
}

// stream is the random numbers of one chunk of a run.
func stream(seed uint64, number int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, mix(uint64(number))))
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood 2014), so that
// neighbouring numbers are far apart.
func mix(n uint64) uint64 {
	x := (n + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// repeats is the corpus of Repeats. What counts is what the first copy of a
// block foretells.
type repeats struct{ trained, measured task.Repeats }

func (r repeats) tokenizer() []byte { return nil }

func (r repeats) chunk(rng *rand.Rand, _ int) Batch {
	var b Batch
	for range chunkSize {
		row, mask, _ := r.trained.Draw(rng)
		targets, weights := make([]int, len(row)), make([]float32, len(row))
		for t, counts := range mask {
			if counts {
				targets[t], weights[t] = row[t+1], 1
			}
		}
		b.Tokens, b.Targets, b.Weights = append(b.Tokens, row), append(b.Targets, targets), append(b.Weights, weights)
	}
	b.normalize()
	return b
}
