package incremental

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// Budget is the memory that an experiment and a discovery on it take, in
// bytes.
type Budget struct {
	Weights int64 // the model's weights
	Packed  int64 // the same laid out for the matrix product
	Caches  int64 // the clean and the corrupted run of a batch, and what the metric keeps of the clean one
	Work    int64 // at most, with every input changed: what is computed anew
}

// Total is the sum.
func (b Budget) Total() int64 { return b.Weights + b.Packed + b.Caches + b.Work }

// Take computes what a configuration takes with Batch examples (all if 0) at a
// time. Caches and Work grow with them, Weights and Packed do not. The sizes
// are those of the tables by which memory is made.
func Take(c patch.Config) (Budget, error) {
	read, kept, err := c.MetricFloats()
	if err != nil {
		return Budget{}, err
	}
	g := c.Model.Config
	examples, positions := len(c.Data.Clean), len(c.Data.Clean[0])
	perExample := (read + examples - 1) / examples
	if c.Batch > 0 {
		examples = min(examples, c.Batch)
	}
	rows, own := int64(examples)*int64(positions), int64(examples)*int64(perExample)
	b := Budget{Weights: 4 * int64(g.Parameters()), Packed: 4 * transformer.PackedFloats(g)}
	b.Caches = 4 * (rows*ablate.Floats(g, c.SplitEmbed) + own*kept)
	values, arena := stepFloats(g)
	chunk := int64(max(chunkRows, positions))
	scratch := chunk*arena + int64(patch.ReadoutFloats(g))
	for _, part := range (&worker{}).table(g, int(chunk), positions) {
		scratch += int64(part.n)
	}
	b.Work = 4 * (rows*(values+transformer.PassFloats(g)) + 2*own*int64(g.DModel)*(1+speculated) + int64(max(c.Threads, 1))*scratch)
	return b, nil
}

// speculated is how many cuts are taken to be tried together.
const speculated = 8

// stepFloats counts what a state may keep of one position, if every input is
// its own, and the tried values of a plan of everything.
func stepFloats(c transformer.Config) (state, arena int64) {
	for k := sideStep; k <= outStep; k++ {
		input, value := k.cols(c)
		state += int64(k.count(c)) * int64(input+value)
		arena += int64(k.count(c)) * int64(value)
	}
	return state, arena
}

// Fit sets Batch to the most examples at a time that keep the budget, and own
// bytes besides, within limit bytes. If one example is too many, the error says
// what would do.
func Fit(c *patch.Config, limit, own int64) error {
	size := len(c.Data.Clean)
	for {
		c.Batch = size
		b, err := Take(*c)
		if err != nil {
			return err
		}
		if b.Total()+own <= limit {
			return nil
		}
		if size == 1 {
			return fmt.Errorf("memory limit of %s: expected at least %s, the program, the weights and one example at a time", Bytes(limit), Bytes(roundUp(b.Total()+own)))
		}
		fixed := own + b.Weights + b.Packed
		size = max(1, min(size-1, int(float64(size)*float64(limit-fixed)/float64(b.Total()+own-fixed))))
	}
}

// roundUp rounds up to what Bytes shows.
func roundUp(n int64) int64 { return (n + (1<<20 - 1)) >> 20 << 20 }

// Bytes writes a number of bytes as KiB, MiB or GiB, in whole bytes where there
// are few.
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", (n+(1<<9))>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MiB", (n+(1<<19))>>20)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
