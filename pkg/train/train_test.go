package train

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

func begin(t testing.TB, r Recipe, threads int) *Run {
	t.Helper()
	run, err := New(t.Context(), r, threads)
	require.NoError(t, err)
	return run
}

func nothing(Event) error { return nil }

// saved trains a run to its end and returns the bytes of the model's files.
func saved(t *testing.T, run *Run) map[string]string {
	t.Helper()
	require.NoError(t, run.Train(t.Context(), 0, nothing))
	dir := filepath.Join(t.TempDir(), "model")
	require.NoError(t, run.Save(t.Context(), dir))
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = string(text)
	}
	return out
}

// The same recipe gives the same files, whatever the number of threads, also
// where the chunks are not a power of two; another seed gives others.
func TestThreadsChangeNothing(t *testing.T) {
	for _, batch := range []string{"40", "5", "64"} {
		r := parse(t, with(t, map[string]string{"batch": batch, "steps": "6"}))
		one := saved(t, begin(t, r, 1))
		assert.Len(t, one, 3)
		for _, threads := range []int{2, 3, 7} {
			assert.Equal(t, one, saved(t, begin(t, r, threads)), "%s examples, %d threads", batch, threads)
		}
		r.Seed++
		assert.NotEqual(t, one[WeightsFile], saved(t, begin(t, r, 1))[WeightsFile])
	}
}

var errStop = errors.New("stopped")

// A run that is stopped after any step and goes on from its checkpoint, with
// another number of threads, ends in the same bytes.
func TestResumedRunsEndInTheSameBytes(t *testing.T) {
	r := parse(t, []byte(tiny))
	whole := saved(t, begin(t, r, 2))
	for stop := 1; stop <= r.Steps; stop += 3 {
		path := filepath.Join(t.TempDir(), "run.ckpt")
		first := begin(t, r, 1)
		require.NoError(t, first.LoadState(t.Context(), path), "there is no file yet")
		err := first.Train(t.Context(), 0, func(e Event) error {
			if e.Step == stop {
				return errStop
			}
			return nil
		})
		require.ErrorIs(t, err, errStop)
		require.NoError(t, first.SaveState(t.Context(), path))
		second := begin(t, r, 3)
		require.NoError(t, second.LoadState(t.Context(), path))
		assert.Equal(t, stop, second.Done())
		assert.Equal(t, whole, saved(t, second), "stopped after step %d", stop)
	}
}

// A run that goes on has the history of one that was never stopped, what was
// measured on the way too, even if the stop came between a step and its measures.
func TestHistoriesGoOn(t *testing.T) {
	r := parse(t, []byte(tiny))
	whole := begin(t, r, 2)
	require.NoError(t, whole.Train(t.Context(), 4, nothing))
	require.Len(t, whole.History(), r.Steps)
	for stop := 1; stop <= r.Steps; stop++ {
		path := filepath.Join(t.TempDir(), "run.ckpt")
		first := begin(t, r, 1)
		require.ErrorIs(t, first.Train(t.Context(), 4, func(e Event) error {
			if e.Step == stop {
				return errStop
			}
			return nil
		}), errStop)
		if stop%4 == 0 {
			first.history[stop-1].Measures = nil // as when its measuring is interrupted
		}
		require.NoError(t, first.SaveState(t.Context(), path))
		second := begin(t, r, 2)
		require.NoError(t, second.LoadState(t.Context(), path))
		require.NoError(t, second.Train(t.Context(), 4, nothing))
		assert.Equal(t, whole.History(), second.History(), "stopped after step %d", stop)
	}
}

