package faithful_test

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/faithful"
)

// curved is a file of the toy's two curves.
func curved(t *testing.T) *faithful.File {
	t.Helper()
	space, scores := toy(t)
	c := faithful.Circuit{Name: "toy.json", Graph: space.Graph.Info(), Scored: 4, Digest: faithful.Digest(scores),
		Found: circuit.Run{Algorithm: "exact"}, Run: circuit.Run{Task: "ioi", Model: "openai-community/GPT2@main", Metric: "logit_diff", Half: "test"}}
	for _, absolute := range []bool{false, true} {
		curve, err := faithful.Along(t.Context(), space, scores, faithful.Options{Parts: []float64{.2, .4, .6, .8, 1}, Absolute: absolute})
		require.NoError(t, err)
		c.Curves = append(c.Curves, curve.WithAreas())
	}
	return &faithful.File{Circuits: []faithful.Circuit{c}}
}

func encoded(t *testing.T, f *faithful.File) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.Encode(&b))
	return b.Bytes()
}

// What is written is read again, and is refused where one number in it is another.
func TestFilesAreReadAgain(t *testing.T) {
	f := curved(t)
	text := encoded(t, f)
	again, err := faithful.Decode(t.Context(), "c.json", text)
	require.NoError(t, err)
	assert.Equal(t, f, again)
	for _, c := range []struct{ from, to, want string }{
		{`"cpr": 0.61`, `"cpr": 0.51`, `field "cpr": expected 0.61`},
		{`"faithfulness": 0.875`, `"faithfulness": 0.8`, `field "points"[2]: field "faithfulness": expected 0.875, as the other fields have it, found 0.8`},
		{`"part": 0.4`, `"part": 0.2`, `field "part": expected growing numbers from 0 to 1, found 0.2`},
		{`"edges_kept": 3`, `"edges_kept": 4`, `expected at most 5 edges chosen and at most as many kept, found 3 and 4`},
		{`"selection": "signed"`, `"selection": "absolute"`, `field "selection": expected signed, found "absolute"`},
		{`"rule": "top"`, `"rule": "best"`, `field "rule": unknown rule "best"`},
		{`"edges": 5`, `"edges": 6`, `field "edges": expected 5, those of the graph that can be chosen, found 6`},
		{`"edges_scored": 4`, `"edges_scored": 6`, `field "edges_scored": expected a whole number from 1 to 5, found 6`},
		{`"n_heads": 1`, `"n_heads": 0`, `field "graph": graph of 1 layers and 0 heads`},
	} {
		require.Contains(t, string(text), c.from)
		_, err := faithful.Decode(t.Context(), "c.json", []byte(strings.Replace(string(text), c.from, c.to, 1)))
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err, `c.json: field "circuits"[0]: `)
	}
	_, err = faithful.Decode(t.Context(), "c.json", []byte(`{"circuits": []}`))
	assert.EqualError(t, err, `c.json: field "circuits": expected at least one, found none`)
	f.Circuits[0].Curves = nil
	err = f.Encode(&bytes.Buffer{})
	assert.EqualError(t, err, `curves: field "circuits"[0]: field "curves": expected at least one, found none`)
}

// The digest is of the scores' bits, whatever a number that is none looks like.
func TestDigest(t *testing.T) {
	none := math.Float64frombits(math.Float64bits(math.NaN()) ^ 1)
	assert.Equal(t, faithful.Digest(circuit.Scores{1, math.NaN()}), faithful.Digest(circuit.Scores{1, none}))
	assert.NotEqual(t, faithful.Digest(circuit.Scores{1, 2}), faithful.Digest(circuit.Scores{2, 1}))
	assert.Len(t, faithful.Digest(nil), 64)
}

// digits are those from which the same number is read.
func digits(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// Tables have a row for each point, or for each curve.
func TestTables(t *testing.T) {
	f := curved(t)
	for table, want := range map[faithful.Table]int{faithful.PointsTable: 10, faithful.AreasTable: 2} {
		var b bytes.Buffer
		require.NoError(t, f.WriteCSV(&b, table))
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, want+1)
		assert.Equal(t, []string{"toy.json", "exact", "ioi", "openai-community/GPT2@main", "", "test", "logit_diff"}, rows[1][:7])
		last := map[faithful.Table][]string{faithful.PointsTable: {"0.2", "1", "0", "10", "0"}, faithful.AreasTable: {digits(f.Circuits[0].Curves[0].CPR), digits(f.Circuits[0].Curves[0].CMD), "0.725"}}[table]
		assert.Equal(t, last, rows[1][len(rows[1])-len(last):])
	}
	assert.ErrorContains(t, f.WriteCSV(&bytes.Buffer{}, "faces"), `unknown table "faces": expected one of points, areas`)
	assert.ErrorContains(t, (&faithful.File{}).WriteCSV(&bytes.Buffer{}, faithful.AreasTable), `field "circuits"`)
}

// A row stands in the column of its task and model, whatever repository the model is
// of, and in a column of its own where MIB has none.
func TestRowsOfTheLeaderboard(t *testing.T) {
	assert.Len(t, faithful.Leaderboard(), 12)
	f := curved(t)
	c := f.Circuits[0]
	for _, x := range []struct{ task, model, want string }{
		{"ioi", "gpt2", "IOI (GPT)"}, {"ioi", "openai-community/gpt2@607a30d", "IOI (GPT)"}, {"mcqa", "Qwen/Qwen2.5-0.5B", "MCQA (QWen)"},
		{"arc-challenge", "meta-llama/Llama-3.1-8B", "ARC-C (Llama)"}, {"arc-easy", "google/gemma-2-2b", "ARC-E (Gemma)"},
		{"ioi", "gpt2-xl", "ioi (gpt2-xl)"}, {"induction", "induction", "induction (induction)"}, {"", "models/mine", "mine"},
	} {
		c.Run.Task, c.Run.Model = x.task, x.model
		row, err := c.Row()
		require.NoError(t, err)
		assert.Equal(t, x.want, row.Column)
		titles, own := row.Cells()
		assert.Equal(t, x.want, titles[own])
		assert.Equal(t, []any{"exact", "test", c.Curves[0].CPR, c.Curves[1].CMD}, []any{row.Method, row.Split, row.CPR, row.CMD})
		var b, text bytes.Buffer
		require.NoError(t, row.WriteCSV(&b))
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		assert.Equal(t, x.want+" CMD", rows[0][2+2*own+1])
		assert.Len(t, strings.Join(rows[1][2:], ""), len(rows[1][2+2*own])+len(rows[1][2+2*own+1]), "one cell")
		require.NoError(t, row.Encode(&text))
		assert.Contains(t, text.String(), `"scores_sha256"`)
	}
	c.Found.Algorithm = ""
	row, err := c.Row()
	require.NoError(t, err)
	assert.Equal(t, "toy.json", row.Method)
	c.Curves = c.Curves[:1]
	_, err = c.Row()
	assert.EqualError(t, err, "a row of the leaderboard: expected a curve by signed and one by absolute scores, found 1 curves")
	assert.ErrorContains(t, (&faithful.Row{}).Encode(&bytes.Buffer{}), `a row of the leaderboard: field "curves": field "graph": `)
}

// Any bytes end in curves or an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"circuits": [{"curves": []}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := faithful.Decode(t.Context(), "x", data)
		if err == nil {
			require.NoError(t, c.Check())
		}
	})
}
