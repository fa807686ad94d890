package compile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/transformer"
)

// compiler is a program on its way to weights.
type compiler struct {
	domain    rasp.Domain
	options   Options
	config    transformer.Config
	variables []*variable // each after its operands
	of        map[rasp.Expr]*variable
	pairs     map[[2]*variable]*variable
	labels    map[string]bool

	tokens, indices, one, bos, pad *variable
	output                         *variable
	labelsOf                       []string // by residual dimension
	spent                          int      // of maxTables
}

// The sizes of a model that a program may become.
const (
	maxTables = 1 << 20 // values, or pairs of values, that all functions and selectors are asked about
	maxModel  = 1 << 14 // residual dimensions
	maxParams = 1 << 26 // weights
)

// spend counts what functions and selectors are asked about.
func (c *compiler) spend(n int) error {
	if c.spent += n; c.spent > maxTables {
		return fmt.Errorf("expected a program with at most %d values and pairs of values to ask functions and selectors about, found %d or more", maxTables, c.spent)
	}
	return nil
}

// sources makes the variables of the embeddings. one is 1 at every position; BOS
// and the padding token are dimensions beside those of tokens.
func (c *compiler) sources() {
	source := func(label string, values ...rasp.Value) *variable {
		v := &variable{label: label, by: source{}, slot: -1}
		if values == nil {
			v.numerical(1, func() ([]float64, error) { return []float64{1}, nil })
		} else {
			v.holds(rasp.Categorical, values, false)
		}
		c.variables, c.labels[label] = append(c.variables, v), true
		return v
	}
	var positions []rasp.Value
	for i := range c.domain.MaxLen {
		positions = append(positions, rasp.Number(float64(i)))
	}
	c.tokens, c.indices = source("tokens", c.domain.Vocab...), source("indices", positions...)
	c.one = source("one")
	c.bos, c.pad = source("tokens", rasp.String(c.options.BOS)), source("tokens", rasp.String(c.options.Pad))
	c.of[rasp.Tokens{}], c.of[rasp.Indices{}] = c.tokens, c.indices
}

// add makes a variable of a sequence under its label, which becomes unique.
func (c *compiler) add(label string, named bool, by op) *variable {
	unique := label
	for n := 1; c.labels[unique] || n == 1 && !named; n++ {
		unique = fmt.Sprintf("%s_%d", label, n)
	}
	c.labels[unique] = true
	v := &variable{label: unique, by: by}
	c.variables = append(c.variables, v)
	return v
}

// said is an error of a function of the program, which says itself where it
// stands.
type said struct{ error }

// lower makes a variable of every sequence, in the order of computation.
func (c *compiler) lower(ctx context.Context, order []rasp.Expr) error {
	for _, e := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.of[e] != nil {
			continue
		}
		v, err := c.variable(e)
		if err == nil {
			err = v.checkBound()
		}
		if own, ok := err.(said); ok {
			return own.error
		}
		if err != nil {
			return &rasp.ExprError{Expr: e, Err: err}
		}
		c.of[e] = v
	}
	c.output = c.of[order[len(order)-1]]
	if c.output.width() == 0 {
		return &rasp.ExprError{Expr: order[len(order)-1], Err: errors.New("expected an output that can be defined, found one that never is")}
	}
	return nil
}

func (c *compiler) variable(e rasp.Expr) (*variable, error) {
	label, named := e.Label()
	switch e := e.(type) {
	case *rasp.Constant:
		return c.table(e, label, named, func(rasp.Value, rasp.Value) (rasp.Value, error) { return e.Value, nil }, c.tokens, nil)
	case *rasp.Map:
		return c.mapped(e, label, named)
	case *rasp.SequenceMap:
		return c.sequenceMapped(e, label, named)
	case *rasp.Linear:
		x, y := c.of[e.X], c.of[e.Y]
		v := c.add(label, named, &linear{e.A, e.B, x, y})
		v.numerical(math.Abs(e.A)*x.bound+math.Abs(e.B)*y.bound, func() ([]float64, error) { return c.linearNumbers(e, x, y) })
		return v, nil
	case *rasp.Aggregate:
		return c.aggregate(e, label, named)
	case *rasp.Width:
		return c.count(e, label, named)
	}
	panic(fmt.Sprintf("compile: no transformer of %T", e))
}

func (c *compiler) linearNumbers(e *rasp.Linear, x, y *variable) ([]float64, error) {
	a, err := x.numbers()
	if err != nil {
		return nil, err
	}
	b, err := y.numbers()
	if err != nil {
		return nil, err
	}
	return sums(e.A, a, e.B, b)
}

