package transformer

import (
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Activation is an MLP's activation function.
type Activation string

// The activation functions, by their TransformerLens names.
const (
	ReLU    Activation = "relu"
	GELU    Activation = "gelu"     // with the error function
	GELUNew Activation = "gelu_new" // with tanh
	SiLU    Activation = "silu"
)

// Normalization is the norm before attention, MLP and unembedding.
type Normalization string

// The normalizations. LNPre and RMSPre are LayerNorm and RMSNorm without weights,
// as they stand after their weights were folded into the next layer.
const (
	LayerNorm Normalization = "LN"
	LNPre     Normalization = "LNPre"
	RMSNorm   Normalization = "RMS" // divides by the root of the mean square (Zhang and Sennrich 2019)
	RMSPre    Normalization = "RMSPre"
	NoNorm    Normalization = ""
)

// Direction says which positions attention may look at.
type Direction string

// The attention directions.
const (
	Causal        Direction = "causal"
	Bidirectional Direction = "bidirectional"
)

// Positions says where position embeddings enter.
type Positions string

// The position embeddings. Standard adds them to the residual stream;
// Shortformer adds them to the normalized inputs of queries and keys only
// (Press et al. 2021); Rotary turns queries and keys by an angle that grows
// with the position (Su et al. 2021); NoPositions has none.
const (
	Standard    Positions = "standard"
	Shortformer Positions = "shortformer"
	Rotary      Positions = "rotary"
	NoPositions Positions = "none"
)

// Learned reports whether position embeddings are weights.
func (p Positions) Learned() bool { return p == Standard || p == Shortformer }

// Config is a model's shape. The letters are those of the package comment.
type Config struct {
	Layers          int           // L
	DModel          int           // D
	Ctx             int           // longest sequence
	DHead           int           // K, free of D/H
	Heads           int           // H
	DMLP            int           // F, 0 where AttnOnly
	Vocab           int           // V
	VocabOut        int           // logits at a position
	Activation      Activation    // unused where AttnOnly
	Eps             float64       // of the norms
	Norm            Normalization //
	AttnOnly        bool          // no MLPs
	Direction       Direction     //
	Positions       Positions     //
	ParallelAttnMLP bool          // attention and MLP read the same stream
	AttnScale       float64       // scores are divided by it
	ScaleByLayer    bool          // scores of layer l are divided by l+1 as well
	Windows         []int         // by layer, how many positions attention sees, its own and those before; 0 for all; nil if all are
	RotaryDim       int           // how many of a head's K components Rotary turns, an even number
	RotaryBase      float64       // of the angles
	RotaryFactor    float64       // Rotary's positions are divided by it (Chen et al. 2023); 0 means 1
	RotaryAdjacent  bool          // Rotary pairs components 2j and 2j+1, as GPT-J does, not j and j+RotaryDim/2, as GPT-NeoX
	RotaryBands     RotaryBands   // what Rotary's frequencies are scaled by; nothing if zero
	KVHeads         int           // G, how many heads have keys and values, each for H/G heads' queries; 0 means H
	GatedMLP        bool          // MLPs are act(x W_gate + b_gate) · (x W_in + b_in) W_out + b_out
	QKNorm          bool          // RMS norms over K of each head's queries and keys, before rotary positions
	PostNorm        bool          // RMS norms of what attention and what MLPs give
	EmbedScale      float64       // token embeddings are multiplied by it; 0 means 1
	ScoreCap        float64       // attention scores s are c·tanh(s/c); 0 for no cap
	LogitCap        float64       // logits are as well; 0 for no cap
}

// Window is the number of positions that a layer's attention sees, its own and
// those before; 0 for all.
func (c Config) Window(layer int) int {
	if c.Windows == nil {
		return 0
	}
	if layer < 0 || layer >= len(c.Windows) {
		panic(fmt.Sprintf("transformer: the window of layer %d of %d", layer, len(c.Windows)))
	}
	return c.Windows[layer]
}

// ScoreScale is what a layer's scores are divided by.
func (c Config) ScoreScale(layer int) float64 {
	if c.ScaleByLayer {
		return c.AttnScale * float64(layer+1)
	}
	return c.AttnScale
}

var (
	activations    = []Activation{ReLU, GELU, GELUNew, SiLU}
	normalizations = []Normalization{LayerNorm, LNPre, RMSNorm, RMSPre, NoNorm}
	directions     = []Direction{Causal, Bidirectional}
	positions      = []Positions{Standard, Shortformer, Rotary, NoPositions}
)

// ActivationFunctions lists the activation functions.
func ActivationFunctions() []Activation { return slices.Clone(activations) }

// maxDim bounds each size of a model, so that products of two do not overflow.
const maxDim = 1 << 24

func sizeError(field string, found int) error {
	if found > maxDim {
		return fmt.Errorf("field %q: expected at most %d, found %d", field, maxDim, found)
	}
	return fmt.Errorf("field %q: expected a positive integer, found %d", field, found)
}

// Validate checks that the shape can be computed.
func (c Config) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"n_layers", c.Layers}, {"d_model", c.DModel}, {"n_ctx", c.Ctx}, {"d_head", c.DHead},
		{"n_heads", c.Heads}, {"d_vocab", c.Vocab}, {"d_vocab_out", c.VocabOut},
	} {
		if f.value < 1 || f.value > maxDim {
			return sizeError(f.name, f.value)
		}
	}
	if !c.AttnOnly && (c.DMLP < 1 || c.DMLP > maxDim) {
		return sizeError("d_mlp", c.DMLP)
	}
	if !c.AttnOnly && !slices.Contains(activations, c.Activation) {
		return fmt.Errorf("field \"act_fn\": expected one of %s, found %s", choice.Quoted(activations), oneline.Quote(string(c.Activation)))
	}
	if !slices.Contains(normalizations, c.Norm) {
		return fmt.Errorf("field \"normalization_type\": expected one of %s, found %s", choice.Quoted(normalizations), oneline.Quote(string(c.Norm)))
	}
	if !slices.Contains(directions, c.Direction) {
		return fmt.Errorf("field \"attention_dir\": expected one of %s, found %s", choice.Quoted(directions), oneline.Quote(string(c.Direction)))
	}
	if !slices.Contains(positions, c.Positions) {
		return fmt.Errorf("field \"positional_embedding_type\": expected one of %s, found %s", choice.Quoted(positions), oneline.Quote(string(c.Positions)))
	}
	if !(c.Eps >= 0 && c.Eps <= mostEps) {
		return fmt.Errorf("field \"eps\": expected a number from 0 to %d, found %v", mostEps, c.Eps)
	}
	if inverse := float64(float32(1 / c.ScoreScale(c.Layers-1))); !(inverse > 0) || math.IsInf(float64(float32(1/c.AttnScale)), 0) {
		return fmt.Errorf("field \"attn_scale\": expected a positive number in the range of 32 bits, found %v", c.AttnScale)
	}
	if err := c.validateParts(); err != nil {
		return err
	}
	return c.validateAttention()
}

