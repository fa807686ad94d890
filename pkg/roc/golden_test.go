package roc

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
)

// tracr are the compiled models, with the layers that each has.
var tracr = map[string]int{"tracr-reverse": 4, "tracr-proportion": 2}

// tracrTruth is the true circuit of a compiled model.
func tracrTruth(t *testing.T, task string, o Options) *Truth {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: tracr[task], Heads: 1, SplitEmbed: true})
	require.NoError(t, err)
	truth, err := NewTruth(g, golden.TrueEdges(t, task, g), o)
	require.NoError(t, err)
	return truth
}

// counts are the reference's.
type counts struct {
	TruePositive  int `json:"true positive"`
	FalsePositive int `json:"false positive"`
	TrueNegative  int `json:"true negative"`
	FalseNegative int `json:"false negative"`
	All           int
	True          int `json:"ground truth"`
	Found         int `json:"recovered"`
}

func theirs(c Count) counts {
	return counts{c.TruePositive, c.FalsePositive, c.TrueNegative, c.FalseNegative, c.All(), c.True(), c.Found()}
}

// goldenRun is a run of the reference's ACDC.
type goldenRun struct {
	Threshold float64
	Zero      bool    `json:"zero_ablation"`
	Names     string  `json:"names_mode"`
	Indices   string  `json:"indices_mode"`
	Shuffle   string  `json:"pos_embed_shuffle"`
	Kept      [][]any `json:"kept_edges"`
	EdgeStats counts  `json:"edge_stats"`
	NodeStats counts  `json:"node_stats"`
}

func (r goldenRun) isNormal() bool { return r.Names == "normal" && r.Indices == "normal" }

// mask are the edges that a run kept.
func (r goldenRun) mask(t *testing.T, g *circuit.Graph) circuit.Mask {
	m := g.Empty()
	for _, e := range r.Kept {
		m[golden.EdgeNumber(t, g, e)] = true
	}
	return m
}

func goldenRuns(t *testing.T, name string) []goldenRun {
	var runs []goldenRun
	golden.ReadJSON(t, &runs, "tracr", name+".json")
	require.NotEmpty(t, runs)
	return runs
}

func TestStatisticsAreTheReferences(t *testing.T) {
	for task := range tracr {
		truth := tracrTruth(t, task, Options{Nodes: ReferenceNodes})
		runs, stats := goldenRuns(t, task+".runs"), goldenRuns(t, task+".stats") // of the same runs, in two files
		require.Len(t, stats, 42)
		for i := range runs {
			stats[i].Kept = runs[i].Kept
			runs[i].EdgeStats, runs[i].NodeStats = stats[i].EdgeStats, stats[i].NodeStats
		}
		require.Equal(t, stats, runs)
		shuffled := goldenRuns(t, task+".seed42.runs")
		require.Len(t, shuffled, 15)
		for i, r := range append(runs, shuffled...) {
			edges, nodes := truth.Count(r.mask(t, truth.Graph()))
			assert.Positive(t, r.EdgeStats.All, "%s, run %d", task, i)
			assert.Equal(t, r.EdgeStats, theirs(edges), "%s, run %d", task, i)
			assert.Equal(t, r.NodeStats, theirs(nodes), "%s, run %d", task, i)
		}
	}
}

// The reference lists true placeholder edges one by one; here they follow from
// the others.
func TestPlaceholdersAreTheReferences(t *testing.T) {
	for task, layers := range tracr {
		var raw struct{ Edges [][]any }
		golden.ReadJSON(t, &raw, "tracr", task+".true_edges.json")
		with, without := tracrTruth(t, task, Options{Placeholders: true}), tracrTruth(t, task, Options{})
		all, _ := with.Count(with.Graph().Full())
		counted, _ := without.Count(with.Graph().Full())
		assert.Equal(t, len(raw.Edges), all.True(), task)
		assert.Equal(t, counted.All()+4*layers, all.All(), task)
		placeholders := 0
		for _, e := range raw.Edges {
			if e[4] == "PLACEHOLDER" {
				placeholders++
			}
		}
		assert.Equal(t, placeholders, all.True()-counted.True(), task)
	}
}

// publishedPoint is a point of the paper's figures.
type publishedPoint struct {
	Threshold     *float64
	NEdges        *int    `json:"n_edges"`
	EdgeTPR       float64 `json:"edge_tpr"`
	EdgeFPR       float64 `json:"edge_fpr"`
	EdgePrecision float64 `json:"edge_precision"`
	NNodes        *int    `json:"n_nodes"`
	NodeTPR       float64 `json:"node_tpr"`
	NodeFPR       float64 `json:"node_fpr"`
	NodePrecision float64 `json:"node_precision"`
}

type published struct {
	Tables map[string]map[string]map[string]float64 `json:"auc_tables_tex"`
	Curves []struct {
		Weights, Ablation string
		Areas             map[string]float64 `json:"recomputed_auc"`
		Points            []publishedPoint
	}
}

