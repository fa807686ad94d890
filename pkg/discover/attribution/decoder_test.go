package attribution_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/attribution"
	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/patch"
)

// The golden scores are EAP's and EAP-IG's, where a norm stands behind attention
// those that leave it out.
func TestScoresOfDecoders(t *testing.T) {
	for _, name := range golden.Decoders {
		m, want := golden.Model(t, name), golden.ReadPatched(t, name)
		for key, s := range map[string]attribution.Scorer{
			"logit_diff_eap":                      {At: attribution.Clean},
			"logit_diff_eap_ig_inputs_steps5":     {At: attribution.Inputs},
			"kl_div_eap_ig_inputs_steps5":         {At: attribution.Inputs},
			"logit_diff_eap_prenorm":              {At: attribution.Clean, PreNorm: true},
			"kl_div_eap_ig_inputs_steps5_prenorm": {At: attribution.Inputs, PreNorm: true},
		} {
			scores, ok := want.Scores[key]
			if !ok || m.Config.PostNorm && !s.PreNorm {
				continue
			}
			by := metric.LogitDiff
			if strings.HasPrefix(key, "kl") {
				by = metric.KL
			}
			e := golden.DecoderExperiment(t, m, name, by, 0)
			got, err := s.Score(t.Context(), discover.Request{Experiment: e})
			require.NoError(t, err)
			largest, worst := 0.0, 0.0
			for _, x := range scores {
				largest = max(largest, math.Abs(x))
			}
			for i, number := range want.Numbers(t, e.Graph()) {
				worst = max(worst, math.Abs(got.Scores[number]-scores[i]))
			}
			t.Logf("%s %s: largest difference %.1e beside %.2f", name, key, worst, largest)
			assert.Less(t, worst, 1e-4*largest, "%s %s", name, key)
		}
	}
}

// A score is the derivative of the patched run with respect to the edge's gate, also
// where a norm stands behind attention.
func TestScoresAreDerivatives(t *testing.T) {
	for seed := range uint64(golden.Cases(60)) {
		rng := rand.New(rand.NewPCG(seed, 72))
		c := golden.WithParts(rng, golden.RandomConfig(rng))
		c.DModel, c.PostNorm = c.DModel+8, true
		cfg := patch.Config{Model: golden.RandomModel(t, c, seed), Data: golden.RandomData(rng, c), Metric: metric.LogitDiff, Ablation: "resample",
			Definition: circuit.Definitions()[rng.IntN(2)], Threads: 1 + rng.IntN(2)}
		cfg.Data.Mask = golden.MaskFor(cfg.Metric, cfg.Data.Mask)
		e, err := patch.Bind(t.Context(), cfg)
		require.NoError(t, err)
		got, err := attribution.Scorer{At: attribution.Clean}.Score(t.Context(), discover.Request{Experiment: e})
		require.NoError(t, err)
		x := patch.NewGated(e.Whole())
		_, err = x.Run(t.Context(), e.Graph().Full().Gates())
		require.NoError(t, err)
		want, err := x.Backward(t.Context())
		require.NoError(t, err)
		size := 1e-3
		for _, g := range want {
			size = max(size, math.Abs(g))
		}
		for i, g := range want {
			require.InDelta(t, -g, got.Scores[i], 2e-4*size, "seed %d %v %+v", seed, e.Graph().Edge(i), c)
		}
	}
}
