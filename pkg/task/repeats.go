package task

import "math/rand/v2"

// Repeats draws prompts of random tokens in which one block stands twice: a
// start token, a lead, the block, the block again, a tail. No token stands in
// two of lead, block and tail, or twice in one. The block's length and place
// differ from prompt to prompt, so that positions alone do not tell what comes
// next.
type Repeats struct {
	Vocab     int `json:"vocab"`      // the start token is 0, the others are drawn from 1 to Vocab-1
	Length    int `json:"length"`     // tokens of a prompt, fewer than Vocab
	MinPeriod int `json:"min_period"` // tokens of the block, at least 2
	MaxPeriod int `json:"max_period"` // at most (Length-1)/2
}

// Draw makes a prompt. The mask is true where the block's first copy foretells
// the next token: at all tokens of the second copy but its last. period is the
// block's length.
func (r Repeats) Draw(rng *rand.Rand) (row []int, mask []bool, period int) {
	row, mask = make([]int, r.Length), make([]bool, r.Length)
	period = r.MinPeriod + rng.IntN(r.MaxPeriod-r.MinPeriod+1)
	start := 1 + rng.IntN(r.Length-2*period)
	tokens := rng.Perm(r.Vocab - 1)
	for t := 1; t < r.Length; t++ {
		if t >= start+period && t < start+2*period {
			row[t] = row[t-period]
			mask[t] = t < start+2*period-1
			continue
		}
		row[t] = 1 + tokens[t]
	}
	return row, mask, period
}
