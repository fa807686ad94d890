package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/draw"
	"github.com/seed-2c350065/acdc/pkg/reference"
)

// acdcOut runs the program, which must succeed, and returns standard output.
func acdcOut(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Main(context.Background(), args, strings.NewReader(""), &stdout, &stderr)
	require.Zero(t, code, "%v: %s", args, stderr.String())
	return stdout.String()
}

func TestReferenceFlags(t *testing.T) {
	var got *referenceOptions
	parse := func(args ...string) *referenceOptions {
		cmd := newReference(&app{}, func(_ context.Context, o *referenceOptions) error { got = o; return nil })
		cmd.SetArgs(append([]string{}, args...)) // nil would be the arguments of the test
		require.NoError(t, cmd.Execute())
		return got
	}
	assert.Equal(t, &referenceOptions{definition: circuit.ACDC}, parse())
	assert.Equal(t, &referenceOptions{definition: circuit.ACDC, json: true}, parse("--json"))
	assert.Equal(t, &referenceOptions{name: "ioi", definition: circuit.EAP, ablation: ablate.Zero,
		outputs: outputs{files: []string{"a.svg", "-"}, format: formatEdges, color: draw.ByKind, pictureOptions: pictureOptions{direct: true, heads: true}}},
		parse("ioi", "--definition", "eap", "--ablation", "zero", "-o", "a.svg", "-o", "-", "--format", "edges", "--color", "kind", "--direct", "--heads"))
}

// The counts of the ACDC graph are those of Conmy et al. 2023; that of EAP has
// no direct edges.
func TestReferenceCounts(t *testing.T) {
	for _, c := range []struct {
		task, definition, model string
		kept, total             int
	}{
		{"ioi", "acdc", "gpt2", 1041, 32923},
		{"greaterthan", "acdc", "gpt2", 262, 32923},
		{"docstring", "acdc", "attn-only-4l", 37, 1377},
		{"ioi", "eap", "gpt2", 1041 - 78, 32491},
		{"greaterthan", "eap", "gpt2", 262 - 27, 32491},
		{"docstring", "eap", "attn-only-4l", 37 - 13, 1281},
	} {
		text := acdcOut(t, "reference", c.task, "--definition", c.definition, "--format", "json")
		f, err := circuit.Decode(t.Context(), "it", strings.NewReader(text))
		require.NoError(t, err)
		assert.Equal(t, []any{c.kept, c.total, c.task, c.model, "reference"}, []any{f.EdgesKept, f.EdgesTotal, f.Task, f.Model, f.Algorithm})
		assert.Len(t, f.Edges, c.kept)
		edges := acdcOut(t, "reference", c.task, "--definition", c.definition, "--format", "edges")
		assert.Equal(t, c.kept, strings.Count(edges, "\n"))
	}
}

// Nothing was measured, and no number says that it was.
func TestReferenceFileHasNoMeasurement(t *testing.T) {
	text := acdcOut(t, "reference", "docstring", "--format", "json")
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &fields))
	assert.Equal(t, map[string]any{"algorithm": "reference", "task": "docstring", "model": "attn-only-4l"}, fields["run"])
	assert.Empty(t, fields["measured"])
	assert.NotContains(t, text, "NaN")
	assert.NotContains(t, text, "score")

	var b bytes.Buffer
	require.NoError(t, (&circuit.File{Run: circuit.Run{Metric: "nll"}}).Encode(&b))
	for _, name := range []string{"metric", "seed", "examples", "threshold", "initial", "final", "corrupted"} {
		assert.Contains(t, b.String(), `"`+name+`": `, "of a file that was measured, also where it is 0")
	}
}

// What was saved is drawn as the command itself draws it.
func TestReferenceIsReadByRender(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.json")
	for _, name := range referenceNames() {
		for _, more := range [][]string{{}, {"--direct"}, {"--heads"}} {
			assert.Empty(t, acdcOut(t, "reference", name, "-o", file))
			drawn := acdcOut(t, append([]string{"reference", name}, more...)...)
			assert.Equal(t, drawn, acdcOut(t, append([]string{"render", file}, more...)...), "%s %v", name, more)
		}
	}
}

// nodeBox finds the boxes of nodes in DOT: name, fill of the name, tooltip.
var nodeBox = regexp.MustCompile(`(?m)^\t\t"([am][\d.]+)" \[.*BGCOLOR="(#\w{6})"><FONT POINT-SIZE="\d+">[am][\d.]+</FONT>.* tooltip="([^"]*)"\]$`)

