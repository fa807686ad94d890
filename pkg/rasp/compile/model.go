package compile

import (
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Model is a compiled program.
type Model struct {
	Transformer *transformer.Model
	Domain      rasp.Domain
	Tokens      []rasp.Value // by token id: the vocabulary, BOS and padding
	BOS, Pad    int          // their token ids
	Output      []rasp.Value // by logit, what it stands for; nil where logit 0 is the output, a number
	Labels      []string     // by residual dimension, "name:value" of a categorical variable, "name" of a numerical one

	program    rasp.Expr
	output     rasp.Encoding
	reads      []int // by logit, the residual dimension that it reads
	embed, pos dims  // what the embeddings write
	mlps       []wiring
	heads      []headWiring
}

// id is a token's id, -1 if there is none.
func (m *Model) id(v rasp.Value) int {
	i, found := slices.BinarySearchFunc(m.Tokens, v, rasp.Compare)
	if !found {
		return -1
	}
	return i
}

// Eval is what the program means on an input of the domain, by position
// (rasp.Eval).
func (m *Model) Eval(input []rasp.Value) ([]rasp.Value, error) {
	return rasp.Eval(m.program, m.Domain, input)
}

// Encode makes the token ids of an input of the domain, behind BOS.
func (m *Model) Encode(input []rasp.Value) ([]int, error) {
	if err := m.Domain.CheckInput(input); err != nil {
		return nil, err
	}
	out := []int{m.BOS}
	for _, v := range input {
		out = append(out, m.id(v))
	}
	return out, nil
}

// Decode is the value that the logits of a position mean: the number, or what
// the largest logit stands for if it is at least half of 1, as it is where a
// value is defined.
func (m *Model) Decode(logits []float32) (rasp.Value, error) {
	if len(logits) != len(m.reads) {
		return rasp.Value{}, fmt.Errorf("logits: expected %d at a position, found %d", len(m.reads), len(logits))
	}
	if m.output == rasp.Numerical {
		return rasp.Number(float64(logits[0])), nil
	}
	best := 0
	for i := range m.Output {
		if logits[i] > logits[best] {
			best = i
		}
	}
	if logits[best] < 0.5 {
		return rasp.Undefined(), nil
	}
	return m.Output[best], nil
}

// Logits are the logits of an exact run at a position where the output has a
// value, as many as belong to the output.
func (m *Model) Logits(v rasp.Value) []float64 {
	if m.output == rasp.Numerical {
		x, _ := v.Float()
		return []float64{x}
	}
	out := make([]float64, len(m.Output))
	if i := slices.Index(m.Output, v); i >= 0 {
		out[i] = 1
	}
	return out
}
