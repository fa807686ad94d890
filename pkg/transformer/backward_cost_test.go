package transformer_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// shape is a GPT-2 of some size.
func shape(layers, heads, k, f, vocab, ctx int) transformer.Config {
	c := config()
	c.Layers, c.Heads, c.DHead, c.DModel, c.DMLP, c.Vocab, c.VocabOut, c.Ctx = layers, heads, k, heads*k, f, vocab, vocab, ctx
	c.Activation = transformer.GELUNew
	return c
}

// A way backward costs 2.2 forward passes at most, with the gradients of all
// weights, and a third of one more where the hidden layer was not kept.
func TestBackwardFLOP(t *testing.T) {
	attentionOnly := shape(2, 6, 16, 0, 128, 40)
	attentionOnly.AttnOnly = true
	for name, x := range map[string]struct {
		c transformer.Config
		t int
	}{
		"gpt2 at 15": {shape(12, 12, 64, 3072, 50257, 1024), 15}, "gpt2 at 1024": {shape(12, 12, 64, 3072, 50257, 1024), 1024},
		"small at 32": {shape(4, 8, 16, 512, 1000, 64), 32}, "attention only at 40": {attentionOnly, 40},
	} {
		forward := float64(x.c.FLOP(10, x.t, x.t))
		assert.LessOrEqual(t, float64(x.c.BackwardFLOP(10, x.t, x.t, true, true)), 2.2*forward, name)
		assert.LessOrEqual(t, float64(x.c.BackwardFLOP(10, x.t, x.t, false, false)), 1.5*forward, name)
		assert.Greater(t, float64(x.c.BackwardFLOP(10, x.t, x.t, true, true)), 1.8*forward, name)
	}
	c := shape(1, 2, 3, 5, 7, 9)
	rows, heads, scores, mlp, logits := int64(2*9), int64(4*6*6), int64(2*2*9*9*3*2), int64(6*5), int64(2*4*6*7)
	assert.Equal(t, 2*(rows*(heads+2*mlp)+logits)+5*scores, c.BackwardFLOP(2, 9, 4, false, true))
	assert.Equal(t, 2*(rows*(2*heads+5*mlp)+2*logits)+5*scores, c.BackwardFLOP(2, 9, 4, true, false))
}

// costCase is a model's run with gradients at all logits.
func costCase(t testing.TB, examples int, keepPre bool) (*transformer.Model, *transformer.Tape, transformer.LogitGradient) {
	t.Helper()
	c := shape(2, 4, 32, 512, 50, 40)
	m := golden.RandomModel(t, c, 1)
	tokens := make([][]int, examples)
	for b := range tokens {
		for i := range 40 {
			tokens[b] = append(tokens[b], (b+i)%50)
		}
	}
	_, tape, err := m.RecordTape(t.Context(), tokens, keepPre, transformer.Options{})
	require.NoError(t, err)
	g := tensor.New(examples*40, 50)
	for i := range g.Data {
		g.Data[i] = float32(i%7) - 3
	}
	return m, tape, transformer.LogitGradient{Grad: g.Matrix()}
}

// allocated is how many numbers f allocates, and in how many pieces.
func allocated(f func()) (floats, pieces int64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc-before.TotalAlloc) / 4, int64(after.Mallocs - before.Mallocs)
}

