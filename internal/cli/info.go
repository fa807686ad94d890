package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

func newInfo(a *app) *cobra.Command {
	var m study.Spec
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info --model MODEL",
		Short: "show a model's configuration and the size of its graphs",
		Example: `  acdc info --model induction
  acdc info --model random:4x8x128x512x1000 --json`,
		Args: noArgs("model"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.info(cmd.Context(), &m, asJSON) },
	}
	modelFlags(cmd, &m)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// configInfo is a configuration in TransformerLens' names.
type configInfo struct {
	Layers         int     `json:"n_layers"`
	Heads          int     `json:"n_heads"`
	DModel         int     `json:"d_model"`
	DHead          int     `json:"d_head"`
	DMLP           int     `json:"d_mlp"`
	Vocab          int     `json:"d_vocab"`
	VocabOut       int     `json:"d_vocab_out"`
	Ctx            int     `json:"n_ctx"`
	Act            string  `json:"act_fn"`
	Norm           *string `json:"normalization_type"`
	Eps            float64 `json:"eps"`
	Direction      string  `json:"attention_dir"`
	Positions      string  `json:"positional_embedding_type"`
	AttnScale      float64 `json:"attn_scale"`
	AttnOnly       bool    `json:"attn_only"`
	Parallel       bool    `json:"parallel_attn_mlp"`
	Windows        []int   `json:"windows,omitempty"` // by layer, how many positions attention sees, 0 for all
	RotaryDim      int     `json:"rotary_dim,omitempty"`
	RotaryBase     float64 `json:"rotary_base,omitempty"`
	RotaryAdjacent bool    `json:"rotary_adjacent_pairs,omitempty"`
	RotaryFactor   float64 `json:"rotary_factor,omitempty"` // positions are divided by it
	ScaleByLayer   bool    `json:"scale_attn_by_inverse_layer_idx,omitempty"`
	partsInfo
}

// partsInfo is what some families have, where they have it.
type partsInfo struct {
	KVHeads    int     `json:"n_key_value_heads,omitempty"` // where they are fewer than heads
	Gated      bool    `json:"gated_mlp,omitempty"`
	QKNorm     bool    `json:"use_qk_norm,omitempty"`
	PostNorm   bool    `json:"use_normalization_before_and_after,omitempty"`
	EmbedScale float64 `json:"embedding_scale,omitempty"` // token embeddings are multiplied by it
	ScoreCap   float64 `json:"attn_scores_soft_cap,omitempty"`
	LogitCap   float64 `json:"output_logits_soft_cap,omitempty"`
	Bands      *bands  `json:"rotary_bands,omitempty"`
}

// bands say how rotary frequencies are scaled by their wavelength.
type bands struct {
	Factor   float64 `json:"factor"`
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original int     `json:"original_max_position_embeddings"`
}

func partsOf(c transformer.Config) partsInfo {
	out := partsInfo{Gated: c.GatedMLP, QKNorm: c.QKNorm, PostNorm: c.PostNorm, EmbedScale: c.EmbedScale, ScoreCap: c.ScoreCap, LogitCap: c.LogitCap}
	if c.KV() != c.Heads {
		out.KVHeads = c.KV()
	}
	if r := c.RotaryBands; r != (transformer.RotaryBands{}) {
		out.Bands = &bands{r.Factor, r.Low, r.High, r.Original}
	}
	return out
}

// graphInfo is the size of a graph.
type graphInfo struct {
	Definition circuit.Definition `json:"definition"`
	SplitEmbed bool               `json:"split_embed"`
	Nodes      int                `json:"nodes"` // senders and receivers
	Edges      int                `json:"edges"`
}

// info runs the command.
func (a *app) info(ctx context.Context, f *study.Spec, asJSON bool) error {
	if f.Model == "" {
		return usagef("expected --model MODEL, found none")
	}
	m, err := f.OpenModel(ctx, 0)
	if err != nil {
		return err
	}
	defer m.Close()
	a.warn(m.Warnings)
	graphs, err := graphsOf(m.Config)
	if err != nil {
		return err
	}
	c := configOf(m.Config)
	if asJSON {
		return a.printJSON(struct {
			Name        string            `json:"name"`
			Description string            `json:"description"`
			Layout      checkpoint.Layout `json:"layout"`
			Processing  []string          `json:"processing"`
			Tokenizer   string            `json:"tokenizer,omitempty"`
			Parameters  int               `json:"parameters"`
			Config      configInfo        `json:"config"`
			Graphs      []graphInfo       `json:"graphs"`
		}{m.Name, m.Description, m.Layout, m.Processing.Steps(), tokenizerName(ctx, m), m.Config.Parameters(), c, graphs})
	}
	a.print(infoText(ctx, m, c, graphs, columns(a.stdout)))
	return nil
}

func configOf(c transformer.Config) configInfo {
	out := configInfo{Layers: c.Layers, Heads: c.Heads, DModel: c.DModel, DHead: c.DHead, DMLP: c.DMLP, Vocab: c.Vocab,
		VocabOut: c.VocabOut, Ctx: c.Ctx, Act: string(c.Activation), Eps: c.Eps, Direction: string(c.Direction),
		Positions: string(c.Positions), AttnScale: c.AttnScale, AttnOnly: c.AttnOnly, Parallel: c.ParallelAttnMLP,
		Windows: c.Windows, RotaryDim: c.RotaryDim, RotaryBase: c.RotaryBase, RotaryAdjacent: c.RotaryAdjacent,
		ScaleByLayer: c.ScaleByLayer, RotaryFactor: c.RotaryFactor, partsInfo: partsOf(c)}
	if c.Norm != transformer.NoNorm {
		name := string(c.Norm)
		out.Norm = &name
	}
	return out
}

