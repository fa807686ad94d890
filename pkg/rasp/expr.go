package rasp

// Encoding says how a transformer holds a sequence.
type Encoding string

// The encodings. A categorical sequence has a residual dimension for each value
// it can have, one of which is 1; a numerical one has one dimension, which is
// its value.
const (
	Categorical Encoding = "categorical"
	Numerical   Encoding = "numerical"
)

// Func is a function of one value, which is defined.
type Func func(Value) (Value, error)

// Func2 is a function of two values, which are defined.
type Func2 func(a, b Value) (Value, error)

// Predicate says whether a key is selected by a query; both are defined.
type Predicate func(key, query Value) (bool, error)

// Expr is a sequence: one value at each position of the input. Two places of a
// program that hold the same pointer mean the same sequence, which is computed
// once.
type Expr interface {
	// Encoding says how the sequence is held.
	Encoding() Encoding
	// Operands are the sequences that it is computed from, a selector's first.
	Operands() []Expr
	// Label is the name that the program gives the sequence, or what kind of
	// sequence it is: named says which.
	Label() (label string, named bool)
}

// Tokens is the input.
type Tokens struct{}

// Indices counts positions from 0, the first token's.
type Indices struct{}

// Constant has the same value at every position.
type Constant struct {
	Name  string
	Value Value
	As    Encoding // Categorical if empty
}

// Map applies a function at each position.
type Map struct {
	Name string
	F    Func
	X    Expr
	As   Encoding // of the results; Categorical if empty
}

// SequenceMap applies a function to two categorical sequences, position by
// position.
type SequenceMap struct {
	Name string
	F    Func2
	X, Y Expr
	As   Encoding // of the results; Categorical if empty
}

// Linear is A·X + B·Y of two numerical sequences: Tracr's LinearSequenceMap.
type Linear struct {
	Name string
	A, B float64
	X, Y Expr
}

// Aggregate is at each position the mean of X over the selected positions, or,
// of a categorical X, the one value it has there. Its encoding is that of X.
type Aggregate struct {
	Name     string
	Selector Selector
	X        Expr
	Default  Value // where nothing is selected; if undefined, 0 where numerical
}

// Width is at each position the number of selected positions.
type Width struct {
	Name     string
	Selector Selector
}

// Selector says for each two positions, one of keys and one of queries, whether
// the query's looks at the key's.
type Selector interface {
	// Operands are the sequences that are compared, keys and queries.
	Operands() []Expr
}

// Select compares two categorical sequences.
type Select struct {
	Keys, Queries Expr
	P             Predicate
}

// And selects what both select.
type And struct{ A, B Selector }

// Or selects what one of them selects.
type Or struct{ A, B Selector }

// Not selects what the other does not.
type Not struct{ A Selector }

// or gives an encoding its default.
func (e Encoding) or() Encoding {
	if e == "" {
		return Categorical
	}
	return e
}

// Encoding implements Expr.
func (Tokens) Encoding() Encoding { return Categorical }

// Encoding implements Expr.
func (Indices) Encoding() Encoding { return Categorical }

// Encoding implements Expr.
func (c *Constant) Encoding() Encoding { return c.As.or() }

// Encoding implements Expr.
func (m *Map) Encoding() Encoding { return m.As.or() }

// Encoding implements Expr.
func (m *SequenceMap) Encoding() Encoding { return m.As.or() }

// Encoding implements Expr.
func (*Linear) Encoding() Encoding { return Numerical }

// Encoding implements Expr.
func (a *Aggregate) Encoding() Encoding { return a.X.Encoding() }

// Encoding implements Expr.
func (*Width) Encoding() Encoding { return Categorical }

// Operands implements Expr.
func (Tokens) Operands() []Expr { return nil }

// Operands implements Expr.
func (Indices) Operands() []Expr { return nil }

// Operands implements Expr.
func (*Constant) Operands() []Expr { return nil }

// Operands implements Expr.
func (m *Map) Operands() []Expr { return []Expr{m.X} }

// Operands implements Expr.
func (m *SequenceMap) Operands() []Expr { return []Expr{m.X, m.Y} }

// Operands implements Expr.
func (l *Linear) Operands() []Expr { return []Expr{l.X, l.Y} }

// Operands implements Expr.
func (a *Aggregate) Operands() []Expr { return append(a.Selector.Operands(), a.X) }

// Operands implements Expr.
func (w *Width) Operands() []Expr { return w.Selector.Operands() }

// Operands implements Selector.
func (s *Select) Operands() []Expr { return []Expr{s.Keys, s.Queries} }

// Operands implements Selector.
func (s *And) Operands() []Expr { return append(s.A.Operands(), s.B.Operands()...) }

// Operands implements Selector.
func (s *Or) Operands() []Expr { return append(s.A.Operands(), s.B.Operands()...) }

// Operands implements Selector.
func (s *Not) Operands() []Expr { return s.A.Operands() }

// Label implements Expr.
func (Tokens) Label() (string, bool) { return "tokens", true }

// Label implements Expr.
func (Indices) Label() (string, bool) { return "indices", true }

// Label implements Expr.
func (c *Constant) Label() (string, bool) { return label(c.Name, "constant") }

// Label implements Expr.
func (m *Map) Label() (string, bool) { return label(m.Name, "map") }

// Label implements Expr.
func (m *SequenceMap) Label() (string, bool) { return label(m.Name, "sequence_map") }

// Label implements Expr.
func (l *Linear) Label() (string, bool) { return label(l.Name, "linear") }

// Label implements Expr.
func (a *Aggregate) Label() (string, bool) { return label(a.Name, "aggregate") }

// Label implements Expr.
func (w *Width) Label() (string, bool) { return label(w.Name, "width") }

func label(name, kind string) (string, bool) {
	if name != "" {
		return name, true
	}
	return kind, false
}
