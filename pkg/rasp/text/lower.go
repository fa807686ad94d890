package text

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// sequences are the operations that make sequences, with how many arguments
// each takes at least and at most.
var sequences = map[string][2]int{
	"constant": {1, 1}, "map": {2, 2}, "sequence_map": {3, 3}, "linear": {4, 4}, "aggregate": {2, 3}, "width": {1, 1}, "numerical": {1, 1},
}

// Domain is what the file says that the program runs on. What vocab and maxLen
// say goes before it, if they are not nil and not 0, and causal adds to it.
func (f *File) Domain(vocab []rasp.Value, maxLen int, causal bool) (rasp.Domain, error) {
	if vocab == nil {
		vocab = f.Vocab
	}
	if maxLen == 0 {
		maxLen = f.MaxLen
	}
	if vocab == nil || maxLen == 0 {
		return rasp.Domain{}, errorAt(f.Name, Pos{1, 1}, "expected vocab and max_len, in the file or beside it, found only one of them or none")
	}
	d, err := rasp.NewDomain(vocab, maxLen, causal || f.Causal)
	if err != nil {
		at := f.vocabAt
		if at.Line == 0 {
			at = Pos{1, 1}
		}
		return d, errorAt(f.Name, at, "%v", err)
	}
	return d, nil
}

// Locate is an error of the program that Program made, such as one of its
// compilation, with name, line and column: of the sequence that it is of, or of
// what is returned.
func (f *File) Locate(err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return err
	}
	var own *rasp.ExprError
	if errors.As(err, &own) {
		if at, ok := f.at[own.Expr]; ok {
			if _, named := own.Expr.Label(); !named {
				return errorAt(f.Name, at, "%v", own.Err) // the place says it
			}
			return errorAt(f.Name, at, "%v", own)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", oneline.Shown(f.Name), err)
	}
	return errorAt(f.Name, f.Return.Pos(), "%v", err)
}

// Program is the program that the file writes. Errors, those of its functions
// too, begin with the name, the line and the column.
func (f *File) Program() (rasp.Expr, error) {
	x := &lowering{file: f.Name, names: map[string]any{"tokens": rasp.Tokens{}, "indices": rasp.Indices{}}, known: map[string]any{}, at: map[rasp.Expr]Pos{}}
	f.at = x.at
	for _, l := range f.Lets {
		v, err := x.any(l.X)
		if err != nil {
			return nil, err
		}
		setName(v, l.Name)
		x.names[l.Name] = v
	}
	out, err := x.sequence(f.Return)
	if err != nil {
		return nil, err
	}
	if err := rasp.Check(out); err != nil {
		return nil, f.Locate(err)
	}
	return out, nil
}

// setName gives a sequence its name, unless it has one.
func setName(v any, name string) {
	var field *string
	switch v := v.(type) {
	case *rasp.Constant:
		field = &v.Name
	case *rasp.Map:
		field = &v.Name
	case *rasp.SequenceMap:
		field = &v.Name
	case *rasp.Linear:
		field = &v.Name
	case *rasp.Aggregate:
		field = &v.Name
	case *rasp.Width:
		field = &v.Name
	}
	if field != nil && *field == "" {
		*field = name
	}
}

// lowering is a tree on its way to a program. What is bound or made is a
// rasp.Expr or a rasp.Selector.
type lowering struct {
	file  string
	names map[string]any
	known map[string]any // by how it is written
	at    map[rasp.Expr]Pos
}

func (x *lowering) errorf(n Node, format string, args ...any) error {
	return errorAt(x.file, n.Pos(), format, args...)
}

// sequence makes an expression that must be a sequence.
func (x *lowering) sequence(n Node) (rasp.Expr, error) {
	v, err := x.any(n)
	if err != nil {
		return nil, err
	}
	e, ok := v.(rasp.Expr)
	if !ok {
		return nil, x.errorf(n, "expected a sequence, found the selector %s", oneline.Quote(Print(n)))
	}
	return e, nil
}

// selector makes an expression that must be a selector.
func (x *lowering) selector(n Node) (rasp.Selector, error) {
	v, err := x.any(n)
	if err != nil {
		return nil, err
	}
	if _, ok := v.(rasp.Expr); ok {
		return nil, x.errorf(n, "expected a selector, found the sequence %s", oneline.Quote(Print(n)))
	}
	return v.(rasp.Selector), nil
}

// any makes an expression, or finds what was made of an equal one.
func (x *lowering) any(n Node) (any, error) {
	if name, ok := n.(*Name); ok {
		v, ok := x.names[name.Name]
		if !ok {
			return nil, x.errorf(n, "expected tokens, indices or a name that let has bound before, found %q", oneline.Shorten(name.Name))
		}
		return v, nil
	}
	text := Print(n)
	if v, ok := x.known[text]; ok {
		return v, nil
	}
	v, err := x.make(n)
	if err != nil {
		return nil, err
	}
	if err := check(v); err != nil {
		return nil, x.errorf(n, "%v", err)
	}
	x.known[text] = v
	if e, ok := v.(rasp.Expr); ok {
		x.at[e] = n.Pos()
	}
	return v, nil
}

// check is what package rasp has to say of a sequence or a selector.
func check(v any) error {
	if e, ok := v.(rasp.Expr); ok {
		return rasp.CheckOne(e)
	}
	return rasp.CheckSelector(v.(rasp.Selector))
}

func (x *lowering) make(n Node) (any, error) {
	switch n := n.(type) {
	case *Call:
		if n.Name == "select" {
			return x.selects(n)
		}
		return x.call(n)
	case *Unary:
		if n.Op == "not" {
			a, err := x.selector(n.X)
			return &rasp.Not{A: a}, err
		}
	case *Binary:
		if n.Op == "and" || n.Op == "or" {
			return x.joined(n)
		}
	}
	return nil, x.errorf(n, "expected a sequence or a selector, found %s: functions of values stand in map and sequence_map", oneline.Quote(Print(n)))
}

func (x *lowering) joined(n *Binary) (any, error) {
	a, err := x.selector(n.X)
	if err != nil {
		return nil, err
	}
	b, err := x.selector(n.Y)
	if n.Op == "and" {
		return &rasp.And{A: a, B: b}, err
	}
	return &rasp.Or{A: a, B: b}, err
}

func (x *lowering) selects(n *Call) (any, error) {
	if len(n.Args) != 3 {
		return nil, x.errorf(n, "expected 3 arguments of select (keys, queries, predicate), found %d", len(n.Args))
	}
	s := &rasp.Select{}
	var err error
	if s.Keys, err = x.sequence(n.Args[0]); err != nil {
		return nil, err
	}
	if s.Queries, err = x.sequence(n.Args[1]); err != nil {
		return nil, err
	}
	s.P, err = x.predicate(n.Args[2])
	return s, err
}

// call makes a sequence.
func (x *lowering) call(n *Call) (rasp.Expr, error) {
	want, ok := sequences[n.Name]
	if !ok {
		return nil, x.errorf(n, "expected select or one of %s, found %s", strings.Join(slices.Sorted(maps.Keys(sequences)), ", "), oneline.Quote(n.Name))
	}
	if k := len(n.Args); k < want[0] || k > want[1] {
		return nil, x.errorf(n, "expected %s of %s, found %d", arguments(want), n.Name, k)
	}
	switch n.Name {
	case "numerical":
		return x.numerical(n.Args[0])
	case "linear":
		return x.linear(n)
	case "aggregate":
		return x.aggregate(n)
	case "width":
		s, err := x.selector(n.Args[0])
		return &rasp.Width{Selector: s}, err
	}
	return x.encoded(n, rasp.Categorical)
}
