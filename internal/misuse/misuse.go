// Package misuse calls everything that a package exports in every wrong way, for
// tests: on zero values, with nil, with what is of another
// graph or model, and with numbers that are too large.
package misuse

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Package is what a package exports, and what to call it with.
type Package struct {
	// Types has a value of each type that has methods, whose methods are called on
	// its zero value.
	Types []any
	// Fresh makes values that are right, anew for every call.
	Fresh []func() any
	// Funcs are the exported functions.
	Funcs []any
	// Arguments are passed wherever their type fits.
	Arguments []any
	// Without are names of functions and of Type.Method that no wrong use is known of,
	// or that are not to be called.
	Without []string
}

// named are panics that say who was misused.
var named = regexp.MustCompile(`^[a-z][a-z/]*: .`)

// most bounds the calls of one function.
const most = 300

// Walk calls everything in every way. It fails on a panic that is none of the
// project's own, such as a nil dereference, and where the package in the test's
// folder exports something that Package lists not.
func Walk(t *testing.T, p Package) {
	t.Helper()
	w := walker{Package: p, seen: map[string]bool{}}
	for _, x := range p.Types {
		typ := reflect.TypeOf(x)
		if typ.Kind() == reflect.Pointer {
			w.methods(t, func() reflect.Value { return reflect.New(typ.Elem()) }, "zero ")
		} else {
			w.methods(t, func() reflect.Value { return reflect.New(typ).Elem() }, "zero ")
		}
	}
	for _, fresh := range p.Fresh {
		w.methods(t, func() reflect.Value { return reflect.ValueOf(fresh()) }, "")
	}
	for _, f := range p.Funcs {
		v := reflect.ValueOf(f)
		full := strings.TrimSuffix(runtime.FuncForPC(v.Pointer()).Name(), "[...]")
		w.call(t, full[strings.LastIndex(full, ".")+1:], "", func() reflect.Value { return v })
	}
	for _, name := range exported(t) {
		assert.True(t, w.seen[name], "%s is exported, and not walked through", name)
	}
	assert.Positive(t, w.panics, "nothing is refused")
}

// walker is a walk.
type walker struct {
	Package
	seen   map[string]bool
	panics int
}

// methods calls the methods of a value.
func (w *walker) methods(t *testing.T, value func() reflect.Value, what string) {
	typ := value().Type()
	name := typ
	if typ.Kind() == reflect.Pointer {
		name = typ.Elem()
	}
	for i := range typ.NumMethod() {
		w.call(t, name.Name()+"."+typ.Method(i).Name, what, func() reflect.Value { return value().Method(i) })
	}
}

// call calls a function with all combinations of arguments, or many of them.
func (w *walker) call(t *testing.T, name, what string, function func() reflect.Value) {
	w.seen[name] = true
	for _, without := range w.Without {
		if without == name {
			return
		}
	}
	first := w.try(t, name, what, function, nil)
	if !first.IsValid() {
		return // a method by value of a nil pointer, which the language refuses
	}
	typ := first.Type()
	choices := make([][]reflect.Value, typ.NumIn())
	for i := range choices {
		choices[i] = w.choices(t, typ.In(i))
	}
	all := 1
	for _, c := range choices {
		all = min(all*len(c), 1<<40)
	}
	rng := rand.New(rand.NewPCG(uint64(all), 8))
	calls := most
	if testing.Short() {
		calls /= 3
	}
	for k := range min(all, calls) {
		if all > calls {
			k = rng.IntN(all)
		}
		args := make([]reflect.Value, len(choices))
		for i, c := range choices {
			args[i], k = c[k%len(c)], k/len(c)
		}
		w.try(t, name, what, function, args)
	}
}

// choices are the values that a parameter is given.
func (w *walker) choices(t *testing.T, typ reflect.Type) []reflect.Value {
	if typ == reflect.TypeFor[context.Context]() {
		return []reflect.Value{reflect.ValueOf(t.Context())}
	}
	out := []reflect.Value{reflect.Zero(typ)}
	if typ.Kind() == reflect.Int {
		out = append(out, reflect.ValueOf(-1).Convert(typ), reflect.ValueOf(1).Convert(typ), reflect.ValueOf(1000).Convert(typ))
	}
	for _, x := range w.Arguments {
		if v := reflect.ValueOf(x); v.Type() == typ {
			out = append(out, v)
		}
	}
	return out
}

// try calls a function, or without arguments only makes it, and looks at how it
// ends.
func (w *walker) try(t *testing.T, name, what string, function func() reflect.Value, args []reflect.Value) (f reflect.Value) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		w.panics++
		text := fmt.Sprint(v)
		if strings.HasPrefix(text, "value method ") && strings.HasSuffix(text, " called using nil pointer") || strings.Contains(text, "reflect: ") {
			return
		}
		if _, bare := v.(runtime.Error); bare || !named.MatchString(text) {
			t.Errorf("%s%s%s: %s%s", what, name, shown(args), text, where())
		}
	}()
	if f = function(); args != nil || f.Type().NumIn() == 0 {
		if f.Type().IsVariadic() && len(args) > 0 {
			f.CallSlice(args)
		} else {
			drain(f.Call(args))
		}
	}
	return f
}

// drain runs through an iterator that was returned.
func drain(results []reflect.Value) {
	for _, r := range results {
		if r.Kind() == reflect.Func && r.Type().CanSeq2() {
			for range r.Seq2() {
			}
		}
	}
}

func shown(args []reflect.Value) string {
	var out []string
	for _, a := range args {
		s := fmt.Sprintf("%v", a)
		out = append(out, s[:min(len(s), 40)])
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// where is the first line of the project at which a panic arose.
func where() string {
	pc := make([]uintptr, 30)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.File, "/pkg/") && !strings.HasSuffix(f.File, "_test.go") && !strings.Contains(f.File, "/mod/") && !strings.Contains(f.File, "src/runtime") {
			return fmt.Sprintf(" (%s:%d)", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// exported lists the functions and methods that the package in the test's folder
// exports, of exported types, as F and T.M.
func exported(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			if fn.Recv == nil {
				out = append(out, fn.Name.Name)
				continue
			}
			typ := fn.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			if id, ok := typ.(*ast.Ident); ok && id.IsExported() {
				out = append(out, id.Name+"."+fn.Name.Name)
			}
		}
	}
	return out
}
