package judge

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

// judged is a whole file.
func judged(t testing.TB, seed uint64) *File {
	t.Helper()
	e, truth := reversing(t, metric.L2, 1)
	f := &File{Options: few(), Judged: "data", Run: circuit.Run{Task: "tracr-reverse", Metric: "l2", Ablation: "zero"}}
	f.Options.Seed = seed
	f.SetCircuit(e.Graph(), truth)
	m, err := Measure(t.Context(), e, truth)
	require.NoError(t, err)
	m.Data = "data"
	f.Measurements = []Measurement{*m}
	v, err := Judge(t.Context(), e, truth, f.Options, nil)
	require.NoError(t, err)
	f.Verdict = *v
	return f
}

// A file is read back as it was written, and all of it follows from the options.
func TestFileIsReadBack(t *testing.T) {
	f := judged(t, 7)
	encode := func(f *File) []byte {
		var b bytes.Buffer
		require.NoError(t, f.Encode(&b))
		return b.Bytes()
	}
	text := encode(f)
	back, err := Decode(t.Context(), "x.json", text)
	require.NoError(t, err)
	assert.Equal(t, text, encode(back))
	assert.Equal(t, text, encode(judged(t, 7)))
	assert.NotEqual(t, text, encode(judged(t, 8)))
	_, m, err := back.Mask()
	require.NoError(t, err)
	_, truth := reversing(t, metric.L2, 1)
	assert.Equal(t, truth, m)
	for _, table := range Tables() {
		var b bytes.Buffer
		require.NoError(t, f.WriteCSV(&b, table))
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		want := map[Table]int{Metrics: 4, Examples: 4 * 6, KnockOuts: len(f.Completeness.KnockOuts), PartsTable: 15, Hypotheses: 5, Distribution: 9}[table]
		assert.Len(t, rows, 1+want, table)
	}
}

// What no judgement can be is refused, field by field.
func TestFileIsChecked(t *testing.T) {
	two := 2.0
	for want, damage := range map[string]func(*File){
		`field "edges_total": expected 106, those of the graph, found 7`:                                              func(f *File) { f.EdgesTotal = 7 },
		`field "circuit"[15]: edge "embed->m0": expected it once, found it twice`:                                     func(f *File) { f.Circuit = append(f.Circuit, "embed->m0") },
		`field "options": field "samples": expected a whole number from 1 to 1000000, found 0`:                        func(f *File) { f.Options.Samples = 0 },
		`field "options": field "epsilon": expected a number above 0 and below 0.5, found 0.5`:                        func(f *File) { f.Options.Epsilon = 0.5 },
		`field "judged": expected data of a measurement, found "test"`:                                                func(f *File) { f.Judged = "test" },
		`field "measurements"[0]: field "runs": expected 4, found 3`:                                                  func(f *File) { f.Measurements[0].Runs = f.Measurements[0].Runs[:3] },
		`field "measurements"[0]: field "runs"[0]: field "run": expected full model, found "all"`:                     func(f *File) { f.Measurements[0].Runs[0].Run = "all" },
		`field "measurements"[0]: field "runs"[2]: field "examples": expected 6, as of the first run, found 0`:        func(f *File) { f.Measurements[0].Runs[2].Examples = nil },
		`field "measurements"[0]: field "runs"[3]: field "quantiles": expected them ascending, found [2 0 0 0 0 0 0]`: func(f *File) { f.Measurements[0].Runs[3].Quantiles = [7]float64{2} },
		`field "verdict": field "completeness": field "most": expected 0, the widest gap, found 2`: func(f *File) {
			f.Completeness.Most, f.Completeness.KnockOuts = 2, nil
		},
		`field "measurements"[0]: field "metric": unknown metric "x": expected one of kl_div, logit_diff, prob_diff, docstring, nll, match_nll, l2, l2_first, frac_correct`: func(f *File) { f.Measurements[0].Metric = "x" },
		`field "verdict": field "tests"[1]: field "p": expected a number from 0 to 1, found 2`:                                                                              func(f *File) { f.Tests[1].P = &two },
		`field "verdict": field "tests"[0]: unknown outcome "yes": expected one of for, against, open`:                                                                      func(f *File) { f.Tests[0].Outcome = "yes" },
		`field "verdict": field "knock_outs"[0]: unknown kind "": expected one of none, node, group, random, greedy`:                                                        func(f *File) { f.Completeness.KnockOuts[0].Kind = "" },
		`field "verdict": field "knock_outs"[0]: field "gap": expected 0, the difference, found 2`: func(f *File) {
			f.Completeness.KnockOuts[0] = KnockOut{Kind: None, Gap: 2}
		},
	} {
		f := judged(t, 1)
		damage(f)
		assert.EqualError(t, f.Check(), want)
	}
	_, err := Decode(t.Context(), "x.json", []byte(`{"graph": {}}`))
	assert.True(t, strings.HasPrefix(err.Error(), `x.json: field "graph": `), err)
}

// Whatever text is read is refused, or is written as it was read.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	require.NoError(f, judged(f, 1).Encode(&b))
	f.Add(b.Bytes())
	f.Add([]byte(`{"graph": {"definition": "eap", "n_layers": 1, "n_heads": 1}, "edges_total": 8}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Decode(t.Context(), "x.json", text)
		if err != nil || file.EdgesTotal > 10_000 {
			return
		}
		var once, twice bytes.Buffer
		require.NoError(t, file.Encode(&once))
		again, err := Decode(t.Context(), "x.json", once.Bytes())
		require.NoError(t, err)
		require.NoError(t, again.Encode(&twice))
		require.Equal(t, once.String(), twice.String())
	})
}
