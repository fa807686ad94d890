package metric

import "fmt"

// Row is one position of one example.
type Row struct{ Example, Position int }

// places are the rows that a metric reads.
type places []Row

func (p places) rows() []Row { return p }

// check refuses masks, labels and padding that are not of the prompts' shape.
func (t Targets) check(name Name) error {
	if t.Vocab < 1 {
		return fmt.Errorf("metric %s: expected a vocabulary of at least one token, found %d", name, t.Vocab)
	}
	for b, tokens := range t.Clean {
		if len(tokens) == 0 {
			return fmt.Errorf("metric %s: \"clean\": expected at least one token, found none in example %d", name, b)
		}
	}
	if err := sameShape(name, "mask", t.Mask, t.Clean); err != nil {
		return err
	}
	if err := sameShape(name, "labels", t.Labels, t.Clean); err != nil {
		return err
	}
	if t.Pad != nil && len(t.Pad) != len(t.Clean) {
		return fmt.Errorf("metric %s: padding: expected a number for each of %d examples, found %d", name, len(t.Clean), len(t.Pad))
	}
	for b, pad := range t.Pad {
		if pad < 0 || pad >= len(t.Clean[b]) {
			return fmt.Errorf("metric %s: padding: expected 0 to %d tokens, found %d in example %d", name, len(t.Clean[b])-1, pad, b)
		}
	}
	return nil
}

// sameShape refuses what is given and does not have an element for each token.
func sameShape[E any](name Name, field string, given [][]E, clean [][]int) error {
	if given != nil && len(given) != len(clean) {
		return fmt.Errorf("metric %s: %q: expected one for each of %d examples, found %d", name, field, len(clean), len(given))
	}
	for b := range given {
		if len(given[b]) != len(clean[b]) {
			return fmt.Errorf("metric %s: %q: expected one for each of %d tokens, found %d in example %d", name, field, len(clean[b]), len(given[b]), b)
		}
	}
	return nil
}

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
