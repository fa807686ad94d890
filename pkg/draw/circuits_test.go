package draw

import (
	"bytes"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/circuit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a circuit to draw.
type sample struct {
	g *circuit.Graph
	m circuit.Mask
	s circuit.Scores
	c Caption
}

// load reads a circuit of testdata. induction-*.json and signs-62.json are runs
// of the reference implementation.
func load(t testing.TB, name string) sample {
	t.Helper()
	r, err := os.Open(filepath.Join("testdata", name))
	require.NoError(t, err)
	defer r.Close()
	f, err := circuit.Decode(t.Context(), name, r)
	require.NoError(t, err)
	g, m, s, err := f.Circuit()
	require.NoError(t, err)
	return sample{g, m, s, CaptionOf(f)}
}

// made is a circuit of about n edges in a model of GPT-2's shape, denser
// towards the end, where nothing hangs loose.
func made(t testing.TB, n int, seed uint64) sample {
	t.Helper()
	g, err := circuit.New(circuit.Config{Definition: circuit.ACDC, Layers: 12, Heads: 12})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(seed, 1))
	worth := map[circuit.Node]float64{}
	for _, r := range g.Senders() {
		worth[r] = math.Exp(1.2*rng.NormFloat64() + 0.12*float64(r.Layer))
		if r.Kind == circuit.MLP && (r.Layer == 0 || r.Layer > 7) || r.Kind == circuit.Input {
			worth[r] += 6
		}
	}
	value := make([]float64, g.NumEdges())
	for i := range value {
		e := g.Edge(i)
		to := circuit.Node{Kind: circuit.Head, Layer: e.Receiver.Layer, Head: e.Receiver.Head}
		if e.Receiver.Kind == circuit.MLPIn {
			to = circuit.Node{Kind: circuit.MLP, Layer: e.Receiver.Layer}
		}
		w := worth[to]
		if e.Receiver.Kind == circuit.Output {
			w = 14
		}
		value[i] = worth[e.Sender] * w * math.Exp(2*rng.NormFloat64())
	}
	m := best(g, value, n)
	s := make(circuit.Scores, g.NumEdges())
	for i := range s {
		s[i] = 0.01 * math.Exp(1.2*math.Abs(rng.NormFloat64()))
	}
	c := Caption{Title: "ioi in gpt2", Lines: []string{"acdc · resample ablation · τ = 0.01", "kl_div 0.214 (model 0, corrupted 3.41)"}}
	return sample{g, m, s, c}
}

// best keeps the edges of the highest value, so many that about n are left
// when loose ends are gone.
func best(g *circuit.Graph, value []float64, n int) circuit.Mask {
	m := g.Empty()
	for cut := 1e4; m.Count() < n; cut *= 0.98 {
		for i := range m {
			m[i] = value[i] > cut || g.Edge(i).IsDirect()
		}
		g.Prune(m, true)
	}
	return m
}

// dot draws a sample.
func dot(t testing.TB, sm sample, o Options) []byte {
	t.Helper()
	if o.Caption.Title == "" && o.Caption.Lines == nil {
		o.Caption = sm.c
	}
	var b bytes.Buffer
	require.NoError(t, WriteDOT(&b, sm.g, sm.m, sm.s, o))
	return b.Bytes()
}
