package text

import (
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/pkg/rasp"
)

// What bounds a file, so that a damaged one cannot ask for all memory.
const (
	maxSource = 1 << 16 // bytes
	maxDepth  = 100     // of expressions within each other
)

// parser is a file on its way to a tree.
type parser struct {
	file   string
	tokens []token
	depth  int
}

// statements are the words that begin one.
var statements = []string{"vocab", "max_len", "causal", "let", "return"}

// reserved are the words that no let and no argument may have as their name.
var reserved = append(append(slices.Sorted(maps.Keys(sequences)), slices.Sorted(maps.Keys(scalars))...),
	append(slices.Clone(statements), "and", "or", "not", "if", "then", "else", "true", "false", "undefined", "tokens", "indices", "select")...)

// Parse reads a program. Errors begin with the name, the line and the column.
func Parse(name, source string) (*File, error) {
	if len(source) > maxSource {
		return nil, errorAt(name, Pos{1, 1}, "expected at most %d bytes, found %d", maxSource, len(source))
	}
	if !utf8.ValidString(source) {
		return nil, errorAt(name, invalid(source), "expected UTF-8 text, found other bytes")
	}
	tokens, err := lex(name, source)
	if err != nil {
		return nil, err
	}
	p := &parser{file: name, tokens: tokens}
	f := &File{Name: name}
	for f.Return == nil {
		if err := p.statement(f); err != nil {
			return nil, err
		}
	}
	if t := p.peek(); t.kind != end {
		return nil, p.errorf("expected nothing after return's expression, found %v", t)
	}
	return f, nil
}

// invalid is the place of the first byte that is no UTF-8.
func invalid(source string) Pos {
	for i := range source {
		if r, n := utf8.DecodeRuneInString(source[i:]); r == utf8.RuneError && n == 1 {
			x := lexer{rest: source, at: Pos{1, 1}}
			x.take(i)
			return x.at
		}
	}
	return Pos{1, 1}
}

func (p *parser) peek() token { return p.tokens[0] }

// ahead is the token n places further on.
func (p *parser) ahead(n int) token { return p.tokens[min(n, len(p.tokens)-1)] }

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// is reports whether the next token is a word or a symbol.
func (t token) is(text string) bool { return (t.kind == word || t.kind == symbol) && t.text == text }

func (p *parser) accept(text string) bool {
	if p.peek().is(text) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(text, where string) error {
	if !p.accept(text) {
		return p.errorf("expected %q %s, found %v", text, where, p.peek())
	}
	return nil
}

// errorf is an error at the next token.
func (p *parser) errorf(format string, args ...any) error {
	return errorAt(p.file, p.peek().at, format, args...)
}

func (p *parser) statement(f *File) error {
	t := p.peek()
	switch {
	case p.accept("vocab"):
		if f.Vocab != nil {
			return errorAt(p.file, t.at, "expected vocab once, found it twice")
		}
		f.vocabAt = t.at
		return p.vocab(f)
	case p.accept("max_len"):
		if f.MaxLen != 0 {
			return errorAt(p.file, t.at, "expected max_len once, found it twice")
		}
		return p.maxLen(f)
	case p.accept("causal"):
		if f.Causal {
			return errorAt(p.file, t.at, "expected causal once, found it twice")
		}
		f.Causal = true
		return nil
	case p.accept("let"):
		return p.let(f)
	case p.accept("return"):
		var err error
		f.Return, err = p.expression(bindsFunction)
		return err
	}
	return p.errorf("expected vocab, max_len, causal, let or return, found %v", t)
}

func (p *parser) vocab(f *File) error {
	for {
		at := p.peek()
		n, err := p.expression(bindsMinus)
		if err != nil {
			return err
		}
		l, ok := n.(*Literal)
		if !ok || !l.Value.Defined() {
			return errorAt(p.file, at.at, "expected a number, a string in quotes, true or false in vocab, found %v", at)
		}
		if slices.Contains(f.Vocab, l.Value) {
			return errorAt(p.file, at.at, "expected every token once in vocab, found %v twice", at)
		}
		f.Vocab = append(f.Vocab, l.Value)
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) maxLen(f *File) error {
	t := p.peek()
	x, _ := t.value.Float()
	if t.kind != literal || t.value.Kind() != rasp.NumberKind || x != math.Trunc(x) || x < 1 || x > rasp.MaxLength {
		return p.errorf("expected an integer from 1 to %d after max_len, found %v", rasp.MaxLength, t)
	}
	p.take()
	f.MaxLen = int(x)
	return nil
}

func (p *parser) let(f *File) error {
	at := p.peek().at
	name, err := p.name("after let")
	if err != nil {
		return err
	}
	if slices.ContainsFunc(f.Lets, func(l Let) bool { return l.Name == name }) {
		return errorAt(p.file, at, "expected a name of its own after let, found %q a second time", name)
	}
	if err := p.expect("=", "after the name"); err != nil {
		return err
	}
	x, err := p.expression(bindsFunction)
	f.Lets = append(f.Lets, Let{at, name, x})
	return err
}

// name reads a word that is not reserved.
func (p *parser) name(where string) (string, error) {
	t := p.peek()
	if t.kind != word {
		return "", p.errorf("expected a name %s, found %v", where, t)
	}
	if slices.Contains(reserved, t.text) {
		return "", p.errorf("expected a name %s, found %v, which has a meaning of its own", where, t)
	}
	return p.take().text, nil
}
