package compile

// schedule says in which block each variable is computed: the first whose
// attention or MLP comes after all its operands. Slot 2l is block l's attention,
// slot 2l+1 its MLP.
func (c *compiler) schedule() {
	heads := map[int]int{}
	for _, v := range c.variables {
		last := -1
		for _, o := range v.by.operands(v) {
			last = max(last, o.v.slot)
		}
		a, attends := v.by.(*attention)
		switch {
		case v.by == op(source{}):
			continue
		case !attends:
			v.slot = next(last, 1)
		default:
			v.slot = next(last, 0)
			a.block = v.slot / 2
			a.head = heads[a.block]
			heads[a.block]++
			if len(a.neurons(v, c)) > 0 {
				v.slot++ // after what the default writes at BOS is taken back
			}
		}
		c.config.Layers = max(c.config.Layers, v.slot/2+1)
	}
	for _, n := range heads {
		c.config.Heads = max(c.config.Heads, n)
	}
}

// next is the first slot after last of a parity.
func next(last, parity int) int {
	if (last+1)%2 == parity {
		return last + 1
	}
	return last + 2
}
