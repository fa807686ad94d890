package text

import "github.com/seed-2c350065/acdc/pkg/rasp"

// File is a program as it stands in a file.
type File struct {
	Name   string       // of the file, for errors
	Vocab  []rasp.Value // nil if it says none
	MaxLen int          // 0 if it says none
	Causal bool
	Lets   []Let
	Return Node

	vocabAt Pos
	at      map[rasp.Expr]Pos // what Program made, and of what
}

// Let gives an expression a name.
type Let struct {
	At   Pos
	Name string
	X    Node
}

// Node is an expression: of sequences and selectors, or, in a function, of
// values.
type Node interface{ Pos() Pos }

// Literal is a value.
type Literal struct {
	At    Pos
	Value rasp.Value
}

// Name is tokens, indices, what a let binds, or a function's argument.
type Name struct {
	At   Pos
	Name string
}

// Unary is - or not.
type Unary struct {
	At Pos
	Op string
	X  Node
}

// Binary is an arithmetic, comparing or logical operation.
type Binary struct {
	At   Pos // of the operator
	Op   string
	X, Y Node
}

// If is Then where Cond is true, else Else.
type If struct {
	At               Pos
	Cond, Then, Else Node
}

// Call is a named operation with its arguments.
type Call struct {
	At   Pos
	Name string
	Args []Node
}

// Function is an expression of one or two arguments.
type Function struct {
	At     Pos
	Params []string
	Body   Node
}

// Comparison is a comparing operator alone, as a predicate.
type Comparison struct {
	At Pos
	Op string
}

// Pos implements Node.
func (n *Literal) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Name) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Unary) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Binary) Pos() Pos { return n.At }

// Pos implements Node.
func (n *If) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Call) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Function) Pos() Pos { return n.At }

// Pos implements Node.
func (n *Comparison) Pos() Pos { return n.At }

// How tightly an expression binds, the loosest first.
const (
	bindsFunction = iota // and if
	bindsOr
	bindsAnd
	bindsNot
	bindsComparison
	bindsSum
	bindsProduct
	bindsMinus
	bindsAll
)

// binds is how tightly each operator of two operands binds.
var binds = map[string]int{
	"or": bindsOr, "and": bindsAnd,
	"==": bindsComparison, "!=": bindsComparison, "<": bindsComparison, "<=": bindsComparison, ">": bindsComparison, ">=": bindsComparison,
	"+": bindsSum, "-": bindsSum, "*": bindsProduct, "/": bindsProduct, "%": bindsProduct,
}

// binding is how tightly an expression binds.
func binding(n Node) int {
	switch n := n.(type) {
	case *Function, *If:
		return bindsFunction
	case *Binary:
		return binds[n.Op]
	case *Unary:
		if n.Op == "not" {
			return bindsNot
		}
		return bindsMinus
	case *Literal:
		if x, ok := n.Value.Float(); ok && x < 0 {
			return bindsMinus
		}
	}
	return bindsAll
}