// validateAttention checks local attention and rotary positions.
func (c Config) validateAttention() error {
	if c.Windows != nil && len(c.Windows) != c.Layers {
		return fmt.Errorf("field \"attn_types\": expected one for each of %d layers, found %d", c.Layers, len(c.Windows))
	}
	for l, w := range c.Windows {
		if w < 0 || w > 0 && c.Direction != Causal {
			return fmt.Errorf("field \"window_size\": expected a positive integer and causal attention, found %d and %q in layer %d", w, c.Direction, l)
		}
	}
	if c.Positions != Rotary {
		return nil
	}
	if c.RotaryDim < 2 || c.RotaryDim > c.DHead || c.RotaryDim%2 != 0 {
		return fmt.Errorf("field \"rotary_dim\": expected an even number from 2 to d_head = %d, found %d", c.DHead, c.RotaryDim)
	}
	if !(c.RotaryBase >= 1 && c.RotaryBase <= mostBase) {
		return fmt.Errorf("field \"rotary_base\": expected a number from 1 to %g, found %v", mostBase, c.RotaryBase)
	}
	if c.RotaryFactor != 0 && !FactorInRange(c.RotaryFactor) {
		return fmt.Errorf("rotary positions: expected a factor from %g to %g, found %v", 1/MostFactor, MostFactor, c.RotaryFactor)
	}
	const most = 1 << 27 // angles that may be kept
	if c.Ctx*c.RotaryDim > most {
		return fmt.Errorf("field \"n_ctx\": expected at most %d positions with rotary_dim %d, found %d", most/c.RotaryDim, c.RotaryDim, c.Ctx)
	}
	return nil
}

// Parameters is the number of weights and biases.
func (c Config) Parameters() int {
	sum := func(list []Param) (n int) {
		for _, p := range list {
			n += p.Size()
		}
		return n
	}
	return sum((&Params{}).Outer(c)) + c.Layers*sum((&BlockParams{}).All(c, 0))
}

// MaxTokens is how many tokens an example may have, 0 for any number.
func (c Config) MaxTokens() int {
	if c.Positions == NoPositions {
		return 0
	}
	return c.Ctx
}

// FLOP is the number of floating-point operations, two a multiply-add, in the
// matrix products of one forward pass over batch examples of t positions, of
// which logits are computed at the given number of positions an example.
func (c Config) FLOP(batch, t, logits int) int64 {
	rows := int64(batch) * int64(t)
	d, h, g, k := int64(c.DModel), int64(c.Heads), int64(c.KV()), int64(c.DHead)
	block := rows*d*(h+g)*k*2*2 + 2*2*int64(batch)*h*int64(t)*int64(t)*k
	if !c.AttnOnly {
		block += rows * d * int64(c.DMLP+c.MLPWidth()) * 2
	}
	return int64(c.Layers)*block + int64(batch)*int64(logits)*d*int64(c.VocabOut)*2
}

// Beyond these nothing is left of norms or of positions; known models have 1e-3
// and 1e7 at most.
const (
	mostEps  = 1
	mostBase = 1e12
)

// MostFactor bounds what rotary positions are divided, or multiplied, by: beyond
// it all positions are one, or none is what it was. Known models have 16 at most.
const MostFactor = 1e6

// FactorInRange reports whether rotary positions can be divided by a number.
func FactorInRange(factor float64) bool { return factor >= 1/MostFactor && factor <= MostFactor }
