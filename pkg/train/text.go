package train

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// TextData is what Text is made of. Of each eight examples in a row all are of one
// source; the sources take turns, each as often as its share says.
type TextData struct {
	Shares  []Share `json:"shares"`
	Prose   float64 `json:"prose"`    // weight of a prompt's own words in the loss, an answer's being 1
	HeldOut int     `json:"held_out"` // one in so many names, years and parameters is in no training prompt
}

// Share is how often a source's turn comes.
type Share struct {
	Source string `json:"source"`
	Turns  int    `json:"turns"`
}

// The sources beside the text tasks.
const (
	lists   = "lists"   // words of one list, or of any, then the last of them again and again
	phrases = "phrases" // some words of a prompt of ioi or docstring, and the same words again
	numbers = "numbers" // numbers from 00 to 99, each above the one before
)

// variants are the text tasks' variants that are trained on, by task.
var variants = map[string]string{"ioi": "mixed", "greaterthan": "01", "docstring": "mixed"}

// heldOut are the lists of which words are held out.
var heldOut = []string{"names", "years", "parameters"}

func (d *TextData) check(c transformer.Config) error {
	if len(d.Shares) == 0 {
		return fmt.Errorf("field \"data.text.shares\": expected at least one source, found none")
	}
	for i, s := range d.Shares {
		if variants[s.Source] == "" && !slices.Contains([]string{lists, phrases, numbers}, s.Source) {
			return fmt.Errorf("field \"data.text.shares\"[%d].\"source\": expected one of ioi, greaterthan, docstring, %s, %s, %s, found %s", i, lists, phrases, numbers, oneline.Quote(s.Source))
		}
		if s.Turns < 1 || s.Turns > 100 {
			return fmt.Errorf("field \"data.text.shares\"[%d].\"turns\": expected a whole number from 1 to 100, found %d", i, s.Turns)
		}
	}
	if !(d.Prose >= 0 && d.Prose <= 1) {
		return fmt.Errorf("field \"data.text.prose\": expected a number from 0 to 1, found %v", d.Prose)
	}
	if d.HeldOut < 2 || d.HeldOut > 100 {
		return fmt.Errorf("field \"data.text.held_out\": expected a whole number from 2 to 100, found %d", d.HeldOut)
	}
	t, _, err := vocabulary()
	if err != nil {
		return err
	}
	if c.Vocab != t.Vocab() {
		return fmt.Errorf("field \"model.d_vocab\": expected %d, the words of the tasks, found %d", t.Vocab(), c.Vocab)
	}
	if c.Ctx < longestText {
		return fmt.Errorf("field \"model.n_ctx\": expected at least %d, the length of the longest prompt, found %d", longestText, c.Ctx)
	}
	return nil
}

// longestText bounds the tokens of a prompt.
const longestText = 72

// vocabulary is the tokenizer of the tasks' words, and the file that it is read
// from.
func vocabulary() (*tokenizer.Tokenizer, []byte, error) {
	file, err := tokenizer.WordLevel(slices.Concat(task.Vocabulary()...))
	if err != nil {
		return nil, nil, err
	}
	t, err := tokenizer.Read(context.Background(), "tokenizer.json", file)
	return t, file, err
}

// textCorpus is the corpus of Text.
type textCorpus struct {
	TextData
	tok   *tokenizer.Tokenizer
	file  []byte
	turns []string                              // the sources, one a turn
	draw  map[string]func(*rand.Rand) task.Pair // by task, from the words that are not held out
	any   []func(*rand.Rand) task.Pair          // of the tasks that phrases are of, from all words
	lists [][]int                               // tokens by list, the last of them all
}

func newTextCorpus(d TextData) (*textCorpus, error) {
	c := &textCorpus{TextData: d, draw: map[string]func(*rand.Rand) task.Pair{}}
	var err error
	if c.tok, c.file, err = vocabulary(); err != nil {
		return nil, err
	}
	for _, g := range task.Generators() {
		keep := func(list, word string) bool { return !c.held(list, word) }
		if c.draw[g.Name], err = g.Drawer(variants[g.Name], keep, c.tok); err != nil {
			return nil, err
		}
		if g.Name == "greaterthan" { // of which some words would be the whole prompt
			continue
		}
		any, err := g.Drawer(variants[g.Name], nil, c.tok)
		if err != nil {
			return nil, err
		}
		c.any = append(c.any, any)
	}
	c.turns = d.turns()
	var all []int
	for _, texts := range task.Vocabulary() {
		var ids []int
		for _, text := range texts {
			ids = append(ids, c.tok.Encode(text)...)
		}
		slices.Sort(ids)
		c.lists = append(c.lists, slices.Compact(ids))
		all = append(all, ids...)
	}
	slices.Sort(all)
	c.lists = append(c.lists, slices.Compact(all))
	return c, nil
}

