// Package zoo opens models by name:
//
//  1. a builtin name: "induction", a trained model that stands in this package,
//     or "or_gate", whose weights are written in code (All lists them);
//  2. "random:…", seeded random weights of a given shape (random.go);
//  3. a folder with config.json and model.safetensors, in TransformerLens'
//     names;
//  4. a file X.safetensors, whose configuration is X.config.json beside it, or
//     else config.json in the same folder.
//
// A builtin name comes before a folder of the same name; write ./induction for
// the folder. The package computes nothing and downloads nothing.
package zoo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/gpt"
)

// Model is an open model.
type Model struct {
	*gpt.Model
	Name        string // the same for every way to write the name
	Description string // one line
	close       func() error
}

// Mapped reports whether the weights lie in a file mapped into memory, and not
// in memory of the program's own.
func (m *Model) Mapped() bool { return m.close != nil }

// Close releases the files that the model's weights lie in; the model must not
// be used afterwards.
func (m *Model) Close() error {
	if m.close == nil {
		return nil
	}
	return m.close()
}

// Entry describes a model, or a family of models, that needs no files.
type Entry struct {
	Name        string // with placeholders where it is a family
	Description string // one line
	open        func() (*gpt.Model, error)
}

// All lists the builtin models.
func All() []Entry {
	return []Entry{
		{"induction", "2 attention-only layers, trained to continue repeated random sequences", openInduction},
		{"or_gate", "1 layer, weights by hand: the OR of its two heads (Conmy et al. 2023)", openOrGate},
	}
}

// Families lists the names of models with random weights.
func Families() []Entry {
	return []Entry{
		{Name: "random:gpt2", Description: "random weights in the shape of GPT-2 small"},
		{Name: "random:gpt2-medium", Description: "random weights in the shape of GPT-2 medium"},
		{Name: "random:LxHxDxFxV", Description: "random weights: layers, heads, d_model, d_mlp (0: attention only), vocabulary"},
	}
}

// NameError is a name that cannot be a model's, whatever files there are.
type NameError struct{ text string }

func (e *NameError) Error() string { return e.text }

// Open opens the model of a name. A name that is neither known nor a path is a
// *NameError; other errors name the file and what is wrong in it.
func Open(name string) (*Model, error) {
	for _, e := range All() {
		if e.Name == name {
			m, err := e.open()
			if err != nil {
				return nil, fmt.Errorf("builtin model %s: %w", name, err)
			}
			return &Model{Model: m, Name: name, Description: e.Description}, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, randomPrefix); ok {
		return openRandom(rest)
	}
	return openPath(name)
}

// openPath opens a folder or a file.
func openPath(name string) (*Model, error) {
	if name == "" {
		return nil, &NameError{"the model's name is empty: " + expected()}
	}
	info, err := os.Stat(name)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("model %w", err)
	case err != nil && !looksLikePath(name):
		return nil, &NameError{fmt.Sprintf("unknown model %q: %s", name, expected())}
	case err != nil:
		return nil, fmt.Errorf("model %s: no such file or folder: %s", name, expected())
	case info.IsDir():
		return openFiles(name, filepath.Join(name, "config.json"), filepath.Join(name, "model.safetensors"))
	case !strings.HasSuffix(name, ".safetensors"):
		return nil, fmt.Errorf("model %s: expected a folder or a file that ends in .safetensors", name)
	}
	config := strings.TrimSuffix(name, ".safetensors") + ".config.json"
	if _, err := os.Stat(config); errors.Is(err, os.ErrNotExist) {
		shared := filepath.Join(filepath.Dir(name), "config.json")
		if _, err := os.Stat(shared); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("model %s: expected its configuration in %s or %s, found neither", name, config, shared)
		}
		config = shared
	}
	return openFiles(name, config, name)
}

// looksLikePath tells a missing file from a mistyped name.
func looksLikePath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".safetensors")
}

// expected lists what a model's name may be.
func expected() string {
	var names []string
	for _, e := range append(All(), Families()...) {
		names = append(names, e.Name)
	}
	return "expected one of " + strings.Join(names, ", ") +
		", a folder with config.json and model.safetensors, or a .safetensors file"
}
