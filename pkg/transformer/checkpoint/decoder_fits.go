package checkpoint

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// fits refuses weights that have parts of which the configuration says nothing, and
// a configuration that is none of the family's.
func (d *decoder) fits(c Config, src weights.Source) error {
	if c.Family != d.layout {
		return fmt.Errorf("%s: expected weights of %s as the configuration says, found those of Llama or one of its successors", src.Name(), orText(string(c.Family), string(TransformerLens)))
	}
	if c.Norm != transformer.RMSNorm || !c.GatedMLP || c.AttnOnly || c.Direction != transformer.Causal || c.Positions != transformer.Rotary {
		return fmt.Errorf("%s: weights of %s: expected a configuration with RMS norms, gated MLPs, causal attention and rotary positions, found another", src.Name(), d.layout)
	}
	prefix := ""
	if src.Has("model.layers.0.self_attn.q_proj.weight") {
		prefix = "model."
	}
	for _, x := range []struct {
		name string
		read bool
		what string
	}{
		{"self_attn.q_proj.bias", c.Biases.QKV, "without biases of queries, keys and values"},
		{"self_attn.o_proj.bias", c.Biases.Out, "without a bias of attention's output"},
		{"mlp.gate_proj.bias", c.Biases.MLP, "without biases of MLPs"},
		{"self_attn.q_norm.weight", c.QKNorm, "without norms of queries and keys"},
		{"pre_feedforward_layernorm.weight", c.PostNorm, "without norms behind attention and MLPs"},
		{"mlp.gate.weight", false, "without a mixture of experts"},
	} {
		if name := prefix + "layers.0." + x.name; src.Has(name) && !x.read {
			return fmt.Errorf("%s: tensor %q: expected none in a model %s, as the configuration of %s says, found it", src.Name(), name, x.what, d.layout)
		}
	}
	return nil
}

// orText is a text, or another where there is none.
func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
