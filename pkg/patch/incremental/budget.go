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
	Work    int64 // at most, with every input changed or as far as there is room: what is computed anew
}

// Total is the sum.
func (b Budget) Total() int64 { return b.Weights + b.Packed + b.Caches + b.Work }

// Take computes what a configuration takes with Batch examples (all if 0) at a
// time. Caches and Work grow with them, Weights and Packed do not. The sizes
// are those of the tables by which memory is made.
func Take(c patch.Config) (Budget, error) {
	s, err := sizesOf(c)
	if err != nil {
		return Budget{}, err
	}
	examples := int64(len(c.Data.Clean))
	if c.Batch > 0 {
		examples = min(examples, int64(c.Batch))
	}
	b := Budget{Weights: s.weights, Packed: s.packed, Caches: examples * s.caches}
	b.Work = s.scratch + examples*(s.passing+s.state)
	if c.Room.Bytes > 0 {
		held := int64(c.Room.Held(int(examples), len(c.Data.Clean))) * examples
		b.Caches = s.caches * min(int64(len(c.Data.Clean)), examples+held)
		b.Work = min(b.Work, s.scratch+c.Room.Bytes-b.Caches)
	}
	return b, nil
}

// sizes are the bytes that a configuration takes, of an example or in all.
type sizes struct {
	weights, packed, scratch int64
	caches, passing, state   int64 // of an example: its runs, a pass beside a state, and at most the state's own values
}

func sizesOf(c patch.Config) (sizes, error) {
	read, kept, err := c.MetricFloats()
	if err != nil {
		return sizes{}, err
	}
	g, threads := c.Model.Config, int64(max(c.Threads, 1))
	all, positions := len(c.Data.Clean), int64(len(c.Data.Clean[0]))
	own := int64((read + all - 1) / all)
	values, arena := stepFloats(g)
	chunk := max(chunkRows, positions)
	scratch := chunk*arena + int64(patch.ReadoutFloats(g))
	for _, part := range (&worker{}).table(g, int(chunk), int(positions)) {
		scratch += int64(part.n)
	}
	return sizes{
		weights: 4 * int64(g.Parameters()), packed: 4 * transformer.PackedFloats(g), scratch: 4 * threads * scratch,
		caches:  4 * (positions*ablate.Floats(g, c.SplitEmbed) + own*kept),
		passing: 4 * (positions*transformer.PassFloats(g) + 2*own*int64(g.DModel)*(1+speculated)),
		state:   4 * positions * values,
	}, nil
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
// bytes besides, within limit bytes, and Room to what is left for them. If one
// example is too many, the error says what would do.
func Fit(c *patch.Config, limit, own int64) error { return fit(c, limit, own, 1) }

// FitMost is Fit for a method that goes on with fewer examples at a time where
// a state runs out of room: states mostly take far less than they may.
func FitMost(c *patch.Config, limit, own int64) error { return fit(c, limit, own, typical) }

// FitOnce sets Batch and Room for a method that goes through the examples once,
// where nobody gave a limit: so that the runs that stay, of which the circuit that
// was found is measured, take no more than onceBytes; the others are made again for
// that. Where there is room for all of them, they are taken together.
func FitOnce(c *patch.Config) error {
	if c == nil {
		panic("incremental: FitOnce of no configuration")
	}
	return fitOnce(c, onceBytes)
}

const (
	onceBytes = 1 << 30 // for runs that stay,
	oncePart  = 4       // of which one in so many are at hand
)

func fitOnce(c *patch.Config, most int64) error {
	s, err := sizesOf(*c)
	if err != nil {
		return err
	}
	n := int64(len(c.Data.Clean))
	if n*s.caches <= most {
		return nil
	}
	batch := min(n, max(1, most/oncePart/max(1, s.caches)))
	c.Batch, c.Scratch = int(batch), "" // what is needed twice is not worth a file
	c.Room = patch.Room{Bytes: most + batch*(s.caches+s.passing+s.state), Runs: s.caches, Pass: s.passing, State: s.state, Share: 1}
	return nil
}

// typical is the share of what a state may take that one mostly stays below, as
// one in so many.
const typical = 8

func fit(c *patch.Config, limit, own int64, share int) error {
	if c == nil {
		panic("incremental: Fit of no configuration")
	}
	s, err := sizesOf(*c)
	if err != nil {
		return err
	}
	if share == 1 { // methods that learn keep a gated pass instead
		g, err := c.Graph()
		if err != nil {
			return err
		}
		s.state = max(s.state, 4*int64(len(c.Data.Clean[0]))*patch.GatedFloats(g, c.Model.Config))
	}
	fixed := own + s.weights + s.packed + s.scratch
	if least := fixed + s.caches + s.passing + s.state; least > limit {
		return fmt.Errorf("memory limit of %s: expected at least %s, the program, the weights and one example at a time", Bytes(limit), Bytes(roundUp(least)))
	}
	c.Room = patch.Room{Bytes: limit - fixed, Runs: s.caches, Pass: s.passing, State: s.state, Share: share}
	c.Batch = c.Room.Batch(len(c.Data.Clean))
	return nil
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