// A run whose context ends stops between two steps and can be saved.
func TestContextEndsRun(t *testing.T) {
	r := parse(t, []byte(tiny))
	ctx, cancel := context.WithCancel(t.Context())
	run := begin(t, r, 2)
	err := run.Train(ctx, 0, func(e Event) error {
		if e.Step == 5 {
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 5, run.Done())
	path := filepath.Join(t.TempDir(), "run.ckpt")
	require.NoError(t, run.SaveState(t.Context(), path))
	again := begin(t, r, 2)
	require.NoError(t, again.LoadState(t.Context(), path))
	assert.Equal(t, saved(t, begin(t, r, 2)), saved(t, again))
}

// What is told on the way does not change the result.
func TestEvents(t *testing.T) {
	r := parse(t, []byte(tiny))
	run := begin(t, r, 2)
	var events []Event
	require.NoError(t, run.Train(t.Context(), 4, func(e Event) error { events = append(events, e); return nil }))
	require.Len(t, events, r.Steps)
	for i, e := range events {
		assert.Equal(t, i+1, e.Step)
		assert.Equal(t, r.Steps, e.Steps)
		assert.Equal(t, r.Optimizer.rate(i, r.Steps), e.Rate)
		assert.Greater(t, e.Loss, 0.5)
		assert.Less(t, e.Loss, 8.0)
		assert.Positive(t, e.Norm)
		assert.Equal(t, (i+1)%4 == 0, e.Measures != nil)
	}
	var names []string
	for _, m := range events[3].Measures {
		names = append(names, m.Name)
	}
	assert.Equal(t, []string{"loss on the repeat", "attention to the previous token", "attention to what came next before"}, names)
	assert.Equal(t, saved(t, begin(t, r, 1)), saved(t, run))
}

// A batch is a function of the seed and its number alone, and no two are alike.
func TestBatchesNeedNoState(t *testing.T) {
	c, err := parse(t, []byte(tiny)).Data.corpus()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, seed := range []uint64{0, 1, 1 << 60} {
		for number := range 50 {
			b := c.chunk(stream(seed, number), number)
			assert.Equal(t, b, c.chunk(stream(seed, number), number))
			text := ""
			for _, row := range b.Tokens {
				for _, id := range row {
					text += string(rune('A' + id))
				}
			}
			assert.False(t, seen[text])
			seen[text] = true
		}
	}
}

// A loss that is no number is refused, and the weights stay finite.
func TestRefusesNaN(t *testing.T) {
	r := parse(t, with(t, map[string]string{"optimizer.learning_rate": "10", "optimizer.clip": "0", "optimizer.init_std": "10", "optimizer.epsilon": "1e-30", "steps": "1"}))
	run := begin(t, r, 2)
	run.weights.params.Unembed.Data[0] = float32(1e38)
	run.model.Repack()
	for i := range run.weights.params.LNFW {
		run.weights.params.LNFW[i] = 1e30
	}
	err := run.Train(t.Context(), 0, nothing)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "step 1: expected a finite loss and gradient, found NaN")
	assert.Contains(t, err.Error(), "a lower learning rate")
	assert.Zero(t, run.Done())
}

// A small model learns in some hundred steps.
func TestLearns(t *testing.T) {
	r := parse(t, with(t, map[string]string{"steps": "400", "data.repeats.min_period": "3", "data.repeats.max_period": "3", "data.repeats.length": "7", "optimizer.head_lasso": "0"}))
	run := begin(t, r, 2)
	first, last := 0.0, 0.0
	require.NoError(t, run.Train(t.Context(), 0, func(e Event) error {
		if e.Step == 1 {
			first = e.Loss
		}
		last = e.Loss
		return nil
	}))
	assert.Greater(t, first, 2.5)
	assert.Less(t, last, 0.1)
	m, err := run.Measure(t.Context(), 99)
	require.NoError(t, err)
	assert.Less(t, m[0].Value, 0.15, "on prompts that it has not seen")
}

// A saved model is the run's, rounded as the recipe says, with its recipe.
func TestSave(t *testing.T) {
	for _, d := range []string{"F32", "F16", "BF16"} {
		r := parse(t, with(t, map[string]string{"dtype": `"` + d + `"`, "steps": "2"}))
		run := begin(t, r, 2)
		require.NoError(t, run.Train(t.Context(), 0, nothing))
		dir := t.TempDir()
		require.NoError(t, run.Save(t.Context(), dir))
		read, err := ReadRecipe(t.Context(), filepath.Join(dir, RecipeFile))
		require.NoError(t, err)
		assert.Equal(t, string(r.text()), string(read.text()))
		f, err := weights.Open(t.Context(), filepath.Join(dir, WeightsFile))
		require.NoError(t, err)
		defer f.Close()
		assert.Equal(t, string(r.text()), f.Metadata()["recipe"])
		config, err := os.Open(filepath.Join(dir, ConfigFile))
		require.NoError(t, err)
		defer config.Close()
		c, err := checkpoint.ReadConfig(t.Context(), ConfigFile, config)
		require.NoError(t, err)
		m, err := checkpoint.Load(t.Context(), c, f)
		require.NoError(t, err)
		assert.Empty(t, m.Warnings)
		assert.Equal(t, run.model.Config, m.Config)
		for i, p := range m.Params.All(c.Config) {
			own := run.weights.params.All(c.Config)[i]
			require.Equal(t, own.Name, p.Name)
			limit := map[string]float64{"F32": 0, "F16": 1.0 / 2048, "BF16": 1.0 / 256}[d]
			for j, v := range p.Data() {
				require.InDelta(t, own.Data()[j], v, limit*float64(max(v, -v))+3e-8, "%s %s", d, p.Name)
			}
		}
	}
	_, err := os.Stat(filepath.Join(t.TempDir(), TokenizerFile))
	assert.Error(t, err)
	run := begin(t, parse(t, []byte(tiny)), 1)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.ErrorContains(t, run.Save(t.Context(), file), "not a directory")
}

// Checkpoints of other runs, and files that are none, are refused and say what
// differs.
func TestStatesRefuse(t *testing.T) {
	r := parse(t, with(t, nil))
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	require.NoError(t, begin(t, r, 1).SaveState(t.Context(), path))
	for field, c := range map[string][2]string{
		"seed": {"4", "seed: expected 4, found 3"}, "steps": {"13", "steps: expected 13, found 12"}, "batch": {"8", "batch: expected 8, found 40"},
		"dtype": {`"BF16"`, `dtype: expected "BF16", found "F32"`}, "name": {`"other"`, `name: expected "other", found "tiny"`},
		"optimizer.clip": {"2", "optimizer: expected {"}, "data.repeats.length": {"12", "data: expected {"}, "model.d_mlp": {"25", "model: expected {"},
	} {
		other := begin(t, parse(t, with(t, map[string]string{field: c[0]})), 1)
		err := other.LoadState(t.Context(), path)
		require.Error(t, err, field)
		assert.Contains(t, err.Error(), path+": checkpoint of another run: "+c[1])
		assert.Zero(t, other.Done())
	}
	assert.ErrorContains(t, begin(t, r, 1).LoadState(t.Context(), dir), dir+": checkpoint: expected a regular file")
	text := filepath.Join(dir, "notes.txt")
	require.NoError(t, os.WriteFile(text, []byte("notes about many other things"), 0o644))
	assert.ErrorContains(t, begin(t, r, 1).LoadState(t.Context(), text), text)
	model := filepath.Join(dir, "m")
	require.NoError(t, begin(t, r, 1).Save(t.Context(), model))
	assert.EqualError(t, begin(t, r, 1).LoadState(t.Context(), filepath.Join(model, WeightsFile)),
		filepath.Join(model, WeightsFile)+": not a checkpoint of a training: it is left as it is")
}

// A damaged state is refused and changes nothing of the run.
func TestDamagedStates(t *testing.T) {
	r := parse(t, []byte(tiny))
	run := begin(t, r, 1)
	n := len(run.weights.flat)
	numbers := func(name string, n int) weights.Tensor { return weights.Float32s(name, make([]float32, n), n) }
	nan := make([]float32, n)
	nan[7] = float32(math.NaN())
	good := map[string]string{stateFormat: stateVersion, stateRecipe: string(r.text()), stateStep: "3", stateArithmetic: tensor.Arithmetic()}
	all := []weights.Tensor{numbers("first_moment", n), numbers("second_moment", n), numbers("weights", n)}
	for _, c := range []struct {
		meta    map[string]string
		tensors []weights.Tensor
		want    string
	}{
		{nil, all[:2], `tensor "weights"`},
		{nil, []weights.Tensor{all[0], all[1], numbers("weights", n-1)}, `tensor "weights"`},
		{nil, []weights.Tensor{all[0], all[1], weights.Float32s("weights", nan, n)}, `tensor "weights": expected finite numbers, found NaN at index 7`},
		{map[string]string{stateStep: "13"}, all, `checkpoint: step: expected a whole number from 0 to 12, found "13"`},
		{nil, all, `tensor "history"`},
		{nil, append(all[:3:3], weights.Int64s("history", make([]int64, 4), 2, 2)), `tensor "history": expected shape [3 2], found [2 2]`},
		{nil, append(all[:3:3], weights.Int64s("history", make([]int64, 6), 3, 2)), `checkpoint: measures: `},
		{map[string]string{stateMeasures: "{}"}, append(all[:3:3], weights.Int64s("history", []int64{0, 0, 0, int64(math.Float64bits(math.NaN())), 0, 0}, 3, 2)), `tensor "history": expected finite numbers, found 0 and NaN of step 2`},
		{map[string]string{stateStep: "x"}, all, `checkpoint: step: expected a whole number from 0 to 12, found "x"`},
		{map[string]string{stateFormat: "9"}, all, `checkpoint: expected format 2, found "9"`},
		{map[string]string{stateRecipe: "["}, all, `checkpoint: recipe: expected JSON`},
		{map[string]string{stateArithmetic: "pdp11"}, all, `checkpoint of another run: arithmetic: expected "` + tensor.Arithmetic() + `", found "pdp11"`},
	} {
		meta := maps.Clone(good)
		maps.Copy(meta, c.meta)
		path := filepath.Join(t.TempDir(), "run.ckpt")
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, weights.Write(f, c.tensors, meta))
		require.NoError(t, f.Close())
		before := slices.Clone(run.weights.flat)
		err = run.LoadState(t.Context(), path)
		require.Error(t, err)
		assert.Contains(t, err.Error(), c.want)
		assert.Contains(t, err.Error(), path)
		assert.Equal(t, before, run.weights.flat)
		assert.Zero(t, run.Done())
	}
}

