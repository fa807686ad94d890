package acdc

// speculate is how many cuts are tried together at most unless the request says
// otherwise.
const speculate = 8

// guess says how many cuts to try together, from how often cuts were accepted
// of late. It looks only at decisions, so the work is the same in every run.
type guess struct {
	rate  int // the share of cuts accepted, of certain
	limit int
}

const (
	certain = 1 << 16
	recent  = 8 // tests that count, more or less
)

func newGuess(limit int) guess {
	if limit < 1 {
		limit = speculate
	}
	return guess{certain / 2, limit}
}

// next is the number of cuts to try: half of those that are expected before
// one is refused, rate/(1−rate), so that little work is done in vain.
func (g *guess) next() int {
	return max(1, min(g.limit, (g.rate+certain/20)/(2*(certain-g.rate)+1)))
}

// saw tells the guess how some tests ended, accepted ones before a kept one.
func (g *guess) saw(accepted int, kept bool) {
	for range accepted {
		g.rate += (certain - g.rate) / recent
	}
	if kept {
		g.rate -= g.rate / recent
	}
}
