package interchange

import (
	"math"
	"math/rand/v2"

	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
)

// inputs draws token ids of a program's domain, behind BOS.
type inputs struct {
	ids    []int // of the vocabulary
	bos    int
	minLen int
	maxLen int
}

// Of the inputs of one length, one of every heldOut is kept from training and
// measured on, if there are enough for both; of few all are for both.
const (
	heldOut = 5
	enough  = 50
	tries   = 1000 // to draw one; then any is taken, as a hash may keep none of a few
)

func newInputs(m *compile.Model, minLen int) *inputs {
	x := &inputs{bos: m.BOS, minLen: minLen, maxLen: m.Domain.MaxLen}
	for id := range m.Tokens {
		if id != m.BOS && id != m.Pad {
			x.ids = append(x.ids, id)
		}
	}
	return x
}

// length draws how long inputs are to be.
func (x *inputs) length(rng *rand.Rand) int { return x.minLen + rng.IntN(x.maxLen-x.minLen+1) }

// draw draws inputs of a length, of those that are kept from training or of the
// others.
func (x *inputs) draw(rng *rand.Rand, n, length int, kept bool) [][]int {
	splits := math.Pow(float64(len(x.ids)), float64(length)) >= enough
	out := make([][]int, n)
	for i := range out {
		row := make([]int, length+1)
		row[0] = x.bos
		for try := 0; try == 0 || splits && held(row) != kept && try < tries; try++ {
			for t := 1; t <= length; t++ {
				row[t] = x.ids[rng.IntN(len(x.ids))]
			}
		}
		out[i] = row
	}
	return out
}

// held reports whether an input is kept from training: one of heldOut by a hash
// of its tokens (FNV-1a, its high bits).
func held(row []int) bool {
	h := uint64(14695981039346656037)
	for _, id := range row {
		h = (h ^ uint64(id)) * 1099511628211
	}
	return (h>>32)%heldOut == 0
}