func readPublished(t *testing.T, task string) published {
	var p published
	golden.ReadJSON(t, &p, "tracr", task+".published.json")
	require.Len(t, p.Curves, 4)
	return p
}

// printed compares a number with one that was rounded to three decimals for a
// table, a half either way.
func printed(t *testing.T, want, got float64, what string) {
	t.Helper()
	assert.LessOrEqual(t, math.Abs(got-want), 0.0005+1e-12, "%s: %v, printed %v", what, got, want)
}

func TestPublishedAreas(t *testing.T) {
	for task := range tracr {
		p := readPublished(t, task)
		for _, c := range p.Curves {
			var edges, nodes []Rates
			for _, x := range c.Points {
				if x.Threshold == nil || *x.Threshold >= ReferenceLeast {
					edges, nodes = append(edges, Rates{x.EdgeFPR, x.EdgeTPR}), append(nodes, Rates{x.NodeFPR, x.NodeTPR})
				}
			}
			for name, points := range map[string][]Rates{"roc_edges": edges, "roc_nodes": nodes} {
				where := fmt.Sprintf("%s, %s, %s, %s", task, c.Weights, c.Ablation, name)
				assert.InDelta(t, c.Areas[name], Pessimistic(points), 1e-15, where)
				assert.InDelta(t, c.Areas[name], Pessimistic(points[1:len(points)-1]), 1e-15, "%s: (0,0) and (1,1) are there by themselves", where)
				if c.Weights == "trained" {
					printed(t, p.Tables[map[string]string{"random_ablation": "random", "zero_ablation": "zero"}[c.Ablation]][name]["ACDC"], Pessimistic(points), where)
				}
			}
		}
	}
}

// curveOf is the curve of the golden runs that a test picks.
func curveOf(t *testing.T, truth *Truth, file string, pick func(goldenRun) bool) Curve {
	t.Helper()
	var found []Found
	for _, r := range goldenRuns(t, file) {
		if pick(r) {
			found = append(found, Found{r.Threshold, r.mask(t, truth.Graph())})
		}
	}
	require.NotEmpty(t, found)
	c, err := truth.FromCircuits(t.Context(), "acdc", found)
	require.NoError(t, err)
	c.Least = ReferenceLeast
	return c
}

// The areas of the table come out of the circuits, and the points of the
// figures with them.
func TestTableComesOutOfCircuits(t *testing.T) {
	for task := range tracr {
		p, truth := readPublished(t, task), tracrTruth(t, task, Options{Nodes: ReferenceNodes})
		zero := curveOf(t, truth, task+".runs", func(r goldenRun) bool { return r.Zero && r.isNormal() })
		random := curveOf(t, truth, task+".seed42.runs", func(r goldenRun) bool { return strings.HasPrefix(r.Shuffle, "none") })
		for part, name := range map[Part]string{Edges: "roc_edges", Nodes: "roc_nodes"} {
			printed(t, p.Tables["zero"][name]["ACDC"], zero.Pessimistic(part), task+", zero, "+name)
			printed(t, p.Tables["random"][name]["ACDC"], random.Pessimistic(part), task+", random, "+name)
			assert.Equal(t, 1.0, zero.Trapezoid(part), task)
		}
		for _, c := range p.Curves {
			curve := map[string]Curve{"zero_ablation": zero, "random_ablation": random}[c.Ablation]
			if c.Weights == "trained" {
				assert.Positive(t, samePoints(t, curve, c.Points), "%s %s: points at thresholds of the golden runs", task, c.Ablation)
			}
		}
	}
}

// samePoints compares the points of a curve with published ones of the same
// threshold, and returns how many there are.
func samePoints(t *testing.T, c Curve, points []publishedPoint) (same int) {
	for _, x := range points {
		for _, p := range c.Points {
			if x.Threshold == nil || p.Threshold != *x.Threshold {
				continue
			}
			same++
			assert.Equal(t, publishedPoint{x.Threshold, x.NEdges, p.Edges.TPR(), p.Edges.FPR(), p.Edges.Precision(), x.NNodes, p.Nodes.TPR(), p.Nodes.FPR(), p.Nodes.Precision()}, x)
			assert.Equal(t, []int{*x.NEdges, *x.NNodes}, []int{p.Edges.Found(), p.Nodes.Found()})
		}
	}
	return same
}

// With positions shuffled as the code does now.
func TestAreasOfFixedShuffle(t *testing.T) {
	for task, want := range map[string][2]float64{"tracr-reverse": {0.6, 12.0 / 16}, "tracr-proportion": {0.9, 1}} {
		c := curveOf(t, tracrTruth(t, task, Options{Nodes: ReferenceNodes}), task+".runs", func(r goldenRun) bool { return !r.Zero && r.isNormal() })
		assert.InDelta(t, want[0], c.Pessimistic(Edges), 1e-15, task)
		assert.InDelta(t, want[1], c.Pessimistic(Nodes), 1e-15, task)
	}
}
