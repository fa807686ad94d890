package study

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/patch/incremental"
	"github.com/seed-2c350065/acdc/pkg/train"
	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Training says how a model is trained to be a compiled program.
type Training struct {
	Steps  int
	Heads  int // a layer; 0 for three more than the program has, and at least 4
	DModel int // 0 for 6 a head
}

// TrainingSteps is how many there are unless anybody says otherwise.
const TrainingSteps = 2000

// Recipe is that of a model with random weights that is to become the program,
// whose heads stand at places that the seed draws.
func (c *Compiled) Recipe(ctx context.Context, p Program, t Training) (train.Recipe, error) {
	high := c.Model.Transformer.Config
	if t.Heads == 0 {
		t.Heads = max(4, high.Heads+3)
	}
	if t.DModel == 0 {
		t.DModel = 6 * t.Heads
	}
	if t.Heads < high.Heads {
		return train.Recipe{}, usagef("--n-heads %d: expected at least %d a layer, as many as %s compiles to", t.Heads, high.Heads, p.Name)
	}
	if t.DModel%t.Heads != 0 {
		return train.Recipe{}, usagef("--d-model %d: expected a multiple of the %d heads of a layer", t.DModel, t.Heads)
	}
	model, err := checkpoint.EncodeConfig(interchange.Shape(high, t.Heads, t.DModel/t.Heads, t.DModel, 4*t.DModel))
	if err != nil {
		return train.Recipe{}, err
	}
	name := strings.TrimSuffix(filepath.Base(p.Name), filepath.Ext(p.Name))
	text, err := json.Marshal(train.Recipe{
		Name: "interp-" + name, Description: "trained to be the compiled program " + name + " by strict interchange interventions", Model: model,
		Data: train.Data{Kind: train.Interchange, Interchange: c.objective(p, t)},
		Optimizer: train.Optimizer{LearningRate: 0.003, Warmup: 100, Final: 0.01, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8,
			Clip: 1, InitStd: 0.5},
		Batch: 64, Steps: t.Steps, Seed: p.Seed, DType: weights.F32,
	})
	if err != nil {
		return train.Recipe{}, err
	}
	return train.ParseRecipe(ctx, p.Name, text)
}

// objective is what the model is to become: inputs of the greatest length, and the
// weights of the three losses that InterpBench's authors take.
func (c *Compiled) objective(p Program, t Training) *interchange.Spec {
	d, rng := c.Model.Domain, rand.New(rand.NewPCG(p.Seed, 0x68656164))
	s := &interchange.Spec{Program: c.source, MinLen: d.MaxLen, Behaviour: 1, Interchange: 1, Strict: 0.4}
	for range c.Model.Transformer.Config.Layers {
		s.Heads = append(s.Heads, rng.Perm(t.Heads)[:c.Model.Transformer.Config.Heads])
	}
	return s
}

// Trained is a model that was trained to be a compiled program.
type Trained struct {
	*Compiled
	Quality interchange.Quality
	run     *train.Run
	metric  metric.Name
}

// Trained measures a run that has ended, on inputs that it was not trained on
// where there are enough, and the circuit in it, under resample ablation.
func (c *Compiled) Trained(ctx context.Context, p Program, r train.Recipe, run *train.Run) (*Trained, error) {
	m := run.Model()
	pair, err := interchange.New(ctx, *r.Data.Interchange, m.Config)
	if err != nil {
		return nil, err
	}
	t := &Trained{Compiled: c, run: run, metric: metric.KL}
	if c.Model.Output == nil {
		t.metric = metric.L2
	}
	if t.Quality, err = pair.Measure(ctx, m, r.Seed+1, p.Threads); err != nil {
		return nil, err
	}
	if c.Data.Mask, err = pair.Defined(ctx, c.Data.Clean); err != nil {
		return nil, err
	}
	c.Data.PosPermutation = nil // token and position embeddings are one sender
	e, err := patch.Bind(ctx, patch.Config{Model: m, Data: c.Data, Metric: t.metric, Ablation: ablate.Resample, Threads: p.Threads})
	if err != nil {
		return nil, err
	}
	c.Graph = e.Graph()
	if c.True, err = pair.Circuit(ctx, c.Graph); err != nil {
		return nil, err
	}
	c.metrics[0], c.metrics[2] = e.CleanMetric(), e.CorruptedMetric()
	c.metrics[1], err = incremental.Metric(ctx, e, c.True)
	return t, err
}

// TrainedFiles lists the files that Save writes.
func TrainedFiles() []string { return append(CompiledFiles(), train.RecipeFile) }

// Save writes the model as Compiled.Save does, without labels of residual
// dimensions, which mean nothing here, and with the recipe.
func (t *Trained) Save(ctx context.Context, dir string, p Program) error {
	tokens, err := t.tokens(nil)
	if err != nil {
		return err
	}
	files, err := t.run.Contents()
	if err != nil {
		return err
	}
	beside := t.beside(tokens, t.circuit(dir, p, t.metric, ablate.Resample))
	return atomicfile.WriteFolder(ctx, dir, append(beside, files...))
}

// Refuses is the error of a model that is not the program, nil of one that is.
func (t *Trained) Refuses(name string) error {
	misses := t.Quality.Misses()
	if misses == nil {
		return nil
	}
	return fmt.Errorf("%s: the trained model is not the program, and was not written: %s; more --steps or a larger --d-model may help, --accept writes it all the same",
		name, strings.Join(misses, "; "))
}
