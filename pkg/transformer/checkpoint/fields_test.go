package checkpoint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/misuse"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// changed reads a configuration with some fields put in or taken out.
func changed(t *testing.T, text, more string) (Config, error) {
	t.Helper()
	fields, changes := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal([]byte(text), &fields))
	require.NoError(t, json.Unmarshal([]byte(more), &changes), more)
	for name, value := range changes {
		if fields[name] = value; string(value) == "null" {
			delete(fields, name)
		}
	}
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	return ReadConfig(t.Context(), "c.json", strings.NewReader(string(data)))
}

// A configuration's fields are all of one fate, and have it: what is computed
// changes the model, what is refused is refused by name, what is harmless
// changes nothing and says nothing.
func TestEveryFieldOfEveryDialect(t *testing.T) {
	for _, d := range tabled {
		base, err := changed(t, d.text, `{}`)
		require.NoError(t, err)
		require.Empty(t, base.Warnings)
		for _, name := range slices.Sorted(maps.Keys(d.fields)) {
			with := func(value string) (Config, error) { return changed(t, d.text, fmt.Sprintf(`{%q:%s}`, name, value)) }
			what := d.name + " " + name
			switch f := d.fields[name]; {
			case f.fate == computed:
				require.Contains(t, d.samples, name, what)
				c, err := changed(t, d.text, d.samples[name])
				if err != nil {
					assert.Contains(t, err.Error(), `field "`+name+`": expected `, what)
				} else {
					assert.NotEqual(t, base, c, what)
				}
				assert.Empty(t, c.Warnings, what)
			case f.fate == refused:
				for _, value := range append([]string{"null"}, f.only...) {
					c, err := with(value)
					require.NoError(t, err, what)
					assert.Equal(t, base, c, what)
				}
				for _, value := range []string{"12345", `"strange"`, "true", `{"a":1}`} {
					_, err := with(value)
					require.Error(t, err, what)
					assert.Contains(t, err.Error(), fmt.Sprintf("c.json: field %q: expected ", name))
					assert.Contains(t, err.Error(), f.why)
				}
			case name != "model_type" && name != "architectures":
				for _, value := range []string{"12345", `"strange"`, "true", `{"a":1}`, "null"} {
					c, err := with(value)
					require.NoError(t, err, what)
					assert.Equal(t, base, c, what)
				}
			}
		}
	}
}

// The tables say "computed" of what is read, and of nothing else.
func TestWhatIsReadIsInTheTables(t *testing.T) {
	read := func(x any) map[string]bool {
		out := map[string]bool{}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(x)) {
			out[f.Tag.Get("json")] = true
		}
		return out
	}
	in := map[string]bool{}
	check := func(d dialect, x any) {
		tags := read(x)
		for name, f := range d.fields {
			if f.fate == computed {
				assert.True(t, tags[name], "%s: %s is not read", d.name, name)
				in[name] = true
			}
		}
	}
	for _, d := range tabled {
		check(d.dialect, d.into)
	}
	check(hfRope, ropeConfig{})
	for _, x := range []any{hfConfig{}, configJSON{}, ropeConfig{}} {
		for name := range read(x) {
			assert.True(t, in[name], "%s is read by no dialect", name)
		}
	}
}

// A value of another JSON type than a field's is refused by that field's name,
// whatever the type, the empty ones too.
func TestOtherTypesAreRefused(t *testing.T) {
	raw := map[string][]string{
		"normalization_type": misuse.OtherThan("text"), "normalization": misuse.OtherThan("text"), "attention_types": misuse.OtherThan(),
		"rope_scaling": misuse.OtherThan("object"), "rope_parameters": misuse.OtherThan("object"),
		"num_key_value_heads": misuse.OtherThan("number"), "sliding_window": misuse.OtherThan("number"), "attn_logit_softcapping": misuse.OtherThan("number"),
		"final_logit_softcapping": misuse.OtherThan("number"),
	}
	refused := func(text, field, value string) {
		t.Helper()
		_, err := changed(t, text, fmt.Sprintf(`{%q:%s}`, field, value))
		if assert.Error(t, err, "%s: %s", field, value) {
			assert.Contains(t, err.Error(), fmt.Sprintf(`field %q: expected `, field))
			assert.Contains(t, err.Error(), ", found ")
			assert.NotRegexp(t, ` json: |interface|float64|int64`, err.Error())
		}
	}
	for _, d := range tabled {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(d.into)) {
			name := f.Tag.Get("json")
			if known, ok := d.fields[name]; !ok || known.fate != computed {
				continue
			}
			values := raw[name]
			if !misuse.IsRaw(f.Type) {
				values = misuse.OtherJSON(f.Type)
			}
			require.NotEmpty(t, values, name)
			for _, value := range values {
				refused(d.text, name, value)
			}
		}
	}
	for _, value := range misuse.OtherThan("text") {
		refused(tabled[0].text, "model_type", value)
	}
	untyped := strings.Replace(tabled[0].text, `"model_type":"gpt2",`, "", 1)
	for _, value := range append(misuse.OtherThan("list"), `[{"a":1}]`, "[3]") {
		refused(untyped, "architectures", value)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[ropeConfig]()) {
		name := f.Tag.Get("json")
		for _, value := range misuse.OtherJSON(f.Type) {
			_, err := changed(t, tabled[2].text, fmt.Sprintf(`{"rope_scaling":{%q:%s}}`, name, value))
			if assert.Error(t, err, "%s: %s", name, value) {
				assert.Regexp(t, `field "rope_scaling"(: field |\.)`+`"`+name+`": expected .*, found `, err.Error())
			}
		}
	}
}

