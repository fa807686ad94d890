package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// graphs are those whose names the tests below walk over.
func graphs(t *testing.T) []*circuit.Graph {
	t.Helper()
	var out []*circuit.Graph
	for _, d := range circuit.Definitions() {
		for i := range 8 {
			g, err := circuit.New(circuit.Config{Definition: d, Layers: 2, Heads: 3, AttnOnly: i&1 != 0, ParallelAttnMLP: i&2 != 0, SplitEmbed: i&4 != 0})
			require.NoError(t, err)
			out = append(out, g)
		}
	}
	return out
}

var (
	dotEdge = regexp.MustCompile(`(?m)^\t("[^\n\[]*) \[(.*)\]$`)
	dotTip  = regexp.MustCompile(`tooltip="(\S+) → (\S+)`)
)

// drawnNames are the names of edges in DOT text: the statements themselves, and
// what a pointer over them shows.
func drawnNames(t *testing.T, dot []byte) []string {
	t.Helper()
	var out []string
	for _, m := range dotEdge.FindAllSubmatch(dot, -1) {
		attrs := string(m[2])
		if strings.Contains(attrs, "placeholder") || strings.Contains(attrs, "invis") || !strings.Contains(string(m[1]), "->") {
			continue
		}
		tip := dotTip.FindStringSubmatch(attrs)
		require.NotNil(t, tip, attrs)
		out = append(out, string(m[1]), tip[1]+" → "+tip[2])
	}
	return out
}

// Every name of an edge that any output shows is read as that edge.
func TestEveryNameShownIsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, g := range graphs(t) {
		m, tests := g.Empty(), []discover.Test{}
		for i := range m {
			m[i] = rng.IntN(2) == 0
			tests = append(tests, discover.Test{Edge: i})
		}
		read := func(names ...string) circuit.Mask {
			found := g.Empty()
			for _, name := range names {
				i, err := g.ParseEdge(name)
				require.NoError(t, err, "%+v", g.Config())
				found[i] = true
			}
			return found
		}
		f := &circuit.File{}
		f.SetCircuit(g, m, nil, false)
		var names []string
		for _, e := range f.Edges {
			names = append(names, e.Sender+"->"+e.Receiver)
		}
		assert.Equal(t, m, read(names...), "JSON")
		var b bytes.Buffer
		_, err := f.EncodeAs(&b, circuit.EdgeList)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		for i, line := range lines {
			cells := strings.Split(line, "\t")
			lines[i] = cells[0] + "->" + cells[1]
		}
		assert.Equal(t, m, read(lines...), "edge list")
		names = nil
		for _, test := range tests {
			e := g.Edge(test.Edge)
			names = append(names, g.HookName(e.Sender)+"->"+g.HookName(e.Receiver))
		}
		assert.Equal(t, g.Full(), read(names...), "trace")
		for _, direct := range []bool{false, true} {
			b.Reset()
			require.NoError(t, draw.WriteDOT(&b, g, m, nil, draw.Options{Direct: direct}))
			want := m.Clone()
			for i := range want {
				want[i] = want[i] && (direct || !g.Edge(i).IsDirect())
			}
			names = drawnNames(t, b.Bytes())
			assert.Equal(t, want, read(names...), "picture %+v direct=%v", g.Config(), direct)
			for k := 0; k < len(names); k += 2 {
				assert.Equal(t, read(names[k]), read(names[k+1]), "%s and %s", names[k], names[k+1])
			}
		}
	}
}

// The page on names has the table that the dialects make.
func TestPageOfNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("| what |")
	for _, d := range circuit.Dialects() {
		fmt.Fprintf(&b, " %v |", d)
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", 1+len(circuit.Dialects())) + "\n")
	for _, row := range []struct {
		kind circuit.Kind
		what string
	}{
		{circuit.Input, "residual stream before the first block"}, {circuit.Embed, "token embeddings, where split off"},
		{circuit.PosEmbed, "position embeddings, where split off"}, {circuit.Head, "a head's output"}, {circuit.MLP, "an MLP's output"},
		{circuit.QInput, "residual input of a head's queries"}, {circuit.KInput, "of its keys"}, {circuit.VInput, "of its values"},
		{circuit.Q, "a head's queries"}, {circuit.K, "its keys"}, {circuit.V, "its values"},
		{circuit.MLPIn, "an MLP's residual input"}, {circuit.Output, "residual stream after the last block"},
	} {
		fmt.Fprintf(&b, "| %s |", row.what)
		for _, d := range circuit.Dialects() {
			name := d.Pattern(row.kind)
			if name != "" {
				name = "`" + name + "`"
			}
			fmt.Fprintf(&b, " %s |", name)
		}
		b.WriteString("\n")
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "names.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), b.String())
}

// hostileTexts are texts of other people.
var hostileTexts = []string{
	"\x1b[31mX\x1b[0m", "a\nb\rc\u2028d", "\x00\x07\u0085\x9b", "x\u202etxt", "<b>&amp;\\N\"]", strings.Repeat("W", 4000), strings.Repeat("é/ü ", 900),
}

// textFields lists the text fields of a circuit file by their JSON names.
func textFields(typ reflect.Type, path ...string) [][]string {
	var out [][]string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		own, t := append(slices.Clone(path), name), typ.Field(i).Type
		switch {
		case t.Kind() == reflect.Struct:
			out = append(out, textFields(t, own...)...)
		case t.Kind() == reflect.String, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
			out = append(out, own)
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
			out = append(out, textFields(t.Elem(), append(own, "0")...)...)
		}
	}
	return out
}

