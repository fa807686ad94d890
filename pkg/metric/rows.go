package metric

import "fmt"

// Row is one position of one example.
type Row struct{ Example, Position int }

// places are the rows that a metric reads.
type places []Row

func (p places) rows() []Row { return p }

// everyLogit is of metrics that read whole rows.
type everyLogit struct{}

func (everyLogit) tokens(int) []int { return nil }

// lastPosition counts the masked positions, or an example's last.
func lastPosition(name Name, t Targets) (places, error) {
	return counted(name, t, func(p, _, last int) bool { return p == last })
}

// laterPositions counts the masked positions, or all but an example's first
// unless it is the only one.
func laterPositions(name Name, t Targets) (places, error) {
	return counted(name, t, func(p, first, last int) bool { return p > first || last == first })
}

// answerPosition counts the position at which an example's answers are
// compared, of which there is only one: the masked one, or the last.
func answerPosition(name Name, t Targets) (places, error) {
	rows, err := lastPosition(name, t)
	if err != nil {
		return nil, err
	}
	found := make([]int, len(t.Clean))
	for _, r := range rows {
		found[r.Example]++
	}
	for b, n := range found {
		if n > 1 {
			return nil, fmt.Errorf("metric %s: \"mask\": expected one counted position an example, at which its answers are compared, found %d in example %d", name, n, b)
		}
	}
	return rows, nil
}

// counted lists the positions behind the padding that the mask counts, or,
// without one, those that the metric would choose.
func counted(name Name, t Targets, chosen func(p, first, last int) bool) (places, error) {
	var rows places
	for b, tokens := range t.Clean {
		first, last := 0, len(tokens)-1
		if t.Pad != nil {
			first = t.Pad[b]
		}
		for p := first; p <= last; p++ {
			if t.Mask != nil && t.Mask[b][p] || t.Mask == nil && chosen(p, first, last) {
				rows = append(rows, Row{b, p})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("metric %s: \"mask\" counts no position: expected at least one", name)
	}
	return rows, nil
}