// What a file says is shown shortened, in errors and in warnings, whatever the
// field; and so are the names of its fields.
func TestLongValuesAreShortened(t *testing.T) {
	long := strings.Repeat("a", 5000)
	values := []string{`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":"` + long + `"}`, strings.Repeat("9", 5000), "0." + strings.Repeat("1", 5000), `[[["` + long + `"],1]]`}
	for _, d := range tabled {
		names := append(slices.Collect(maps.Keys(d.fields)), long, "model_type", "architectures")
		for _, name := range names {
			for _, value := range values {
				c, err := changed(t, d.text, fmt.Sprintf(`{%q:%s}`, name, value))
				short(t, c, err, name)
				if name == "rope_scaling" {
					for inner := range hfRope.fields {
						c, err := changed(t, d.text, fmt.Sprintf(`{"rope_scaling":{"rope_type":"linear","factor":2,%q:%s}}`, inner, value))
						if inner == "rope_type" || inner == "factor" {
							c, err = changed(t, d.text, fmt.Sprintf(`{"rope_scaling":{%q:%s}}`, inner, value))
						}
						short(t, c, err, inner)
					}
				}
			}
		}
	}
}

// short checks that nothing that was said of a configuration is long.
func short(t *testing.T, c Config, err error, field string) {
	t.Helper()
	said := slices.Clone(c.Warnings)
	if err != nil {
		said = append(said, err.Error())
	}
	for _, text := range said {
		assert.Less(t, len(text), 500, "%.60s", field)
	}
}

// A number that is out of all proportion is refused by the name of a field; whatever
// is taken gives finite logits.
func TestNumbersOutOfProportion(t *testing.T) {
	taken := 0
	try := func(text, more string) {
		t.Helper()
		c, err := changed(t, text, more)
		if err != nil {
			assert.Regexp(t, `^c.json: field ".*": expected `, err.Error(), more)
			return
		}
		if c.Parameters() < 1<<20 {
			taken++
			finite(t, c, more)
		}
	}
	for _, d := range tabled {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(d.into)) {
			name, typ := f.Tag.Get("json"), f.Type
			if known, ok := d.fields[name]; !ok || known.fate != computed || typ.Kind() != reflect.Pointer {
				continue
			}
			for _, value := range map[reflect.Kind][]string{reflect.Int: {"0", "-1", "-2", "1099511627776", "16777217"},
				reflect.Float64: {"0", "-1", "-1e300", "1e300", "1e-300", "5e-324", "1e39", "1e12", "1e-12"}}[typ.Elem().Kind()] {
				more := fmt.Sprintf(`{%q:%s}`, name, value)
				if sample := d.samples[name]; strings.Contains(sample, "rotary") || strings.Contains(sample, "null") || name == "window_size" {
					more = regexp.MustCompile(fmt.Sprintf(`%q:[^,}]*`, name)).ReplaceAllString(sample, fmt.Sprintf(`%q:%s`, name, value))
				}
				try(d.text, more)
			}
		}
	}
	for _, name := range []string{"rope_theta", "factor", "partial_rotary_factor"} {
		for _, value := range []string{"0", "-1", "1e300", "1e-300", "5e-324", "1e7", "1e-7", "1e6", "2"} {
			more := fmt.Sprintf(`{"rope_scaling":{"rope_type":"linear","factor":2,%q:%s}}`, name, value)
			if name == "factor" {
				more = fmt.Sprintf(`{"rope_scaling":{"rope_type":"linear","factor":%s}}`, value)
			}
			try(tabled[2].text, more)
		}
	}
	assert.Greater(t, taken, 20)
}

// finite runs a model of a shape and checks its logits.
func finite(t *testing.T, c Config, what string) {
	t.Helper()
	params := transformer.NewParams(c.Config)
	for _, p := range params.All(c.Config) {
		for i := range p.Data() {
			p.Data()[i] = float32(math.Sin(float64(i)))
		}
	}
	m, err := transformer.New(c.Config, params)
	require.NoError(t, err, what)
	logits, err := m.Forward(t.Context(), [][]int{slices.Repeat([]int{1}, min(5, c.Ctx))}, transformer.Options{})
	require.NoError(t, err, what)
	_, found := tensor.HasNonFinite(logits.Data)
	assert.False(t, found, what)
}