// What a way backward allocates of a position is some streams and what comes out
// of heads, and of an MLP nothing unless somebody sees it; and nothing is
// allocated row by row.
func TestBackwardMemory(t *testing.T) {
	if golden.Race {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	none := func(int, tensor.Matrix) {}
	var hooks []transformer.GradientHook
	for l := range 2 {
		for p := transformer.HookQInput; p <= transformer.HookVInput; p++ {
			hooks = append(hooks, transformer.GradientHook{At: transformer.HookPoint{Point: p, Layer: l}, Do: none})
		}
	}
	seesMLP := append(hooks, transformer.GradientHook{At: transformer.HookPoint{Point: transformer.HookMLPPost}, Do: none},
		transformer.GradientHook{At: transformer.HookPoint{Point: transformer.HookMLPOut}, Do: none})
	for name, o := range map[string]transformer.BackwardOptions{
		"activations": {Hooks: hooks}, "hidden layers": {Hooks: seesMLP, Threads: 2},
		"weights": {Grads: transformer.NewParams(shape(2, 4, 32, 512, 50, 40)), Threads: 2},
	} {
		var floats, pieces [2]int64
		for i, examples := range []int{20, 100} {
			m, tape, loss := costCase(t, examples, false)
			run := func() { require.NoError(t, m.Backward(t.Context(), tape, loss, o)) }
			run() // packs weights
			floats[i], pieces[i] = allocated(run)
		}
		const d, f = 128, 512
		const scratch = 1 << 19 // of products, which a collection may have taken meanwhile
		most := int64(7*d + 4*d + 6)
		if name != "activations" {
			most += 2*f + 3*d + 32
		}
		assert.LessOrEqual(t, floats[1]-floats[0], most*80*40+scratch, name)
		assert.Less(t, pieces[1], pieces[0]+400, name)
	}
}

// Weights that are changed are laid out again, forward and backward, in the
// memory that they had.
func TestRepackKeepsMemory(t *testing.T) {
	m, tape, loss := costCase(t, 2, true)
	run := func() []float32 {
		grads := transformer.NewParams(m.Config)
		logits, err := m.Forward(t.Context(), tape.Tokens, transformer.Options{})
		require.NoError(t, err)
		require.NoError(t, m.Backward(t.Context(), tape, loss, transformer.BackwardOptions{Grads: grads}))
		return append(logits.Data, grads.Embed.Data...)
	}
	first := run()
	for _, p := range m.Params.All(m.Config) {
		tensor.Scale(p.Data(), -1)
	}
	m.Repack()
	_, _, again := run(), first, run()
	fresh, err := transformer.New(m.Config, m.Params)
	require.NoError(t, err)
	kept := m
	m = fresh
	assert.Equal(t, run(), again)
	m = kept
	assert.NotEqual(t, first, again)
	floats, _ := allocated(func() { m.Repack() })
	assert.Less(t, floats, int64(m.Config.Parameters())/10)
}

// BenchmarkBackward compares ways backward with a forward pass, at a shape of
// GPT-2 with two layers.
func BenchmarkBackward(b *testing.B) {
	c := shape(2, 12, 64, 3072, 1000, 15)
	m := golden.RandomModel(b, c, 1)
	tokens := make([][]int, 60)
	for i := range tokens {
		tokens[i] = make([]int, 15)
		for j := range tokens[i] {
			tokens[i][j] = (31*i + j) % 1000
		}
	}
	const threads = 2
	_, tape, err := m.RecordTape(b.Context(), tokens, true, transformer.Options{Threads: threads})
	require.NoError(b, err)
	loss := transformer.LogitGradient{Grad: tensor.New(60, 1000).Matrix()}
	for i := range tokens {
		loss.Rows = append(loss.Rows, 15*i+14)
		loss.Grad.Row(i)[i] = 1
	}
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			_, _ = m.Forward(b.Context(), tokens, transformer.Options{Threads: threads, NoLogits: true})
		}
	})
	var hooks []transformer.GradientHook
	for l := range c.Layers {
		for p := transformer.HookQInput; p <= transformer.HookVInput; p++ {
			hooks = append(hooks, transformer.GradientHook{At: transformer.HookPoint{Point: p, Layer: l}, Do: func(int, tensor.Matrix) {}})
		}
	}
	again := *tape
	again.Pre = nil
	for _, x := range []struct {
		name string
		tape *transformer.Tape
		o    transformer.BackwardOptions
	}{
		{"activations", tape, transformer.BackwardOptions{}}, {"heads", tape, transformer.BackwardOptions{Hooks: hooks}},
		{"heads, hidden layer again", &again, transformer.BackwardOptions{Hooks: hooks}},
		{"weights", tape, transformer.BackwardOptions{Grads: transformer.NewParams(c)}},
	} {
		x.o.Threads = threads
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				_ = m.Backward(b.Context(), x.tape, loss, x.o)
			}
		})
	}
}
