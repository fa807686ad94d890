package checkpoint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// ropeConfig is what rope_parameters, or rope_scaling as older versions call
// it, says of rotary positions.
type ropeConfig struct {
	Type    string   `json:"rope_type"`
	OldType string   `json:"type"`
	Theta   *float64 `json:"rope_theta"`
	Partial *float64 `json:"partial_rotary_factor"`
	Factor  *float64 `json:"factor"`

	Low      *float64 `json:"low_freq_factor"` // of type llama3
	High     *float64 `json:"high_freq_factor"`
	Original *int     `json:"original_max_position_embeddings"`
}

// number is one place where a number may stand.
type number struct {
	name  string
	value *float64
}

// agreed is the number that stands in one or more places, all of which say the
// same.
func agreed(otherwise float64, places ...number) (number, error) {
	places = slices.DeleteFunc(places, func(n number) bool { return n.value == nil })
	if len(places) == 0 {
		return number{value: &otherwise}, nil
	}
	for _, n := range places[1:] {
		if *n.value != *places[0].value {
			return n, fmt.Errorf("field %s: expected %v as field %s says, found %v", n.name, *places[0].value, places[0].name, *n.value)
		}
	}
	return places[0], nil
}

// rotary reads the rotary positions of GPT-NeoX, whose fields were renamed
// twice.
func (j *hfConfig) rotary(c *Config) error {
	where, rope, err := j.rope(c)
	if err != nil {
		return err
	}
	inside := func(name string) string { return fmt.Sprintf("%q.%q", where, name) }
	share, err := agreed(0.25, number{`"rotary_pct"`, j.RotaryPct}, number{`"partial_rotary_factor"`, j.Partial},
		number{inside("partial_rotary_factor"), rope.Partial})
	if err != nil {
		return err
	}
	base, err := agreed(10000, number{`"rotary_emb_base"`, j.RotaryBase}, number{`"rope_theta"`, j.RopeTheta}, number{inside("rope_theta"), rope.Theta})
	if err != nil {
		return err
	}
	if s := *share.value; !(s > 0) || s > 1 {
		return fmt.Errorf("field %s: expected a number above 0 and at most 1, found %v", share.name, s)
	}
	c.Positions, c.RotaryBase, c.RotaryAdjacent = transformer.Rotary, *base.value, j.Adjacent
	if c.RotaryDim = int(float64(c.DHead) * *share.value); c.RotaryDim < 2 || c.RotaryDim%2 != 0 {
		return fmt.Errorf("field %s: expected an even number of a head's %d components, at least 2, found %v of them", cmp.Or(share.name, `"rotary_pct"`), c.DHead, *share.value)
	}
	return rope.scaling(inside, c)
}

// rope reads the one object that is there, and says which.
func (j *hfConfig) rope(c *Config) (where string, rope ropeConfig, err error) {
	objects, values := map[string]map[string]json.RawMessage{}, map[string]json.RawMessage{"rope_parameters": j.Rope, "rope_scaling": j.RopeScaling}
	for _, name := range []string{"rope_parameters", "rope_scaling"} {
		var raw map[string]json.RawMessage
		if value := values[name]; !isNull(value) && json.Unmarshal(value, &raw) != nil {
			return name, rope, fmt.Errorf("field %q: expected an object or null, found %s", name, shown(value))
		}
		objects[name] = raw
	}
	if where = "rope_parameters"; len(objects["rope_scaling"]) > 0 {
		if len(objects[where]) > 0 {
			return where, rope, fmt.Errorf("field \"rope_parameters\": expected null beside \"rope_scaling\", found %s", shown(j.Rope))
		}
		where = "rope_scaling"
	}
	raw := objects[where]
	if len(raw) == 0 {
		return where, rope, nil
	}
	warnings, err := hfRope.decode(raw, &rope)
	for _, w := range warnings {
		c.Warnings = append(c.Warnings, fmt.Sprintf("field %q: %s", where, w))
	}
	if err != nil {
		return where, rope, fmt.Errorf("field %q: %w", where, err)
	}
	return where, rope, nil
}

// scaling reads how frequencies are scaled: by default not at all, by a linear
// factor, or by Llama 3's bands. Other types are refused.
func (r ropeConfig) scaling(inside func(string) string, c *Config) error {
	kind, name := r.Type, "rope_type"
	if kind == "" {
		kind, name = r.OldType, "type"
	}
	switch {
	case r.Type != "" && r.OldType != "" && r.Type != r.OldType:
		return fmt.Errorf("field %s: expected %s as field %s says, found %s", inside("type"), oneline.Quote(r.Type), inside("rope_type"), oneline.Quote(r.OldType))
	case kind == "" || kind == "default":
		return nil
	case kind != "linear" && kind != "llama3":
		return fmt.Errorf("field %s: expected \"default\", \"linear\" or \"llama3\", found %s: rotary positions scaled in another way are not computed", inside(name), oneline.Quote(kind))
	case r.Factor == nil:
		return fmt.Errorf("field %s is missing: expected a number", inside("factor"))
	case !transformer.FactorInRange(*r.Factor):
		return fmt.Errorf("field %s: expected a number from %g to %g, found %v", inside("factor"), 1/transformer.MostFactor, transformer.MostFactor, *r.Factor)
	}
	if kind == "linear" {
		c.RotaryFactor = *r.Factor
		return nil
	}
	for _, x := range []struct {
		name    string
		missing bool
	}{{"low_freq_factor", r.Low == nil}, {"high_freq_factor", r.High == nil}, {"original_max_position_embeddings", r.Original == nil}} {
		if x.missing {
			return fmt.Errorf("field %s is missing: expected a number", inside(x.name))
		}
	}
	if *r.Original < 1 {
		return fmt.Errorf("field %s: expected a positive integer, found %d", inside("original_max_position_embeddings"), *r.Original)
	}
	if !(*r.Low > 0 && *r.High > *r.Low) {
		return fmt.Errorf("field %s: expected a number above \"low_freq_factor\", which is above 0, found %v and %v", inside("high_freq_factor"), *r.High, *r.Low)
	}
	c.RotaryBands = transformer.RotaryBands{Factor: *r.Factor, Low: *r.Low, High: *r.High, Original: *r.Original}
	return nil
}