func TestEveryFieldOfRotaryPositions(t *testing.T) {
	neox := tabled[2].text
	for _, where := range []string{"rope_parameters", "rope_scaling"} {
		base, err := changed(t, neox, fmt.Sprintf(`{%q:{"rope_type":"linear","factor":2}}`, where))
		require.NoError(t, err)
		assert.Equal(t, 2.0, base.RotaryFactor)
		for name, f := range hfRope.fields {
			value := map[string]string{"rope_type": `"default"`, "type": `"yarn"`, "rope_theta": "7", "factor": "8", "partial_rotary_factor": "1"}[name]
			rope := map[string]json.RawMessage{"rope_type": json.RawMessage(`"linear"`), "factor": json.RawMessage("2")}
			if bands := []string{"low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}; slices.Contains(bands, name) {
				for i, other := range bands {
					rope[other] = json.RawMessage(strconv.Itoa(i + 1))
				}
				rope["rope_type"] = json.RawMessage(`"llama3"`)
				value = map[string]string{"low_freq_factor": "1.5", "high_freq_factor": "0.5"}[name]
			}
			rope[name] = json.RawMessage(cmp.Or(value, "3"))
			text, err := json.Marshal(map[string]any{where: rope})
			require.NoError(t, err)
			c, err := changed(t, neox, string(text))
			switch {
			case f.fate == harmless:
				require.NoError(t, err, name)
				assert.Equal(t, base, c, name)
			case err != nil:
				assert.Contains(t, err.Error(), fmt.Sprintf("field %q.%q: expected ", where, name))
			default:
				assert.NotEqual(t, base, c, name)
			}
		}
		c, err := changed(t, neox, fmt.Sprintf(`{%q:{"type":"linear","factor":2,"stretch":3}}`, where))
		require.NoError(t, err)
		assert.Equal(t, []string{fmt.Sprintf(`c.json: field %q: field "stretch" is not known of rotary configurations, and is ignored: found 3`, where)}, c.Warnings)
	}
	for _, kind := range []string{"dynamic", "yarn", "longrope", "ntk", "su"} {
		for _, key := range []string{"type", "rope_type"} {
			_, err := changed(t, neox, fmt.Sprintf(`{"rope_scaling":{%q:%q,"factor":2}}`, key, kind))
			assert.ErrorContains(t, err, fmt.Sprintf(`c.json: field "rope_scaling".%q: expected "default", "linear" or "llama3", found %q`, key, kind))
		}
	}
}

func TestUnknownFieldsAreWarnings(t *testing.T) {
	for _, d := range tabled {
		base, err := changed(t, d.text, `{}`)
		require.NoError(t, err)
		for _, value := range []string{"null", "false", `""`, "[]", "{}"} {
			c, err := changed(t, d.text, `{"logit_scale":`+value+`}`)
			require.NoError(t, err)
			assert.Empty(t, c.Warnings, "%s %s", d.name, value)
		}
		for value, found := range map[string]string{"0": "0", "2.5": "2.5", "true": "true", "{\"a\": [1,\n2]}": `{"a":[1,2]}`, "\"\u0085x\"": `"?x"`} {
			c, err := changed(t, d.text, `{"logit_scale":`+value+`}`)
			require.NoError(t, err)
			assert.Equal(t, []string{`c.json: field "logit_scale" is not known of ` + d.name + ` configurations, and is ignored: found ` + found}, c.Warnings)
			c.Warnings = nil
			assert.Equal(t, base, c)
		}
		many := map[string]int{}
		for i := range 20 {
			many[fmt.Sprint("x", i)] = 1
		}
		data, err := json.Marshal(many)
		require.NoError(t, err)
		c, err := changed(t, d.text, string(data))
		require.NoError(t, err)
		require.Len(t, c.Warnings, maxWarnings+1)
		assert.Contains(t, c.Warnings[maxWarnings], "c.json: 12 more fields are not known of "+d.name)
	}
	c, err := changed(t, tabled[0].text, `{"N_LAYER":3}`)
	require.NoError(t, err)
	assert.Equal(t, 2, c.Layers)
	assert.Contains(t, c.Warnings[0], `field "N_LAYER" is not known`)
}

// Without model_type the family is seen by the architecture, or by its fields.
func TestConfigurationsWithoutAModelType(t *testing.T) {
	for i, more := range []string{``, ``, `,"rotary_pct":0.5,"use_parallel_residual":true`} {
		want, err := changed(t, tabled[i].text, `{"x":null`+more+`}`)
		require.NoError(t, err)
		for _, classes := range []string{"null", []string{`["GPT2LMHeadModel"]`, `["GPTNeoForCausalLM"]`, `["GPTNeoXForCausalLM"]`}[i]} {
			c, err := changed(t, tabled[i].text, `{"model_type":null,"architectures":`+classes+more+`}`)
			require.NoError(t, err)
			assert.Equal(t, []string{`c.json: field "model_type" is missing: this is taken for a ` + tabled[i].name + ` configuration by its other fields`}, c.Warnings)
			c.Warnings = nil
			assert.Equal(t, want, c)
		}
	}
	_, err := changed(t, tabled[0].text, `{"model_type":null,"architectures":["BertForMaskedLM"]}`)
	assert.ErrorContains(t, err, `field "n_layers" is missing`)
	c, err := changed(t, decoderText("llama"), `{"model_type":null,"architectures":["LlamaForCausalLM"]}`)
	require.NoError(t, err)
	assert.Equal(t, HFLlama, c.Family)
}
