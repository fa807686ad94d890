package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/seed-2c350065/acdc/internal/choice"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// configJSON is the TransformerLens configuration, pointers telling a missing
// field from a zero.
type configJSON struct {
	Layers     *int            `json:"n_layers"`
	DModel     *int            `json:"d_model"`
	Ctx        *int            `json:"n_ctx"`
	DHead      *int            `json:"d_head"`
	Heads      *int            `json:"n_heads"`
	DMLP       *int            `json:"d_mlp"`
	Vocab      *int            `json:"d_vocab"`
	VocabOut   *int            `json:"d_vocab_out"`
	Act        *string         `json:"act_fn"`
	Eps        *float64        `json:"eps"`
	Norm       json.RawMessage `json:"normalization_type"`
	OldNorm    json.RawMessage `json:"normalization"` // of Neel Nanda's published models, which are older
	OldShort   bool            `json:"shortformer_pos"`
	AttnOnly   bool            `json:"attn_only"`
	Direction  *string         `json:"attention_dir"`
	Positions  *string         `json:"positional_embedding_type"`
	Parallel   bool            `json:"parallel_attn_mlp"`
	UseScale   *bool           `json:"use_attn_scale"`
	Scale      *float64        `json:"attn_scale"`
	ByLayer    bool            `json:"scale_attn_by_inverse_layer_idx"`
	KVHeads    *int            `json:"n_key_value_heads"`
	LocalAttn  bool            `json:"use_local_attn"`
	AttnTypes  []string        `json:"attn_types"`
	WindowSize *int            `json:"window_size"`
	RotaryDim  *int            `json:"rotary_dim"`
	RotaryBase *float64        `json:"rotary_base"`
	Adjacent   bool            `json:"rotary_adjacent_pairs"`
}

func (j *configJSON) config() (Config, error) {
	c := Config{Published: j.Norm == nil && j.OldNorm != nil, Config: transformer.Config{
		AttnOnly: j.AttnOnly, ParallelAttnMLP: j.Parallel, ScaleByLayer: j.ByLayer, Eps: or(j.Eps, 1e-5),
		Direction: transformer.Direction(or(j.Direction, string(transformer.Causal))), Positions: transformer.Positions(or(j.Positions, string(j.oldPositions()))),
	}}
	if err := j.sizes(&c); err != nil {
		return c, err
	}
	var err error
	if c.Norm, err = j.norm(); err != nil {
		return c, err
	}
	c.AttnScale = math.Sqrt(float64(c.DHead))
	if !or(j.UseScale, true) {
		c.AttnScale = 1
	} else if scale := or(j.Scale, -1); scale > 0 {
		c.AttnScale = scale
	} else if scale != -1 { // which stands for the square root of d_head
		return c, fmt.Errorf("field \"attn_scale\": expected a positive number or -1, found %v", scale)
	}
	j.rotary(&c)
	if c.Windows, err = j.windows(c.Layers); err != nil {
		return c, err
	}
	if j.KVHeads != nil && *j.KVHeads != c.Heads {
		return c, fmt.Errorf("field \"n_key_value_heads\": expected n_heads = %d, found %d: grouped-query attention is not computed", c.Heads, *j.KVHeads)
	}
	return c, nil
}

// oldPositions is where positions enter in configurations that have another
// field for that.
func (j *configJSON) oldPositions() transformer.Positions {
	if j.OldShort {
		return transformer.Shortformer
	}
	return transformer.Standard
}

// sizes reads the sizes, and the activation function of a model with MLPs.
func (j *configJSON) sizes(c *Config) error {
	for _, s := range []size{
		{"n_layers", j.Layers, &c.Layers}, {"d_model", j.DModel, &c.DModel}, {"n_ctx", j.Ctx, &c.Ctx},
		{"d_head", j.DHead, &c.DHead}, {"n_heads", j.Heads, &c.Heads}, {"d_vocab", j.Vocab, &c.Vocab},
	} {
		if s.from == nil {
			return fmt.Errorf("field %q is missing: expected a positive integer", s.name)
		}
		*s.to = *s.from
	}
	if c.VocabOut = or(j.VocabOut, -1); c.VocabOut == -1 {
		c.VocabOut = c.Vocab
	}
	if c.AttnOnly {
		return nil
	}
	if j.Act == nil {
		return fmt.Errorf("field \"act_fn\" is missing: expected one of %s", choice.Quoted(transformer.ActivationFunctions()))
	}
	c.DMLP, c.Activation = or(j.DMLP, 4*c.DModel), transformer.Activation(*j.Act)
	if same, ok := activations[*j.Act]; ok {
		c.Activation = same
	}
	return nil
}

// rotary reads what rotary positions need.
func (j *configJSON) rotary(c *Config) {
	if c.Positions != transformer.Rotary {
		return
	}
	c.RotaryDim, c.RotaryBase, c.RotaryAdjacent = or(j.RotaryDim, c.DHead), or(j.RotaryBase, 10000), j.Adjacent
}

// windows reads which layers' attention is local.
func (j *configJSON) windows(layers int) ([]int, error) {
	if !j.LocalAttn && !slices.Contains(j.AttnTypes, "local") {
		return nil, nil
	}
	if j.WindowSize == nil || *j.WindowSize < 1 {
		return nil, fmt.Errorf("field \"window_size\": expected a positive integer with local attention, found %v", describe(j.WindowSize))
	}
	return Windows("attn_types", j.AttnTypes, layers, *j.WindowSize)
}

// describe says the value of a field that may be missing.
func describe(x *int) string {
	if x == nil {
		return "none"
	}
	return fmt.Sprint(*x)
}

// norm reads the normalization, null meaning none.
func (j *configJSON) norm() (norm transformer.Normalization, err error) {
	found := false
	for _, f := range []struct {
		name  string
		value json.RawMessage
	}{{"normalization", j.OldNorm}, {"normalization_type", j.Norm}} { // the later one counts
		if f.value == nil {
			continue
		}
		found = true
		var name *string
		if err := json.Unmarshal(f.value, &name); err != nil || name != nil && *name == "" {
			return "", fmt.Errorf("field %q: expected \"LN\", \"LNPre\" or null, found %s", f.name, shown(f.value))
		}
		norm = transformer.Normalization(or(name, string(transformer.NoNorm)))
		if norm != transformer.NoNorm && !norm.Centred() {
			return "", fmt.Errorf("field %q: expected one of \"LN\", \"LNPre\", null, found %s", f.name, oneline.Quote(string(norm)))
		}
	}
	if !found {
		return "", fmt.Errorf("field \"normalization_type\" is missing: expected \"LN\", \"LNPre\" or null")
	}
	return norm, nil
}