// graphsOf sizes all graphs of a model.
func graphsOf(c transformer.Config) ([]graphInfo, error) {
	var out []graphInfo
	for _, def := range circuit.Definitions() {
		for _, split := range []bool{false, true} {
			if split && c.Positions != transformer.Standard {
				continue
			}
			g, err := circuit.New(circuit.Config{Definition: def, Layers: c.Layers, Heads: c.Heads, AttnOnly: c.AttnOnly,
				ParallelAttnMLP: c.ParallelAttnMLP, SplitEmbed: split})
			if err != nil {
				return nil, err
			}
			out = append(out, graphInfo{def, split, len(g.Senders()) + len(g.Receivers()), g.NumEdges()})
		}
	}
	return out, nil
}

// shapeOf says a model's shape in one line.
func shapeOf(c transformer.Config) string {
	mlp := fmt.Sprintf("d_mlp %d %s", c.DMLP, c.Activation)
	if c.GatedMLP {
		mlp += " gated"
	}
	if c.AttnOnly {
		mlp = "attention only"
	} else if c.ParallelAttnMLP {
		mlp += " beside attention"
	}
	heads := fmt.Sprintf("%d layers of %d heads of %d", c.Layers, c.Heads, c.DHead)
	if c.KV() != c.Heads {
		heads += fmt.Sprintf(", which share keys and values of %d", c.KV())
	}
	return fmt.Sprintf("%s, d_model %d, %s", heads, c.DModel, mlp)
}

// attentionText says what attention sees, and how scores are scaled.
func attentionText(c configInfo) string {
	text := fmt.Sprintf("%s, scores over %.4g", c.Direction, c.AttnScale)
	if c.ScaleByLayer {
		text += " times the layer's number from 1"
	}
	if c.ScoreCap != 0 {
		text += fmt.Sprintf(", capped at %g", c.ScoreCap)
	}
	local, window := []string{}, 0
	for l, w := range c.Windows {
		if w > 0 {
			local, window = append(local, fmt.Sprint(l)), w
		}
	}
	if window > 0 {
		text += fmt.Sprintf("; the last %d positions only in layers %s", window, strings.Join(local, ", "))
	}
	return text
}

// positionsText says how positions enter.
func positionsText(c configInfo) string {
	text := c.Positions
	if c.RotaryDim > 0 {
		text += fmt.Sprintf(" on %d of %d components of a head, base %g", c.RotaryDim, c.DHead, c.RotaryBase)
	}
	if c.RotaryAdjacent {
		text += ", adjacent pairs"
	}
	if c.RotaryFactor > 0 {
		text += fmt.Sprintf(", positions over %g", c.RotaryFactor)
	}
	if c.Bands != nil {
		text += fmt.Sprintf(", low frequencies over %g", c.Bands.Factor)
	}
	return fmt.Sprintf("%s, at most %s", text, grouped(c.Ctx))
}

// tokenizerName names the model's tokenizer, empty if it has none.
func tokenizerName(ctx context.Context, m *zoo.Model) string {
	t, err := m.Tokenizer(ctx)
	if err != nil {
		return ""
	}
	return t.Name()
}

func infoText(ctx context.Context, m *zoo.Model, c configInfo, graphs []graphInfo, width int) string {
	norm := "none"
	if c.Norm != nil {
		norm = fmt.Sprintf("%s, eps %g", *c.Norm, c.Eps)
	}
	if c.QKNorm {
		norm += "; of queries and keys"
	}
	if c.PostNorm {
		norm += "; behind attention and MLPs"
	}
	vocab := grouped(c.Vocab)
	if c.VocabOut != c.Vocab {
		vocab += ", " + grouped(c.VocabOut) + " logits"
	}
	if c.LogitCap != 0 {
		vocab += fmt.Sprintf(", logits capped at %g", c.LogitCap)
	}
	if c.EmbedScale != 0 {
		vocab += fmt.Sprintf(", embeddings times %.4g", c.EmbedScale)
	}
	processing := m.Processing.String()
	if left := checkpoint.LeftOut(m.Config); len(left) > 0 && m.Layout != checkpoint.TransformerLens {
		processing += "; not " + strings.Join(left, "; nor ")
	}
	text := pairLines(width, [2]string{"model", m.Name}, [2]string{"description", m.Description}, [2]string{"shape", shapeOf(m.Config)},
		[2]string{"layout", string(m.Layout)}, [2]string{"processing", processing},
		[2]string{"normalization", norm},
		[2]string{"attention", attentionText(c)},
		[2]string{"positions", positionsText(c)},
		[2]string{"vocabulary", vocab}, [2]string{"tokenizer", cmp.Or(tokenizerName(ctx, m), "none: prompts are token ids")},
		[2]string{"parameters", grouped(m.Config.Parameters())})
	rows := [][]string{{"GRAPH", "NODES", "EDGES"}}
	for _, g := range graphs {
		name := string(g.Definition)
		if g.SplitEmbed {
			name += ", split embeddings"
		}
		rows = append(rows, []string{name, grouped(g.Nodes), grouped(g.Edges)})
	}
	return text + "\n" + table(rows, width)
}
