package checkpoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// arrays reads a golden model's tensors under changed names.
func arrays(t *testing.T, model string, name func(string) string) map[string]weights.Array {
	t.Helper()
	f := golden.Open(t, golden.Path(model, "model.safetensors"))
	out := map[string]weights.Array{}
	for _, n := range f.Names() {
		values, shape, err := f.Float32(t.Context(), n)
		require.NoError(t, err)
		out[name(n)] = weights.Array{Shape: shape, Values: values}
	}
	return out
}

// A model is the same under its wrappers' names, one in another, around the
// whole or around parts of it, with its unembedding within or beside.
func TestWrappers(t *testing.T) {
	inFront := func(prefix string) func(string) string { return func(name string) string { return prefix + name } }
	wrappers := map[string]func(string) string{
		"inside": func(name string) string { return strings.Replace(name, ".0.", ".0._orig_mod.", 1) },
		"everywhere": func(name string) string {
			return "_fsdp_wrapped_module." + strings.Replace(name, ".1.", ".1._fsdp_wrapped_module._checkpoint_wrapped_module.", 1)
		},
		"beside": func(name string) string {
			if strings.Contains(name, "lm_head") || strings.Contains(name, "embed_out") {
				return name
			}
			return "backbone." + name
		},
	}
	for _, p := range []string{"_orig_mod.", "module.", "model.", "backbone.", "module._orig_mod.", "_orig_mod.module.", "model.model.", "module.model.backbone._orig_mod."} {
		wrappers[p] = inFront(p)
	}
	for _, model := range []string{"hf-gpt2-tiny", "hf-gpt_neo-tiny", "hf-gpt_neox-tiny", "gpt3l-random"} {
		want := golden.Hash(t, golden.Model(t, model))
		for what, name := range wrappers {
			m, err := checkpoint.Load(t.Context(), golden.Config(t, model), weights.FromMap("m", arrays(t, model, name)))
			require.NoError(t, err, "%s %s", model, what)
			assert.Equal(t, want, golden.Hash(t, m), "%s %s", model, what)
		}
	}
}

func TestWrappersThatDoNotFit(t *testing.T) {
	model := "hf-gpt2-tiny"
	some := func(name string) string {
		if strings.Contains(name, "ln_f") {
			return name
		}
		return "module." + name
	}
	_, err := checkpoint.Load(t.Context(), golden.Config(t, model), weights.FromMap("m", arrays(t, model, some)))
	assert.ErrorContains(t, err, `m: expected tensors named as in TransformerLens`)
	assert.ErrorContains(t, err, `expected all of them to begin with the wrapper's name "module.", found "transformer.ln_f.`)
	twice := arrays(t, model, func(name string) string { return "module." + name })
	for name, a := range arrays(t, model, func(name string) string { return "module._orig_mod." + name }) {
		twice[name] = a
	}
	_, err = checkpoint.Load(t.Context(), golden.Config(t, model), weights.FromMap("m", twice))
	assert.ErrorContains(t, err, "m: different tensors expected, found ")
	missing := arrays(t, model, func(name string) string { return "module." + name })
	for name := range missing {
		if strings.HasSuffix(name, "h.1.ln_2.bias") {
			missing[name] = weights.Array{Shape: []int{1}, Values: []float32{1}}
		}
	}
	_, err = checkpoint.Load(t.Context(), golden.Config(t, model), weights.FromMap("m", missing))
	assert.ErrorContains(t, err, `h.1.ln_2.bias": shape [48] expected, found [1]`)
	assert.ErrorContains(t, err, `m: tensor "module.`, "the name that the file has")
}
