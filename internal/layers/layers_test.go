package layers

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/seed-2c350065/acdc"

// floor finds the floor of a package by the longest listed folder above it.
func floor(pkg string) (listed string, level float64, ok bool) {
	for p := pkg; p != "." && p != "/"; p = filepath.Dir(p) {
		if level, ok := Floors[p]; ok {
			return p, level, true
		}
	}
	return "", 0, false
}

// imports lists the imports, outside tests, of every package below root, those
// of this project without the module's name.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			if err == nil {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		out[pkg] = append(out[pkg], "")
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out[pkg] = append(out[pkg], strings.TrimPrefix(name, module+"/"))
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

func TestImportsGoStrictlyDown(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	all := imports(t, root)
	require.Greater(t, len(all), 10, "the packages of this project")
	for pkg, list := range all {
		if slices.Contains(TestOnly, pkg) {
			continue
		}
		listed, level, ok := floor(pkg)
		if !assert.True(t, ok, "%s stands on no floor: add it to Floors", pkg) {
			continue
		}
		for _, imported := range list {
			assert.NotContains(t, TestOnly, imported, "%s imports %s, which is for tests", pkg, imported)
			to, below, ours := floor(imported)
			if !ours || to == listed {
				continue
			}
			assert.Less(t, below, level, "%s imports %s: not a lower floor", pkg, imported)
		}
	}
}

func TestKernelKnowsOnlyTheStandardLibraryAndTheProcessor(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for pkg, list := range imports(t, root) {
		if !strings.HasPrefix(pkg, "pkg/tensor/internal/kernel") {
			continue
		}
		for _, imported := range list {
			first, _, _ := strings.Cut(imported, "/")
			assert.True(t, !strings.Contains(first, ".") || imported == "golang.org/x/sys/cpu", "%s imports %s", pkg, imported)
		}
	}
}

// Graphs, tensors and files know nothing of each other.
func TestCircuitKnowsNoTensor(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	list := imports(t, root)["pkg/circuit"]
	require.NotEmpty(t, list)
	for _, imported := range list {
		_, level, ours := floor(imported)
		assert.False(t, ours && level >= 0, "pkg/circuit imports %s", imported)
	}
}
