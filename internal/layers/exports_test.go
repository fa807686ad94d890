package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uncalled are exports that nothing but tests needs: those of several packages.
var uncalled = map[string]string{
	"ForceKernel": "tests of several packages compare kernels",
	"FMALoop":     "benchmarks of two packages measure what a processor can do",
}

// What is exported has a caller, or an example that shows how to call it. What a
// call is, is told by the name alone.
func TestExportsHaveCallers(t *testing.T) {
	root := filepath.Join("..", "..")
	declared, used := map[string]token.Position{}, map[string]bool{}
	files := token.NewFileSet()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.Contains(path, "/weightstest/") {
			return err
		}
		isTest := strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/internal/golden/")
		if isTest && !strings.HasSuffix(path, "example_test.go") {
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		names := map[*ast.Ident]bool{}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				names[fn.Name] = true
				if !isTest && fn.Name.IsExported() && strings.Contains(path, "/pkg/") {
					declared[fn.Name.Name] = files.Position(fn.Pos())
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !names[id] {
				used[id.Name] = true
			}
			return true
		})
		return nil
	}))
	require.Greater(t, len(declared), 300)
	byLanguage := map[string]bool{"Error": true, "Unwrap": true, "String": true, "UnmarshalJSON": true, "MarshalJSON": true, "Less": true, "Swap": true}
	for name, at := range declared {
		if !used[name] && !byLanguage[name] {
			assert.NotEmpty(t, uncalled[name], "%v: %s is exported, and called by tests alone", at, name)
		}
	}
	for name := range uncalled {
		assert.False(t, used[name], "%s has a caller by now", name)
		assert.Contains(t, declared, name)
	}
}
