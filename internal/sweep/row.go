package sweep

import (
	"context"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
)

// Row is what a run is and what it found, in one line. Its fields are the
// columns: their names are the json tags, what they mean the about tags. What
// does not apply is empty in CSV and null in JSON.
type Row struct {
	ID            string  `json:"id" about:"the run: the hash of everything that decides its result, and the name of its file"`
	Version       string  `json:"version" about:"of the program"`
	Processor     string  `json:"processor" about:"whose arithmetic it is"`
	Model         string  `json:"model" about:"its name"`
	WeightsSHA256 string  `json:"weights_sha256" about:"of the weights, as they were processed"`
	ResetWeights  *uint64 `json:"reset_weights" about:"the seed that the weights were shuffled by, as a control"`
	Task          string  `json:"task" about:"its name, empty where the data are given without"`
	Data          string  `json:"data" about:"the file of prompts, empty where the task makes them"`
	PromptsSHA256 string  `json:"prompts_sha256" about:"of the prompts that the circuit was found on"`
	Examples      int     `json:"examples" about:"how many they are"`
	TestSHA256    string  `json:"test_sha256" about:"of the prompts that it was tested on: the task's other half, or --test-data"`
	TestExamples  *int    `json:"test_examples" about:"how many they are"`
	Variant       string  `json:"variant" about:"of the task's prompts, empty for the first"`
	Seed          uint64  `json:"seed" about:"of everything that is random"`

	Algorithm  string             `json:"algorithm" about:"its name"`
	Options    string             `json:"options" about:"its own options, as JSON"`
	Definition circuit.Definition `json:"definition" about:"of the graph's edges"`
	SplitEmbed bool               `json:"split_embed" about:"whether token and position embeddings are two senders"`
	Metric     string             `json:"metric" about:"its name"`
	Ablation   string             `json:"ablation" about:"what cut edges carry"`
	Abs        bool               `json:"abs" about:"whether an effect, or a score, counts by its size"`
	Order      string             `json:"order" about:"of ACDC's tests"`
	Threshold  *float64           `json:"threshold" about:"ACDC's"`
	Rule       string             `json:"rule" about:"by which scores choose edges"`
	Size       *int               `json:"size" about:"how many edges scores were to choose: those that lead nowhere among them, direct edges not"`

	EdgesTotal int `json:"edges_total" about:"edges of the graph"`
	Edges      int `json:"edges" about:"edges of the circuit"`
	EdgesPaths int `json:"edges_on_paths" about:"those of them that lie on a path to the output, as acdc roc counts"`
	Nodes      int `json:"nodes" about:"nodes of the circuit: MLPs, embeddings, and the queries, keys and values of heads, as acdc roc counts"`

	Full         *float64 `json:"metric_full" about:"the metric of the full model,"`
	Circuit      *float64 `json:"metric_circuit" about:"of the circuit,"`
	Corrupted    *float64 `json:"metric_corrupted" about:"and of the corrupted run, on the prompts that the circuit was found on"`
	Faithfulness *float64 `json:"faithfulness" about:"(circuit − corrupted) / (full − corrupted) of the metric"`
	KL           *float64 `json:"kl" about:"KL divergence of the circuit's predictions from the model's, in nats"`
	KLCorrupted  *float64 `json:"kl_corrupted" about:"that of the corrupted run"`

	TestFull         *float64 `json:"test_metric_full" about:"the same six on the test prompts"`
	TestCircuit      *float64 `json:"test_metric_circuit" about:""`
	TestCorrupted    *float64 `json:"test_metric_corrupted" about:""`
	TestFaithfulness *float64 `json:"test_faithfulness" about:""`
	TestKL           *float64 `json:"test_kl" about:""`
	TestKLCorrupted  *float64 `json:"test_kl_corrupted" about:""`

	Tests         int     `json:"tests" about:"edges that were cut and measured; of scores, for all sizes together, as the next two"`
	ForwardPasses float64 `json:"forward_passes" about:"what the search cost, in plain forward passes"`
	FLOP          int64   `json:"flop" about:"and in floating-point operations of matrix products"`
	Warnings      string  `json:"warnings" about:"doubts about the result, with semicolons between them"`
}