// turns lists the sources in the order of their turns, each spread as evenly as
// can be: next is who lags most behind its share.
func (d *TextData) turns() []string {
	total := 0
	for _, s := range d.Shares {
		total += s.Turns
	}
	had := make([]int, len(d.Shares))
	var out []string
	for n := 1; n <= total; n++ {
		next := 0
		for i, s := range d.Shares {
			if s.Turns*n-had[i]*total > d.Shares[next].Turns*n-had[next]*total {
				next = i
			}
		}
		had[next]++
		out = append(out, d.Shares[next].Source)
	}
	return out
}

// held reports whether a word is held out: a function of the word alone.
func (c *textCorpus) held(list, word string) bool {
	if !slices.Contains(heldOut, list) {
		return false
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %s", list, word)
	return mix(uint64(h.Sum32()))%uint64(c.HeldOut) == 0
}

func (c *textCorpus) tokenizer() []byte { return c.file }

func (c *textCorpus) chunk(rng *rand.Rand, number int) Batch {
	var b Batch
	source := c.turns[number%len(c.turns)]
	for range chunkSize {
		switch source {
		case lists:
			b.add(c.repeated(rng))
		case phrases:
			b.add(c.phrase(rng))
		case numbers:
			b.add(c.rising(rng))
		default:
			b.add(c.prompt(rng, source))
		}
	}
	b.pad()
	b.normalize()
	return b
}

// add takes an example: tokens, of which each but the first is the target of the
// one before with its weight.
func (b *Batch) add(tokens []int, weights []float32) {
	n := len(tokens) - 1
	b.Tokens, b.Targets, b.Weights = append(b.Tokens, tokens[:n]), append(b.Targets, tokens[1:]), append(b.Weights, weights[1:])
}

// pad makes all examples as long as the longest, by tokens behind them that do
// not count.
func (b *Batch) pad() {
	longest := 0
	for _, row := range b.Tokens {
		longest = max(longest, len(row))
	}
	for i := range b.Tokens {
		more := longest - len(b.Tokens[i])
		b.Tokens[i] = append(slices.Clip(b.Tokens[i]), make([]int, more)...)
		b.Targets[i] = append(slices.Clip(b.Targets[i]), make([]int, more)...)
		b.Weights[i] = append(slices.Clip(b.Weights[i]), make([]float32, more)...)
	}
}

// begin is the start token, or in every other example nothing.
func (c *textCorpus) begin(rng *rand.Rand) []int {
	bos, _ := c.tok.BOS()
	if rng.IntN(2) == 0 {
		return []int{bos}
	}
	return nil
}

// prompt is a task's clean prompt and one of the right answers.
func (c *textCorpus) prompt(rng *rand.Rand, source string) ([]int, []float32) {
	p := c.draw[source](rng)
	tokens := append(c.begin(rng), c.tok.Encode(p.Clean.Text)...)
	answer := p.Correct[rng.IntN(len(p.Correct))]
	tokens = append(tokens, c.tok.Encode(answer.Text)...)
	weights := make([]float32, len(tokens))
	for i := range weights {
		weights[i] = float32(c.Prose)
	}
	weights[len(weights)-1] = 1
	if source == "docstring" {
		c.weighTold(tokens, weights)
	}
	return tokens, weights
}

// weighTold lets the parameters that a docstring has told already count as the
// answer does, all but the first: each follows from the one before it and the
// definition.
func (c *textCorpus) weighTold(tokens []int, weights []float32) {
	param, first := c.tok.Encode("param")[0], true
	for i := 1; i < len(tokens); i++ {
		if tokens[i-1] != param {
			continue
		}
		if !first {
			weights[i] = 1
		}
		first = false
	}
}

// repeated is a row of words that ends in a block of two to ten words, two to
// four times in a row.
func (c *textCorpus) repeated(rng *rand.Rand) ([]int, []float32) {
	words := c.lists[rng.IntN(len(c.lists))]
	tokens := c.begin(rng)
	period := min(2+rng.IntN(9), len(words)/2)
	lead := min(rng.IntN(9), len(words)-period)
	order := rng.Perm(len(words))[:lead+period]
	for _, i := range order {
		tokens = append(tokens, words[i])
	}
	return again(tokens, period, period*(1+rng.IntN(3)))
}

// again says the last words of a row again, n tokens in all, of which all but the
// first can be foretold.
func again(tokens []int, period, n int) ([]int, []float32) {
	for range n {
		tokens = append(tokens, tokens[len(tokens)-period])
	}
	weights := make([]float32, len(tokens))
	for i := len(tokens) - n + 1; i < len(tokens); i++ {
		weights[i] = 1
	}
	return tokens, weights
}

// mostPhrase bounds the words of a phrase, so that it is never a whole prompt.
const mostPhrase = 9

// phrase is three to nine words in a row of a prompt, and the same again.
func (c *textCorpus) phrase(rng *rand.Rand) ([]int, []float32) {
	p := c.any[rng.IntN(len(c.any))](rng)
	words := c.tok.Encode(p.Clean.Text)
	n := 3 + rng.IntN(mostPhrase-2)
	start := rng.IntN(len(words) - n + 1)
	return again(append(c.begin(rng), words[start:start+n]...), n, n)
}

// rising is a row of numbers.
func (c *textCorpus) rising(rng *rand.Rand) ([]int, []float32) {
	tokens := c.begin(rng)
	n := 2 + rng.IntN(15)
	drawn := rng.Perm(100)[:n]
	slices.Sort(drawn)
	years := c.years()
	start := len(tokens)
	for _, y := range drawn {
		tokens = append(tokens, years[y])
	}
	weights := make([]float32, len(tokens))
	for i := start + 1; i < len(tokens); i++ {
		weights[i] = 1
	}
	return tokens, weights
}

// years are the tokens of 00 to 99.
func (c *textCorpus) years() []int { return c.lists[0] }

// measuredPrompts is how many prompts of a task a measurement takes.
const measuredPrompts = 200

// measure gives, by task and variant, how well the model answers prompts all of
// whose names, years and parameters are held out.
func (c *textCorpus) measure(ctx context.Context, m *transformer.Model, seed uint64, threads int) ([]Measure, error) {
	held := func(list, word string) bool { return !slices.Contains(heldOut, list) || c.held(list, word) }
	var out []Measure
	for _, g := range task.Generators() {
		for _, v := range slices.Compact([]string{g.Variants[0].Name, variants[g.Name]}) {
			draw, err := g.Drawer(v, held, c.tok)
			if err != nil {
				return nil, err
			}
			measures, err := c.answers(ctx, m, draw, rand.New(rand.NewPCG(seed, measureStream)), threads)
			if err != nil {
				return nil, err
			}
			for _, x := range measures {
				x.Name = g.Name + " " + v + ": " + x.Name
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// answers is the accuracy, the fraction of prompts whose most probable next token
// is the right one. Of a task with many right answers it is the fraction of
// prompts of which these together are more probable than everything else, and
// their mean probability is told too. Half of the prompts stand behind a start
// token.
func (c *textCorpus) answers(ctx context.Context, m *transformer.Model, draw func(*rand.Rand) task.Pair, rng *rand.Rand, threads int) ([]Measure, error) {
	accuracy, probability := Measure{Name: "accuracy"}, Measure{Name: "probability of right answers"}
	many := false
	for range measuredPrompts {
		p := draw(rng)
		tokens := append(c.begin(rng), c.tok.Encode(p.Clean.Text)...)
		logits, err := m.Forward(ctx, [][]int{tokens}, transformer.Options{Threads: threads})
		if err != nil {
			return nil, err
		}
		last := logits.Row(len(tokens) - 1)
		tensor.Softmax(last)
		sum := 0.0
		for _, a := range p.Correct {
			sum += float64(last[c.tok.Encode(a.Text)[0]])
		}
		probability.Value += sum / measuredPrompts
		many = many || len(p.Correct) > 1
		if sum > 0.5 || len(p.Correct) == 1 && float32(sum) == slices.Max(last) {
			accuracy.Value += 1.0 / measuredPrompts
		}
	}
	if !many {
		return []Measure{accuracy}, nil
	}
	return []Measure{accuracy, probability}, nil
}
