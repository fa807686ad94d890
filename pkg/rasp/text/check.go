package text

import (
	"maps"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// checkBody checks that a function's body is an expression of its arguments.
func (x *lowering) checkBody(n Node, params []string) error {
	switch n := n.(type) {
	case *Literal:
		return nil
	case *Name:
		if !slices.Contains(params, n.Name) {
			return x.errorf(n, "expected an argument of the function (%s), found %q", strings.Join(params, ", "), n.Name)
		}
		return nil
	case *Unary:
		return x.checkBodies(params, n.X)
	case *Binary:
		return x.checkBodies(params, n.X, n.Y)
	case *If:
		return x.checkBodies(params, n.Cond, n.Then, n.Else)
	case *Call:
		want, ok := scalars[n.Name]
		if !ok {
			return x.errorf(n, "expected a function of values (%s), found %s", strings.Join(slices.Sorted(maps.Keys(scalars)), ", "), oneline.Quote(n.Name))
		}
		if len(n.Args) != want {
			return x.errorf(n, "expected %d arguments of %s, found %d", want, n.Name, len(n.Args))
		}
		return x.checkBodies(params, n.Args...)
	}
	return x.errorf(n, "expected an expression of values, found %s", oneline.Quote(Print(n)))
}

func (x *lowering) checkBodies(params []string, nodes ...Node) error {
	for _, n := range nodes {
		if err := x.checkBody(n, params); err != nil {
			return err
		}
	}
	return nil
}
