package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/roc"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// publishedCurve is a curve of the figures of Conmy et al. 2023.
type publishedCurve struct {
	Weights, Ablation string
	Points            []struct {
		Threshold *float64 // nil at the ends, (0,0) and (1,1)
		NEdges    int      `json:"n_edges"`
		NNodes    int      `json:"n_nodes"`
		EdgeTPR   float64  `json:"edge_tpr"`
		EdgeFPR   float64  `json:"edge_fpr"`
		NodeTPR   float64  `json:"node_tpr"`
		NodeFPR   float64  `json:"node_fpr"`
	}
}

// The points that cannot be reproduced: of reverse one of a run that was never
// finished, of proportion one that has two edges more.
var notReproduced = map[string]float64{
	"tracr-reverse random_ablation":  3.981071705534969e-06,
	"tracr-proportion zero_ablation": 0.02512,
}

// roc finds the points of the paper's figures, at its thresholds and on its data,
// and the areas of its table. The reference permuted no positions in those days;
// as it does since, more edges are found.
func TestROCReproducesThePublishedPoints(t *testing.T) {
	reproduced, all := 0, 0
	for _, task := range []string{"tracr-reverse", "tracr-proportion"} {
		var p struct {
			Tables map[string]map[string]map[string]float64 `json:"auc_tables_tex"`
			Curves []publishedCurve
		}
		golden.ReadJSON(t, &p, "tracr", task+".published.json")
		asPublished, permuted := tracrData(t, task)
		for _, c := range p.Curves {
			if c.Weights != "trained" {
				continue
			}
			ablation := map[string]string{"random_ablation": "resample", "zero_ablation": "zero"}[c.Ablation]
			where := task + " " + c.Ablation
			var thresholds []string
			for _, x := range c.Points {
				if x.Threshold != nil {
					thresholds = append(thresholds, strconv.FormatFloat(*x.Threshold, 'g', -1, 64))
				}
			}
			args := []string{"roc", "--task", task, "--ablation", ablation, "--algorithm", "acdc", "--nodes", "reference", "--thresholds", strings.Join(thresholds, ",")}
			curve := rocCurve(t, append(args, "--data", asPublished))
			for _, x := range c.Points {
				if x.Threshold == nil {
					continue
				}
				i := slices.IndexFunc(curve.Points, func(p roc.Point) bool { return p.Threshold == *x.Threshold })
				require.GreaterOrEqual(t, i, 0, "%s, threshold %v", where, *x.Threshold)
				edges, nodes := curve.Points[i].Edges, curve.Points[i].Nodes
				want := []float64{float64(x.NEdges), x.EdgeTPR, x.EdgeFPR, float64(x.NNodes), x.NodeTPR, x.NodeFPR}
				found := []float64{float64(edges.Found()), edges.TPR(), edges.FPR(), float64(nodes.Found()), nodes.TPR(), nodes.FPR()}
				all++
				if notReproduced[where] == *x.Threshold {
					assert.NotEqual(t, want, found, "%s, threshold %v is not known to come out", where, *x.Threshold)
					continue
				}
				assert.Equal(t, want, found, "%s, threshold %v", where, *x.Threshold)
				reproduced++
			}
			table := p.Tables[map[string]string{"resample": "random", "zero": "zero"}[ablation]]
			for part, name := range map[roc.Part]string{roc.Edges: "roc_edges", roc.Nodes: "roc_nodes"} {
				assert.InDelta(t, table[name]["ACDC"], curve.Pessimistic(part), 0.0005+1e-12, "%s, %s", where, name)
			}
			if ablation == "resample" {
				curve = rocCurve(t, append(args, "--data", permuted))
				want := map[string][2]float64{"tracr-reverse": {0.6, 0.75}, "tracr-proportion": {0.9, 1}}[task]
				assert.Equal(t, want, [2]float64{curve.Pessimistic(roc.Edges), curve.Pessimistic(roc.Nodes)}, "%s, with the shuffle of today", where)
			}
		}
	}
	assert.Equal(t, []int{116, 118}, []int{reproduced, all})
}

// tracrData writes the reference's prompts to files, with positions where they are
// and permuted as the reference does.
func tracrData(t *testing.T, task string) (asTheyAre, permuted string) {
	t.Helper()
	var raw struct {
		Clean       [][]int64 `json:"validation_data"`
		Corrupt     [][]int64 `json:"validation_patch_data"`
		Permutation []int64   `json:"pos_embed_permutation"`
	}
	golden.ReadJSON(t, &raw, "tracr", task+".data.json")
	b, n := len(raw.Clean), len(raw.Clean[0])
	dir := t.TempDir()
	write := func(name string, permutation []int64) string {
		var file bytes.Buffer
		require.NoError(t, weights.Write(&file, []weights.Tensor{
			weights.Int64s("clean", slices.Concat(raw.Clean...), b, n), weights.Int64s("corrupt", slices.Concat(raw.Corrupt...), b, n),
			weights.Int64s("pos_permutation", permutation, n),
		}, nil))
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, file.Bytes(), 0o644))
		return path
	}
	sorted := slices.Clone(raw.Permutation)
	slices.Sort(sorted)
	return write("published.safetensors", sorted), write("permuted.safetensors", raw.Permutation)
}

// rocCurve runs roc with one method and reads its curve.
func rocCurve(t *testing.T, args []string) roc.Curve {
	t.Helper()
	f, err := roc.Decode(t.Context(), "roc.json", finish(t, t.TempDir(), args))
	require.NoError(t, err)
	require.Len(t, f.Curves, 1)
	return f.Curves[0]
}
