package acdc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// way is one way to compute the same run.
type way struct {
	kernel    string
	threads   int
	speculate int
	batch     int
}

func (w way) String() string {
	return fmt.Sprintf("%s,threads=%d,speculate=%d,batch=%d", w.kernel, w.threads, w.speculate, w.batch)
}

// ways lists every combination, but that batches are always tried with several
// cuts at a time: one by one, nothing is foretold. Of the portable
// kernel, which is slow, it lists two.
func ways() []way {
	var out []way
	for _, kernel := range []string{"avx512", "avx2", "portable"} {
		for _, threads := range []int{1, 2} {
			for _, speculate := range []int{1, 0} {
				for _, batch := range []int{0, 1} {
					if kernel == "portable" && (testing.Short() || (threads == 1) != (batch == 0) || (threads == 1) != (speculate == 1)) {
						continue
					}
					if batch == 1 && speculate == 1 {
						continue
					}
					out = append(out, way{kernel, threads, speculate, batch})
				}
			}
		}
	}
	return out
}

// Every golden run (without the tag long, the first of each small model, of the
// smallest also by the portable kernel), in every way to compute it. The fast
// kernels give the same bits; all ways of one kernel do.
func TestGoldenRunsInEveryWay(t *testing.T) {
	for _, name := range []string{"or_gate", "tracr-proportion", "tracr-reverse", "gpt3l-random", "hf-gpt2-tiny", "induction-attn2l"} {
		m := golden.Model(t, name)
		for _, run := range golden.Some(golden.Runs(t, name), 1) {
			if !golden.Long && name == "induction-attn2l" {
				continue
			}
			bits := map[bool][]discover.Test{} // by whether the kernel is the portable one
			for _, w := range ways() {
				if !golden.Long && w.kernel == "portable" && strings.Contains(name, "gp") {
					continue
				}
				restore, err := tensor.ForceKernel(w.kernel)
				if err != nil {
					continue // this machine has not got it
				}
				tests := inOneWay(t, golden.Bound(t, m, name, run, w.threads), run, w)
				restore()
				portable := w.kernel == "portable"
				if bits[portable] == nil {
					bits[portable] = tests
				}
				require.Equal(t, bits[portable], tests, "%s %v %v", name, run, w)
			}
		}
	}
}

// inOneWay runs a golden run in one way and holds it to the reference.
func inOneWay(t *testing.T, c patch.Config, run golden.Run, w way) []discover.Test {
	t.Helper()
	if w.batch > 0 {
		c.Batch = (len(c.Data.Clean) + 2) / 3
	}
	e, err := patch.Bind(t.Context(), c)
	require.NoError(t, err)
	var tests []discover.Test
	res, err := acdc.Algorithm{Threshold: run.Threshold, Order: acdc.Order(run.Order), Speculate: w.speculate}.Discover(context.Background(), discover.Request{Experiment: e,
		Observe: func(ev discover.Event) { tests = append(tests, ev.Test) }})
	require.NoError(t, err)
	require.Len(t, tests, len(run.Tests), "%v %v", run, w)
	for k, want := range run.Tests {
		edge := e.Graph().Edge(tests[k].Edge)
		require.Equal(t, want.Receiver, e.Graph().HookName(edge.Receiver))
		require.Equal(t, want.Sender, e.Graph().HookName(edge.Sender))
		require.Equal(t, want.Kept, tests[k].Kept, "%v %v: test %d", run, w, k)
		require.InDelta(t, want.Metric, tests[k].Metric, asRequired(want.Metric), "%v %v: test %d", run, w, k)
	}
	require.Equal(t, run.Kept, res.Mask.Count())
	require.InDelta(t, run.Final, res.MetricFinal, asRequired(run.Final))
	return tests
}