func TestInitialWeights(t *testing.T) {
	r := parse(t, []byte(tiny))
	run := begin(t, r, 1)
	sum := map[string][2]float64{}
	for _, p := range run.weights.params.All(run.model.Config) {
		for _, v := range p.Data() {
			s := sum[p.Name]
			sum[p.Name] = [2]float64{s[0] + float64(v), s[1] + float64(v)*float64(v)}
		}
		n := float64(p.Size())
		variance := sum[p.Name][1] / n
		want := map[string]float64{"embed.W_E": 0.25, "pos_embed.W_pos": 0.25, "blocks.0.attn.W_Q": 1.0 / 16, "unembed.W_U": 1.0 / 16,
			"blocks.1.attn.W_O": 1.0 / (16 * 4), "blocks.1.mlp.W_in": 1.0 / 16, "blocks.0.mlp.W_out": 1.0 / (24 * 4),
			"blocks.0.ln1.w": 1, "ln_final.w": 1, "ln_final.b": 0, "blocks.0.attn.b_Q": 0, "blocks.1.mlp.b_in": 0}
		if w, ok := want[p.Name]; ok {
			assert.InDelta(t, w, variance, 0.25*w, p.Name)
		}
	}
	assert.Equal(t, run.weights.flat, begin(t, r, 4).weights.flat)
}

// Chunks are drawn to the sources in turn.
func TestMixIsDistinct(t *testing.T) {
	seen := map[uint64]bool{}
	for n := range 10000 {
		seen[mix(uint64(n))] = true
	}
	assert.Len(t, seen, 10000)
	a, b := rand.New(rand.NewPCG(1, mix(0))), rand.New(rand.NewPCG(1, mix(1)))
	assert.NotEqual(t, a.Uint64(), b.Uint64())
}
