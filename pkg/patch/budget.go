package patch

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/metric"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Budget is the memory that an experiment and a discovery on it take, in
// bytes.
type Budget struct {
	Weights int64 // the model's weights
	Packed  int64 // the same laid out for the matrix product
	Caches  int64 // the clean and the corrupted run, and what the metric keeps of the clean one
	Work    int64 // at most, with every input changed: what is computed anew
}

// Total is the sum.
func (b Budget) Total() int64 { return b.Weights + b.Packed + b.Caches + b.Work }

// Budget computes what a configuration takes with Slice examples (all if 0) at
// a time. Caches and Work grow with them, Weights and Packed do not.
func (c Config) Budget() (Budget, error) {
	m, err := metric.New(c.Metric, metric.Targets{Clean: c.Data.Clean, Mask: c.Data.Mask, Correct: c.Data.Correct, Wrong: c.Data.Wrong,
		Labels: c.Data.Labels, Pad: c.Data.Pad, Vocab: c.Model.Config.VocabOut})
	if err != nil {
		return Budget{}, err
	}
	g := c.Model.Config
	examples, positions := len(c.Data.Clean), len(c.Data.Clean[0])
	perExample := (len(m.Rows()) + examples - 1) / examples
	if c.Slice > 0 {
		examples = min(examples, c.Slice)
	}
	rows, read := int64(examples)*int64(positions), int64(examples)*int64(perExample)
	b := Budget{Weights: 4 * int64(g.Parameters()), Packed: 4 * packedFloats(g)}
	b.Caches = 4 * (rows*(2*cacheFloats(g)+int64(g.Layers*g.Heads*g.DHead)) + read*keptLogits(m, g))
	b.Work = 4 * (rows*workFloats(g) + 2*read*int64(g.DModel)*(1+speculated) + int64(max(c.Threads, 1))*scratchFloats(g, positions))
	return b, nil
}

// speculated is how many cuts are taken to be tried together.
const speculated = 8

// packedFloats counts the packed matrices: the attention's twice, all heads
// together and one by one.
func packedFloats(g transformer.Config) int64 {
	d, hk, head := int64(g.DModel), int64(g.Heads*g.DHead), int64(g.Heads)*padded(g.DHead)
	block := 3*d*(padded(int(hk))+head) + 2*hk*padded(int(d))
	if !g.AttnOnly {
		block += d*padded(g.DMLP) + int64(g.DMLP)*padded(int(d))
	}
	return int64(g.Layers)*block + d*padded(g.VocabOut)
}

// padded is a number of columns with those that panels add.
func padded(n int) int64 { return (int64(n) + 15) / 16 * 16 }

// cacheFloats counts what a run keeps of one position.
func cacheFloats(g transformer.Config) int64 {
	d, hk, l := int64(g.DModel), int64(g.Heads*g.DHead), int64(g.Layers)
	n := l*(d+4*hk) + 3*d
	if !g.AttnOnly {
		n += l * 2 * d
	}
	return n
}

// keptLogits counts what the metric keeps of one of its rows.
func keptLogits(m *metric.Metric, g transformer.Config) int64 {
	if ids := m.Tokens(0); ids != nil {
		return int64(len(ids)) * int64(1+g.DModel)
	}
	return 3 * int64(g.VocabOut)
}

// workFloats counts what a state may keep of one position, if every input is
// its own, and what a pass needs in passing.
func workFloats(g transformer.Config) int64 {
	d, k, l, h := int64(g.DModel), int64(g.DHead), int64(g.Layers), int64(g.Heads)
	n := l*h*(3*(d+k)+k) + 3*d + int64(g.DMLP) + 4*h*k + 4*d
	if !g.AttnOnly {
		n += l * 2 * d
	}
	return n
}

// scratchFloats counts the scratch memory of a thread.
func scratchFloats(g transformer.Config, positions int) int64 {
	rows := int64(max(chunkRows, positions))
	t := int64(positions)
	arena := int64(g.Layers) * (int64(g.Heads)*4*int64(g.DHead) + int64(g.DModel))
	return rows*(3*int64(g.DModel)+int64(g.DMLP)+int64(g.DHead)+arena) + t*t + 3*t*int64(g.DHead) +
		readoutRows*int64(min(g.VocabOut, readoutColumns))
}

// Fit sets Slice to the most examples at a time that keep the budget, and own
// bytes besides, within limit bytes. If one example is too many, the error says
// what would do.
func (c *Config) Fit(limit, own int64) error {
	slice := len(c.Data.Clean)
	for {
		c.Slice = slice
		b, err := c.Budget()
		if err != nil {
			return err
		}
		if b.Total()+own <= limit {
			return nil
		}
		if slice == 1 {
			return fmt.Errorf("memory limit of %s: expected at least %s, the program, the weights and one example at a time", Bytes(limit), Bytes(roundUp(b.Total()+own)))
		}
		fixed := own + b.Weights + b.Packed
		slice = max(1, min(slice-1, int(float64(slice)*float64(limit-fixed)/float64(b.Total()+own-fixed))))
	}
}

// roundUp rounds up to what Bytes shows.
func roundUp(n int64) int64 { return (n + (1<<20 - 1)) >> 20 << 20 }

// Bytes writes a number of bytes as KiB, MiB or GiB.
func Bytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+(1<<9))>>10)
	}
	if n < 10<<30 {
		return fmt.Sprintf("%d MiB", (n+(1<<19))>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