func TestReferenceIsDrawnInGroups(t *testing.T) {
	for _, r := range reference.All() {
		dot := acdcOut(t, "reference", r.Task)
		fill, role := map[string]string{}, map[string]string{}
		for _, m := range nodeBox.FindAllStringSubmatch(dot, -1) {
			fill[m[1]], role[m[1]] = m[2], m[3]
		}
		nodes := 0
		for _, g := range r.Groups {
			for _, n := range g.Nodes {
				if len(r.Others) > 0 && !strings.Contains(acdcOut(t, "reference", r.Task, "--format", "edges"), n.String()) {
					continue // of another circuit than the one that is drawn
				}
				name := fmt.Sprintf("a%d.%d", n.Layer, n.Head)
				if n.Kind == circuit.MLP {
					name = fmt.Sprintf("m%d", n.Layer)
				}
				assert.Equal(t, g.Color, fill[name], "%s %s", r.Task, name)
				assert.Contains(t, role[name], name+": "+g.Name)
				nodes++
				assert.Regexp(t, `BGCOLOR="`+g.Color+`" CELLPADDING="3"><FONT [^>]*>`+g.Name+`</FONT>`, dot, "the legend of %s", r.Task)
			}
		}
		plain := 0
		for _, color := range fill {
			if color == "#ffffff" {
				plain++
			}
		}
		assert.Equal(t, map[string]int{"ioi": 12, "greaterthan": 4, "docstring": 0}[r.Task], plain, "MLPs in no group of %s", r.Task)
		assert.Len(t, fill, nodes+plain)
		paper, _, _ := strings.Cut(r.Source, ",")
		assert.Contains(t, dot, "reference · "+paper)
	}
}

// Without MLPs there are left, of ioi, the edges that the paper tells of.
func TestReferenceHeads(t *testing.T) {
	dot := acdcOut(t, "reference", "ioi", "--heads")
	assert.NotContains(t, dot, `"m0"`)
	assert.Contains(t, dot, "1041 of 32923 edges (3.2 %), 78 direct edges and 780 MLP edges not")
	arrows := regexp.MustCompile(`(?m)^\t"\w[\w.]*" -> .* tooltip=`).FindAllString(dot, -1)
	assert.Len(t, arrows, 1041-78-780)
	assert.Equal(t, acdcOut(t, "reference", "docstring"), acdcOut(t, "reference", "docstring", "--heads"), "there are no MLPs")
}

func TestReferenceList(t *testing.T) {
	text := acdcOut(t, "reference")
	assert.Contains(t, text, ""+
		"TASK             MODEL            ABLATION        EDGES      OF  CIRCUITS  GROUPS  SOURCE\n"+
		"ioi              gpt2             any             1,041  32,923         1       7  Wang et al. 2022, arXiv:2211.00593\n"+
		"greaterthan      gpt2             any               262  32,923         1       5  Hanna et al. 2023, arXiv:2305.00586\n"+
		"docstring        attn-only-4l     any                37   1,377         1       4  Heimersheim and Janiak 2023, ")
	assert.Contains(t, text, "\nor_gate          or_gate          zero                2      19         2       3  Conmy et al. 2023, ")
	assert.Contains(t, text, "\nand_gate         and_gate         resample, mean      7      19         1       3  this project, by definition\n"+
		"and_gate         and_gate         zero               12      19         1       3  ")
	assert.Equal(t, 1, strings.Count(text, "GROUP OF AND_GATE "), "a task's circuits have the same groups")
	assert.Contains(t, text, "\nname mover           #d7f8ee  a9.h9 a10.h0 a9.h6\n")
	assert.Contains(t, text, "\nearly MLPs              #fee7d5  m0 m1 m2 m3\n")
	assert.Contains(t, text, "\nfuzzy previous token          #ececf5  a2.h0\n")

	var list []referenceInfo
	require.NoError(t, json.Unmarshal([]byte(acdcOut(t, "reference", "--json")), &list))
	require.Len(t, list, 12)
	assert.Equal(t, groupInfo{"negative name mover", "#fee7d5", []string{"a10.h7", "a11.h10"}}, list[0].Groups[2])
	for i, want := range map[int]referenceInfo{
		0: {Task: "ioi", Model: "gpt2", Source: "Wang et al. 2022, arXiv:2211.00593", EdgesKept: 1041, EdgesTotal: 32923, Groups: list[0].Groups},
		1: {Task: "greaterthan", Model: "gpt2", Source: "Hanna et al. 2023, arXiv:2305.00586", EdgesKept: 262, EdgesTotal: 32923, Groups: list[1].Groups},
		3: {Task: "or_gate", Model: "or_gate", Source: "Conmy et al. 2023, arXiv:2304.14997, appendix", Ablations: []string{"zero"}, EdgesKept: 2, EdgesTotal: 19,
			Others: [][]string{{"a0.h1->m0", "m0->logits"}}, Groups: list[3].Groups},
		6: {Task: "and_gate", Model: "and_gate", Source: "this project, by definition", Ablations: []string{"resample", "mean"}, EdgesKept: 7, EdgesTotal: 19, Groups: list[6].Groups},
		7: {Task: "and_gate", Model: "and_gate", Source: "this project, by definition", Ablations: []string{"zero"}, EdgesKept: 12, EdgesTotal: 19, Groups: list[6].Groups},
	} {
		assert.Equal(t, want, list[i])
	}
}

func TestReferenceRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		`task "iou" has no reference circuit: expected one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads; did you mean ioi?`:                   {"iou"},
		`task "greater" has no reference circuit: expected one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads; did you mean greaterthan?`:       {"greater"},
		`task "induction" has no reference circuit: expected one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads; did you mean induction_heads?`: {"induction"},
		`--output: expected a task, one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads, found none`:                                             {"-o", "x.svg"},
		`--heads: expected a task, one of ioi, greaterthan, docstring, or_gate, or_bits, and_gate, xor_gate, induction_heads, found none`:                                              {"--heads"},
		`--json: expected no task, since it is of the list, found "ioi"; did you mean --format json?`:                                                                                  {"ioi", "--json"},
		`task or_gate has no reference circuit under ablation "resample": expected one of zero`:                                                                                        {"or_gate", "--ablation", "resample"},
		`task and_gate has no reference circuit under ablation "optimal": expected one of resample, mean, zero`:                                                                        {"and_gate", "--ablation", "optimal"},
		`expected one task, found 2`: {"ioi", "docstring"},
		`-o "x.gif": expected a file that ends in .dot, .svg, .png, .pdf, .html, .json, or -`: {"ioi", "-o", "x.gif"},
		`--definition: unknown definition "edges": expected one of acdc, eap`:                 {"ioi", "--definition", "edges"},
	} {
		var stdout, stderr bytes.Buffer
		code := Main(context.Background(), append([]string{"reference"}, args...), nil, &stdout, &stderr)
		assert.Equal(t, codeUsage, code, "%v", args)
		assert.Equal(t, "acdc: "+want+" (see acdc reference --help)\n", stderr.String())
		assert.Empty(t, stdout.String())
	}
}

// Found circuits are drawn in the groups where these can be meant.
func TestGroupsOfFoundCircuits(t *testing.T) {
	seed := uint64(1)
	gpt2 := circuit.GraphInfo{Definition: circuit.ACDC, Layers: 12, Heads: 12}
	eap, parallel, noMLPs, wide, deep := gpt2, gpt2, gpt2, gpt2, gpt2
	eap.Definition, eap.SplitEmbed, parallel.ParallelAttnMLP, noMLPs.AttnOnly, wide.Heads, deep.Layers = circuit.EAP, true, true, true, 16, 24
	for _, c := range []struct {
		what  string
		file  circuit.File
		nodes int
	}{
		{"the model itself", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt2"}}, 26},
		{"another task", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "greaterthan", Model: "gpt2"}}, 17},
		{"another of its names", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "openai-community/gpt2"}}, 26},
		{"a revision", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt2-small@main"}}, 26},
		{"a folder", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "models/small"}}, 26},
		{"another definition", circuit.File{Graph: eap, Run: circuit.Run{Task: "ioi", Model: "gpt2"}}, 26},
		{"no task", circuit.File{Graph: gpt2, Run: circuit.Run{Data: "ioi.json", Model: "gpt2"}}, 0},
		{"a task without groups", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "induction", Model: "gpt2"}}, 0},
		{"another known model of the shape", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt-neo-125m"}}, 0},
		{"its repository", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "EleutherAI/gpt-neo-125M@main"}}, 0},
		{"shuffled heads", circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt2", ResetWeights: &seed}}, 0},
		{"parallel MLPs", circuit.File{Graph: parallel, Run: circuit.Run{Task: "ioi", Model: "x"}}, 0},
		{"no MLPs", circuit.File{Graph: noMLPs, Run: circuit.Run{Task: "ioi", Model: "x"}}, 0},
		{"more heads", circuit.File{Graph: wide, Run: circuit.Run{Task: "ioi", Model: "x"}}, 0},
		{"more layers", circuit.File{Graph: deep, Run: circuit.Run{Task: "ioi", Model: "x"}}, 0},
	} {
		groups := groupsOf(&c.file)
		assert.Len(t, groups, c.nodes, c.what)
		last := captionOf(&c.file).Lines
		named := len(last) > 0 && strings.HasPrefix(last[len(last)-1], "groups of ")
		assert.Equal(t, c.nodes > 0, named, "%s: the caption names the paper", c.what)
	}
	groups := groupsOf(&circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt2"}})
	assert.Equal(t, draw.Group{Name: "name mover", Color: "#d7f8ee"}, groups[circuit.Node{Kind: circuit.Head, Layer: 9, Head: 9}])
	assert.Equal(t, []string{"groups of Wang et al. 2022, in gpt2"}, captionOf(&circuit.File{Graph: gpt2, Run: circuit.Run{Task: "ioi", Model: "gpt2"}}).Lines)
}

// The largest of them becomes a picture with every edge.
func TestReferencePictureOfIOI(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("Graphviz takes seconds for a thousand edges")
	}
	file := filepath.Join(t.TempDir(), "ioi.svg")
	acdcOut(t, "reference", "ioi", "-o", file)
	svg, err := os.ReadFile(file)
	require.NoError(t, err)
	arrows := map[string]bool{}
	for _, m := range regexp.MustCompile(`xlink:title="([^"]* → [^"]*)"`).FindAllStringSubmatch(string(svg), -1) {
		arrows[m[1]] = true
	}
	assert.Len(t, arrows, 1041-78, "but for the direct edges")
	assert.Contains(t, string(svg), `fill="#fee7d5"`)
}