// mapped is a table of a categorical sequence, or steps of a numerical one; the
// results of steps are categorical, of which a table makes numbers, so that
// these are exact.
func (c *compiler) mapped(e *rasp.Map, label string, named bool) (*variable, error) {
	if k, ok := e.X.(*rasp.Constant); ok && e.X.Encoding() == rasp.Categorical {
		return c.table(e, label, named, func(rasp.Value, rasp.Value) (rasp.Value, error) { return e.Apply(k.Value) }, c.tokens, nil)
	}
	x := c.of[e.X]
	if x.as == rasp.Categorical {
		return c.table(e, label, named, func(v, _ rasp.Value) (rasp.Value, error) { return e.Apply(v) }, x, nil)
	}
	at, err := x.numbers()
	if err != nil {
		return nil, err
	}
	s := &steps{x, at, make([]rasp.Value, len(at))}
	for i, f := range at {
		if s.results[i], err = e.Apply(rasp.Number(f)); err != nil {
			return nil, said{err}
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if e.Encoding() == rasp.Categorical {
		v := c.add(label, named, s)
		v.holds(rasp.Categorical, s.results, false)
		return v, nil
	}
	v := c.add(label+"_steps", named, s)
	v.holds(rasp.Categorical, s.results, false)
	return c.table(e, label, named, func(v, _ rasp.Value) (rasp.Value, error) { return v, nil }, v, nil)
}

// sequenceMapped is a table of pairs, or of values where an operand is constant
// or both are the same.
func (c *compiler) sequenceMapped(e *rasp.SequenceMap, label string, named bool) (*variable, error) {
	k, xConstant := e.X.(*rasp.Constant)
	l, yConstant := e.Y.(*rasp.Constant)
	x, y, f := c.of[e.X], c.of[e.Y], e.Apply
	switch {
	case xConstant && yConstant:
		x, y, f = c.tokens, nil, func(_, _ rasp.Value) (rasp.Value, error) { return e.Apply(k.Value, l.Value) }
	case xConstant:
		x, y, f = y, nil, func(v, _ rasp.Value) (rasp.Value, error) { return e.Apply(k.Value, v) }
	case yConstant:
		y, f = nil, func(v, _ rasp.Value) (rasp.Value, error) { return e.Apply(v, l.Value) }
	case x == y:
		y, f = nil, func(v, _ rasp.Value) (rasp.Value, error) { return e.Apply(v, v) }
	}
	return c.table(e, label, named, f, x, y)
}

// table makes a variable of a function of one or two categorical ones.
func (c *compiler) table(e rasp.Expr, label string, named bool, f rasp.Func2, x, y *variable) (*variable, error) {
	t, second, undef := &table{x: x, y: y}, []rasp.Value{{}}, x.undef
	if y != nil {
		second, undef = y.values, undef || y.undef
	}
	if err := c.spend(len(x.values) * len(second)); err != nil {
		return nil, err
	}
	for _, a := range x.values {
		for _, b := range second {
			r, err := f(a, b)
			if err != nil {
				return nil, said{err}
			}
			t.results = append(t.results, r)
		}
	}
	v := c.add(label, named, t)
	v.holds(e.Encoding(), t.results, undef)
	return v, nil
}

func (c *compiler) aggregate(e *rasp.Aggregate, label string, named bool) (*variable, error) {
	a := &attention{x: c.of[e.X], def: e.Default, expr: e}
	if err := c.selector(e.Selector, a); err != nil {
		return nil, err
	}
	v := c.add(label, named, a)
	if x := a.x; x.as == rasp.Numerical {
		def, _ := e.Default.Float()
		v.numerical(math.Max(x.bound, math.Abs(def)), func() ([]float64, error) {
			at, err := x.numbers()
			if err != nil {
				return nil, err
			}
			at, err = means(at, c.domain.MaxLen)
			return merged(append(at, def)), err
		})
		return v, nil
	}
	results := append([]rasp.Value{e.Default}, a.x.values...)
	v.holds(rasp.Categorical, results, a.x.undef)
	return v, nil
}

// count is the number of selected keys: attention that always looks at BOS too
// gives BOS the weight 1/(1+width), and steps make the width of it.
func (c *compiler) count(e *rasp.Width, label string, named bool) (*variable, error) {
	a := &attention{expr: e}
	if err := c.selector(e.Selector, a); err != nil {
		return nil, err
	}
	var at []float64
	var widths []rasp.Value
	for w := c.domain.MaxLen; w >= 0; w-- {
		at, widths = append(at, 1/float64(w+1)), append(widths, rasp.Number(float64(w)))
	}
	share := &variable{by: a, atBOS: 1}
	share.numerical(1, func() ([]float64, error) { return at, nil })
	s := &steps{share, at, widths}
	if s.check() != nil {
		return nil, fmt.Errorf("expected a maximum length of which 32 bits can count the positions, found %d", c.domain.MaxLen)
	}
	v := c.add(label, named, s)
	v.holds(rasp.Categorical, widths, false)
	share.label = v.label + "_attn_output"
	c.labels[share.label] = true
	last := len(c.variables) - 1
	c.variables = append(c.variables[:last], share, v)
	return v, nil
}