// Columns lists the columns in their order.
func Columns() []tablefile.Column { return tablefile.Of[Row]() }

// row says what a run is and what it found; f has what was measured on the data
// that the circuit was found on.
func (b *bench) row(ctx context.Context, p Planned, f *circuit.File, mask circuit.Mask) (Row, error) {
	edges, nodes := b.counts.Count(mask)
	r := Row{
		ID: p.ID, Version: p.Origin.Version, Processor: p.Origin.Processor, Model: p.Run.Model, WeightsSHA256: p.Run.WeightsDigest, ResetWeights: p.Run.ResetWeights,
		Task: p.Run.Task, Data: p.Run.Data, PromptsSHA256: p.Run.PromptsDigest, Examples: p.Run.Examples, TestSHA256: p.Test.Digest, Variant: p.Run.Variant, Seed: p.Run.Seed,
		Algorithm: p.Run.Algorithm, Options: string(p.Run.Options), Definition: f.Graph.Definition, SplitEmbed: p.Graph.SplitEmbed, Metric: p.Run.Metric, Ablation: p.Run.Ablation,
		Abs: p.Run.AbsoluteValue, Order: p.Run.Order,
		EdgesTotal: f.EdgesTotal, Edges: f.EdgesKept, EdgesPaths: edges.Found(), Nodes: nodes.Found(),
		Full: jsonfile.Finite(f.Measured.Initial), Circuit: jsonfile.Finite(f.Measured.Final), Corrupted: jsonfile.Finite(f.Measured.Corrupted),
		Tests: f.Measured.Cost.Tests, ForwardPasses: f.Measured.Cost.ForwardPasses, FLOP: f.Measured.Cost.FLOP, Warnings: strings.Join(f.Measured.Warnings, "; "),
	}
	if s := p.Run.Selection; s != nil {
		r.Rule, r.Size = string(s.Rule), &s.Edges
	} else {
		r.Threshold = &p.Run.Threshold
	}
	r.Faithfulness = faithfulness(f.Measured.Final, b.found)
	kl, err := incremental.Metric(ctx, b.kl, mask)
	if err != nil {
		return r, err
	}
	r.KL, r.KLCorrupted = jsonfile.Finite(kl), jsonfile.Finite(b.kl.CorruptedMetric())
	if b.test == nil {
		return r, nil
	}
	err = b.tested(ctx, &r, mask)
	return r, err
}

// tested adds what is measured on the test data.
func (b *bench) tested(ctx context.Context, r *Row, mask circuit.Mask) error {
	metric, err := incremental.Metric(ctx, b.test, mask)
	if err != nil {
		return err
	}
	kl, err := incremental.Metric(ctx, b.bound.test, mask)
	if err != nil {
		return err
	}
	n := b.test.Runs().Examples()
	r.TestExamples = &n
	r.TestFull, r.TestCircuit, r.TestCorrupted = jsonfile.Finite(b.test.CleanMetric()), jsonfile.Finite(metric), jsonfile.Finite(b.test.CorruptedMetric())
	r.TestFaithfulness = faithfulness(metric, b.test)
	r.TestKL, r.TestKLCorrupted = jsonfile.Finite(kl), jsonfile.Finite(b.bound.test.CorruptedMetric())
	return nil
}

// faithfulness is how far a circuit brings the metric from the corrupted run's
// to the full model's: 0 for the one, 1 for the other, nil where they are equal.
func faithfulness(circuit float64, e *patch.Experiment) *float64 {
	const noMinus = 0.0 // of a zero
	return jsonfile.Finite((circuit-e.CorruptedMetric())/(e.CleanMetric()-e.CorruptedMetric()) + noMinus)
}
