package tokenizer

// bpe is the merging model.
type bpe struct {
	bytes     [256]int32 // id of each byte, -1 where the vocabulary has none
	unknown   int32      // id that a byte without one becomes, -1: it is dropped
	fuse      bool       // unknown bytes that follow one another become one token
	merges    map[pair]merged
	words     map[string]int32 // ids of whole words that are not merged, by bytes
	maxWhole  int              // bytes of the longest of words
	wordsOnly bool             // a word that is none of words is the unknown token
}

// pair is two neighbouring tokens.
type pair struct{ left, right int32 }

// merged is what a pair becomes; the lowest rank goes first.
type merged struct{ rank, id int32 }

// whole finds a word that is a token without any merging.
func (m *bpe) whole(word string) (id int, ok bool) {
	if len(word) > m.maxWhole {
		return 0, false
	}
	n, ok := m.words[word]
	return int(n), ok
}

// symbol is one token of a word that is being merged. The symbols form a list;
// a symbol that was merged into the one before it has id -1.
type symbol struct{ id, prev, next int32 }

// scratch is memory that one word after the other uses.
type scratch struct {
	symbols []symbol
	queue   candidates
}

// merge appends the tokens of a word to ids: as long as there are pairs to
// merge, the one of the lowest rank is, the leftmost of equal ones first. It
// takes O(n log n) time for n bytes.
func (m *bpe) merge(ids []int, word string, use *scratch) []int {
	if m.wordsOnly {
		return append(ids, int(m.unknown))
	}
	symbols, queue := m.symbols(use.symbols[:0], word), use.queue[:0]
	for i := range symbols {
		queue = m.propose(queue, symbols, int32(i))
	}
	queue.init()
	for len(queue) > 0 {
		c := queue.pop()
		left := &symbols[c.at]
		if left.id != c.pair.left || left.next < 0 || symbols[left.next].id != c.pair.right {
			continue // one of the two was merged meanwhile
		}
		right := &symbols[left.next]
		left.id, left.next, right.id = c.id, right.next, -1
		if left.next >= 0 {
			symbols[left.next].prev = c.at
		}
		queue = m.push(queue, symbols, left.prev)
		queue = m.push(queue, symbols, c.at)
	}
	for _, s := range symbols {
		if s.id >= 0 {
			ids = append(ids, int(s.id))
		}
	}
	use.symbols, use.queue = symbols, queue
	return ids
}

// symbols lists the tokens of a word's bytes.
func (m *bpe) symbols(list []symbol, word string) []symbol {
	unknown := false // the byte before was
	for i := range len(word) {
		id := m.bytes[word[i]]
		if id < 0 {
			if m.unknown < 0 || unknown && m.fuse {
				continue
			}
			id, unknown = m.unknown, true
		} else {
			unknown = false
		}
		n := int32(len(list))
		list = append(list, symbol{id, n - 1, n + 1})
	}
	if len(list) > 0 {
		list[len(list)-1].next = -1
	}
	return list
}

// candidate is a pair that could be merged.
type candidate struct {
	pair
	merged
	at int32 // place of the left symbol
}

// candidates is a heap, lowest rank first, then leftmost.
type candidates []candidate

// propose adds the pair that begins at a symbol without keeping the heap.
func (m *bpe) propose(queue candidates, symbols []symbol, at int32) candidates {
	if at < 0 || symbols[at].next < 0 {
		return queue
	}
	p := pair{symbols[at].id, symbols[symbols[at].next].id}
	if to, ok := m.merges[p]; ok {
		queue = append(queue, candidate{p, to, at})
	}
	return queue
}

// push adds the pair that begins at a symbol.
func (m *bpe) push(queue candidates, symbols []symbol, at int32) candidates {
	n := len(queue)
	queue = m.propose(queue, symbols, at)
	if len(queue) > n {
		queue.up(n)
	}
	return queue
}

func (q candidates) less(a, b int) bool {
	return q[a].rank < q[b].rank || q[a].rank == q[b].rank && q[a].at < q[b].at
}

func (q candidates) init() {
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.down(i)
	}
}

func (q *candidates) pop() candidate {
	all := *q
	top, last := all[0], len(all)-1
	all[0] = all[last]
	*q = all[:last]
	q.down(0)
	return top
}

func (q candidates) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			return
		}
		q[i], q[parent] = q[parent], q[i]
		i = parent
	}
}

func (q candidates) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(q) {
			return
		}
		if child+1 < len(q) && q.less(child+1, child) {
			child++
		}
		if !q.less(child, i) {
			return
		}
		q[i], q[child] = q[child], q[i]
		i = child
	}
}
