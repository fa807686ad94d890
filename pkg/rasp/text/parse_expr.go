package text

import "github.com/seed-2c350065/acdc/pkg/rasp"

// deeper counts expressions within each other.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf("expected at most %d expressions within each other, found more", maxDepth)
	}
	return nil
}

// expression reads an expression that binds at least so tightly.
func (p *parser) expression(least int) (Node, error) {
	depth := p.depth
	defer func() { p.depth = depth }()
	if err := p.deeper(); err != nil {
		return nil, err
	}
	x, err := p.operand(least)
	for compared := false; err == nil; {
		t := p.peek()
		level, known := binds[t.text]
		if !known || t.kind == literal || level < least {
			return x, nil
		}
		if level == bindsComparison && compared {
			return nil, p.errorf("expected one comparison, found a second %v: put one in parentheses", t)
		}
		if err := p.deeper(); err != nil { // a chain is as deep as it is long
			return nil, err
		}
		p.take()
		compared = compared || level == bindsComparison
		var y Node
		y, err = p.expression(level + 1)
		x = &Binary{t.at, t.text, x, y}
	}
	return nil, err
}

// operand reads what may stand before an operator.
func (p *parser) operand(least int) (Node, error) {
	t := p.peek()
	switch {
	case least == bindsFunction && p.ahead(0).kind == word && p.ahead(1).is("->"):
		return p.function(1)
	case least == bindsFunction && t.is("(") && p.ahead(2).is(",") && p.ahead(4).is(")") && p.ahead(5).is("->"):
		return p.function(2)
	case least == bindsFunction && p.accept("if"):
		return p.condition(t.at)
	case least <= bindsNot && p.accept("not"):
		x, err := p.expression(bindsNot)
		return &Unary{t.at, "not", x}, err
	case least <= bindsMinus && p.accept("-"):
		return p.minus(t.at)
	}
	return p.primary()
}

// minus reads what stands after a minus sign, a number with it.
func (p *parser) minus(at Pos) (Node, error) {
	x, err := p.expression(bindsMinus)
	if l, ok := x.(*Literal); ok && l.Value.Kind() == rasp.NumberKind {
		f, _ := l.Value.Float()
		return &Literal{at, rasp.Number(-f)}, err
	}
	return &Unary{at, "-", x}, err
}

// function reads x -> ... or (x, y) -> ...
func (p *parser) function(arguments int) (Node, error) {
	f := &Function{At: p.peek().at}
	p.accept("(")
	for i := range arguments {
		if i > 0 {
			p.take() // the comma
		}
		at := p.peek().at
		name, err := p.name("of an argument")
		if err != nil {
			return nil, err
		}
		if i > 0 && name == f.Params[0] {
			return nil, errorAt(p.file, at, "expected two different arguments, found %q twice", name)
		}
		f.Params = append(f.Params, name)
	}
	p.accept(")")
	p.take() // the arrow
	var err error
	f.Body, err = p.expression(bindsFunction)
	return f, err
}

func (p *parser) condition(at Pos) (Node, error) {
	n := &If{At: at}
	var err error
	for _, part := range []struct {
		into *Node
		then string
	}{{&n.Cond, "then"}, {&n.Then, "else"}, {&n.Else, ""}} {
		if *part.into, err = p.expression(bindsFunction); err != nil {
			return nil, err
		}
		if part.then == "" {
			break
		}
		if err := p.expect(part.then, "of if"); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (p *parser) primary() (Node, error) {
	t := p.peek()
	switch {
	case t.kind == literal:
		p.take()
		return &Literal{t.at, t.value}, nil
	case p.accept("true"), p.accept("false"):
		return &Literal{t.at, rasp.Bool(t.text == "true")}, nil
	case p.accept("undefined"):
		return &Literal{t.at, rasp.Undefined()}, nil
	case p.accept("("):
		x, err := p.expression(bindsFunction)
		if err != nil {
			return nil, err
		}
		return x, p.expect(")", "at the end of the parentheses")
	case t.kind == word && p.ahead(1).is("("):
		return p.call()
	case t.is("tokens"), t.is("indices"):
		p.take()
		return &Name{t.at, t.text}, nil
	case t.kind == word:
		name, err := p.name("or a value")
		return &Name{t.at, name}, err
	}
	return nil, p.errorf("expected an expression, found %v", t)
}

// call reads a named operation with its arguments, one of which may be a
// comparing operator.
func (p *parser) call() (Node, error) {
	t := p.take()
	c := &Call{At: t.at, Name: t.text}
	p.take() // the parenthesis
	for !p.accept(")") {
		if len(c.Args) > 0 {
			if err := p.expect(",", "or \")\" after an argument of "+t.text); err != nil {
				return nil, err
			}
		}
		x, err := p.argument()
		if err != nil {
			return nil, err
		}
		c.Args = append(c.Args, x)
	}
	return c, nil
}

func (p *parser) argument() (Node, error) {
	t, after := p.peek(), p.ahead(1)
	if t.kind == symbol && binds[t.text] == bindsComparison && (after.is(")") || after.is(",")) {
		p.take()
		return &Comparison{t.at, t.text}, nil
	}
	return p.expression(bindsFunction)
}
