package patch

import "fmt"

// Room is the memory that examples may take, with what is computed on them: the
// batch at hand, and the runs of others that are held so as not to be made anew.
type Room struct {
	Bytes int64
	Runs  int64 // of these, what the two runs of an example take
	Pass  int64 // what one of the batch at hand takes besides
	State int64 // and at most the own values of a state of it
	Share int   // of which one in so many is reckoned with; 1 is always enough
}

// state is what is reckoned with for the own values of a state, of an example.
func (r Room) state() int64 { return r.State / int64(max(1, r.Share)) }

// Batch is how many of n examples to take at a time: all if there is room; else
// as many as is best for a run in passes over the batches, which makes anew what
// is not held, and goes astray the sooner the fewer examples the first batch has.
func (r Room) Batch(n int) int {
	best := int(max(1, min(int64(n), r.Bytes/max(1, r.Runs+r.Pass+r.state()))))
	for _, batch := range []int{n / 2, n / 3, n / 4, n / 6, n / 8} {
		if batch >= 1 && batch < best && best < n && r.pace(batch, n) < r.pace(best, n) {
			best = batch
		}
	}
	return best
}

// pace is about what a run in passes takes: passes, the more the smaller a share
// of the examples the first batch is, of the making of the runs that are not
// held and about half a forward pass for states and tests.
func (r Room) pace(batch, n int) float64 {
	held := float64(min(r.Held(batch, n)*batch, n)) / float64(n)
	return (2*(1-held) + 0.5) / float64(batch)
}

// Held is of how many batches of n examples the runs can be held, the batch at
// hand aside if it is none of them.
func (r Room) Held(batch, n int) int {
	if batch < 1 {
		panic(fmt.Sprintf("patch: Room.Held of batches of %d examples", batch))
	}
	batches := (n + batch - 1) / batch
	if r.Bytes == 0 || batches == 1 {
		return 0
	}
	others := (r.Bytes - int64(batch)*(r.Runs+r.Pass+r.state())) / (int64(batch) * max(1, r.Runs))
	if others >= int64(batches)-1 {
		return batches
	}
	return int(max(0, others))
}

// left is what a batch leaves for a state's own values where a number of batches
// is held, -1 if there is no limit.
func (r Room) left(batch, held, n int) int64 {
	if r.Bytes == 0 {
		return -1
	}
	others := min(int64(held)*int64(batch), int64(n-batch))
	return max(0, r.Bytes-int64(batch)*(r.Runs+r.Pass)-others*r.Runs)
}

// more reckons with larger states, so that fewer examples are taken at a time or
// held; it reports false if there is nothing larger to reckon with.
func (r Room) more(batch, n int) (Room, bool) {
	held := r.Held(batch, n)
	for r.Share > 1 {
		r.Share /= 2
		if b := r.Batch(n); b < batch || b == batch && r.Held(b, n) < held {
			return r, true
		}
	}
	return r, false
}
