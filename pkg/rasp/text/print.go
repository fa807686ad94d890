package text

import (
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// String writes the program so that Parse reads the same tree again. Comments
// are lost.
func (f *File) String() string {
	var b strings.Builder
	for i, v := range f.Vocab {
		b.WriteString([]string{"vocab ", ", "}[min(i, 1)] + written(v))
	}
	if f.Vocab != nil {
		b.WriteString("\n")
	}
	if f.MaxLen > 0 {
		b.WriteString("max_len " + strconv.Itoa(f.MaxLen) + "\n")
	}
	if f.Causal {
		b.WriteString("causal\n")
	}
	for _, l := range f.Lets {
		b.WriteString("let " + l.Name + " = " + Print(l.X) + "\n")
	}
	b.WriteString("return " + Print(f.Return) + "\n")
	return b.String()
}

// written is a value as a literal.
func written(v rasp.Value) string {
	if v.Kind() == rasp.StringKind {
		return strconv.Quote(v.Text())
	}
	return v.String()
}

// Print writes an expression.
func Print(n Node) string {
	switch n := n.(type) {
	case *Literal:
		return written(n.Value)
	case *Name:
		return n.Name
	case *Comparison:
		return n.Op
	case *Unary:
		if n.Op == "not" {
			return "not " + within(n.X, bindsNot)
		}
		return "-" + within(n.X, bindsMinus)
	case *Binary:
		left := binds[n.Op]
		if left == bindsComparison {
			left++
		}
		return within(n.X, left) + " " + n.Op + " " + within(n.Y, binds[n.Op]+1)
	case *If:
		return "if " + Print(n.Cond) + " then " + Print(n.Then) + " else " + Print(n.Else)
	case *Function:
		if len(n.Params) == 1 {
			return n.Params[0] + " -> " + Print(n.Body)
		}
		return "(" + n.Params[0] + ", " + n.Params[1] + ") -> " + Print(n.Body)
	case *Call:
		return n.Name + "(" + printed(n.Args) + ")"
	}
	return ""
}

func printed(args []Node) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = Print(a)
	}
	return strings.Join(out, ", ")
}

// within writes an expression, in parentheses if it binds less tightly than its
// place needs.
func within(n Node, least int) string {
	if binding(n) < least {
		return "(" + Print(n) + ")"
	}
	return Print(n)
}