// What other people write into a circuit file reaches neither terminals nor
// pictures unless it is short and plain.
func TestForeignTextsAreShownShortAndPlain(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.json")
	acdcOut(t, "discover", "--task", "or_gate", "--quiet", "-o", plain)
	data, err := os.ReadFile(plain)
	require.NoError(t, err)
	usual := len(acdcOut(t, "render", plain))
	fields := textFields(reflect.TypeFor[circuit.File]())
	require.Greater(t, len(fields), 12)
	for _, path := range fields {
		for _, text := range hostileTexts {
			var f map[string]any
			require.NoError(t, json.Unmarshal(data, &f))
			setText(f, path, text)
			changed, err := json.Marshal(f)
			require.NoError(t, err)
			file := filepath.Join(dir, "c.json")
			require.NoError(t, os.WriteFile(file, changed, 0o644))
			what := fmt.Sprintf("%v %.20q", path, text)
			for _, args := range [][]string{
				{"render", file}, {"render", file, "--direct"}, {"render", file, "--format", "edges"}, {"render", file, "--format", "json"},
				{"run", "--circuit", file}, {"run", "--circuit", file, "--format", "json"}, {"run", "--circuit", file, "--prompt", "x", "--corrupt", "y"},
			} {
				var stdout, stderr bytes.Buffer
				Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr)
				isJSON := slices.Contains(args, "json")
				assertPlain(t, stdout.String(), what, args)
				assertPlain(t, stderr.String(), what, args)
				assert.Less(t, stderr.Len(), 2000, "%s %v", what, args)
				if !isJSON {
					assert.Less(t, stdout.Len(), usual+6000, "%s %v", what, args)
				}
			}
		}
	}
}

// A picture of a circuit of hostile texts is of the usual size.
func TestForeignTextsDoNotStretchPictures(t *testing.T) {
	f := &circuit.File{Run: circuit.Run{Model: strings.Repeat("m", 100_000), Task: strings.Repeat("t\x1b ", 30_000), Metric: strings.Repeat("x", 100_000)}}
	g, err := circuit.New(circuit.Config{Definition: circuit.EAP, Layers: 1, Heads: 1})
	require.NoError(t, err)
	f.SetCircuit(g, g.Full(), nil, false)
	out := outputs{}
	svg, err := out.encode(context.Background(), f, formatSVG)
	require.NoError(t, err)
	var head struct {
		Width  string `xml:"width,attr"`
		Height string `xml:"height,attr"`
	}
	require.NoError(t, xml.Unmarshal(svg, &head))
	for _, points := range []string{head.Width, head.Height} {
		size, err := strconv.ParseFloat(strings.TrimSuffix(points, "pt"), 64)
		require.NoError(t, err)
		assert.Less(t, size, 600.0)
	}
	assert.NotContains(t, string(svg), "\x1b")
	assert.Less(t, len(svg), 30_000)
}

func setText(value any, path []string, text string) {
	switch v := value.(type) {
	case []any:
		setText(v[0], path[1:], text)
	case map[string]any:
		if len(path) > 1 {
			setText(v[path[0]], path[1:], text)
			return
		}
		v[path[0]] = text
		if path[0] == "warnings" || path[0] == "processing" {
			v[path[0]] = []string{text}
		}
	}
}

// assertPlain refuses what is not to reach a terminal.
func assertPlain(t *testing.T, text, what string, args []string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x202e) {
			assert.Fail(t, fmt.Sprintf("%s %v: character %U", what, args[:1], r))
			return
		}
	}
}

// Tables and blocks of lines hold no orders to a terminal, wherever their texts
// are from, and what -v says of a run is short.
func TestTablesAndLinesArePlain(t *testing.T) {
	for _, text := range hostileTexts {
		var b bytes.Buffer
		lines(&b, [2]string{text, text})
		b.WriteString(table([][]string{{"NAME", text}, {text, "1"}}, 0))
		assertPlain(t, b.String(), text, []string{"table"})
		b.Reset()
		m, err := zoo.Open(t.Context(), "or_gate")
		require.NoError(t, err)
		f := &circuit.File{Run: circuit.Run{Model: text, Task: text, Data: text, Metric: text, Ablation: text}, Measured: circuit.Measured{Cost: &circuit.Cost{}}}
		describeRun(&b, &study.Study{Model: m, Data: task.Data{Clean: [][]int{{0}}}}, f)
		summarize(&b, f, 0, 0)
		assertPlain(t, b.String(), text, []string{"-v"})
		assert.Less(t, b.Len(), 4000)
	}
}
