package compile

import (
	"fmt"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// compared is a selector's Selects and what they compare: several keys or
// queries become one variable of tuples.
type compared struct {
	selects       []*rasp.Select
	yes           [][][]bool // by select [query value][key value]
	keys, queries []*variable
	keyOf         []int // by select, the place of its keys in keys
	queryOf       []int
}

// selector gives attention its keys, its queries and what they allow.
func (c *compiler) selector(s rasp.Selector, a *attention) error {
	x := &compared{}
	if err := x.collect(s, c); err != nil {
		return err
	}
	var err error
	if a.keys, err = c.tuples(x.keys); err != nil {
		return err
	}
	if a.queries, err = c.tuples(x.queries); err != nil {
		return err
	}
	if err := c.spend(a.keys.width() * a.queries.width()); err != nil {
		return err
	}
	a.allowed = make([][]bool, a.queries.width())
	for q := range a.allowed {
		a.allowed[q] = make([]bool, a.keys.width())
		query := digits(q, x.queries)
		for k := range a.allowed[q] {
			a.allowed[q][k] = x.allows(s, digits(k, x.keys), query)
		}
	}
	return nil
}

// collect lists the Selects of a selector and what they say of values.
func (x *compared) collect(s rasp.Selector, c *compiler) error {
	switch s := s.(type) {
	case *rasp.And:
		if err := x.collect(s.A, c); err != nil {
			return err
		}
		return x.collect(s.B, c)
	case *rasp.Or:
		if err := x.collect(s.A, c); err != nil {
			return err
		}
		return x.collect(s.B, c)
	case *rasp.Not:
		return x.collect(s.A, c)
	case *rasp.Select:
		if slices.Contains(x.selects, s) {
			return nil
		}
		return x.add(s, c)
	}
	panic(fmt.Sprintf("compile: no attention of %T", s))
}

func (x *compared) add(s *rasp.Select, c *compiler) error {
	keys, queries := c.of[s.Keys], c.of[s.Queries]
	if err := c.spend(keys.width() * queries.width()); err != nil {
		return err
	}
	yes := make([][]bool, queries.width())
	for q, query := range queries.values {
		yes[q] = make([]bool, keys.width())
		for k, key := range keys.values {
			var err error
			if yes[q][k], err = s.P(key, query); err != nil {
				return said{err}
			}
		}
	}
	x.selects, x.yes = append(x.selects, s), append(x.yes, yes)
	x.keyOf = append(x.keyOf, place(&x.keys, keys))
	x.queryOf = append(x.queryOf, place(&x.queries, queries))
	return nil
}

// place is where a variable stands in a list, at the end if it did not yet.
func place(list *[]*variable, v *variable) int {
	if i := slices.Index(*list, v); i >= 0 {
		return i
	}
	*list = append(*list, v)
	return len(*list) - 1
}

// allows is the selector on a tuple of keys' values and one of queries'.
func (x *compared) allows(s rasp.Selector, key, query []int) bool {
	switch s := s.(type) {
	case *rasp.And:
		return x.allows(s.A, key, query) && x.allows(s.B, key, query)
	case *rasp.Or:
		return x.allows(s.A, key, query) || x.allows(s.B, key, query)
	case *rasp.Not:
		return !x.allows(s.A, key, query)
	}
	i := slices.Index(x.selects, s.(*rasp.Select))
	return x.yes[i][query[x.queryOf[i]]][key[x.keyOf[i]]]
}

// digits are the values of each of several variables in tuple number n, in which
// the last changes fastest.
func digits(n int, of []*variable) []int {
	out := make([]int, len(of))
	for i := len(of) - 1; i >= 0; i-- {
		out[i], n = n%len(of[i].values), n/len(of[i].values)
	}
	return out
}

// tuples is the variable of the tuples of several variables' values.
func (c *compiler) tuples(of []*variable) (*variable, error) {
	v := of[0]
	for _, next := range of[1:] {
		both, known := c.pairs[[2]*variable{v, next}]
		if !known {
			var err error
			if both, err = c.pair(v, next); err != nil {
				return nil, err
			}
			c.pairs[[2]*variable{v, next}] = both
		}
		v = both
	}
	return v, nil
}

// pair is the variable of the pairs of two variables' values.
func (c *compiler) pair(x, y *variable) (*variable, error) {
	if err := c.spend(len(x.values) * len(y.values)); err != nil {
		return nil, err
	}
	t := &table{x: x, y: y}
	v := c.add("pair", false, t)
	for i := range x.values {
		for j := range y.values {
			t.results = append(t.results, rasp.Number(float64(len(t.results))))
			v.names = append(v.names, x.name(i)+","+y.name(j))
		}
	}
	v.holds(rasp.Categorical, t.results, x.undef || y.undef)
	return v, nil
}

// name is the name of a value in labels.
func (v *variable) name(i int) string {
	if v.names != nil {
		return v.names[i]
	}
	return v.values[i].String()
}
