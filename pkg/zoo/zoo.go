// Package zoo opens models by name:
//
//  1. a builtin name: "induction" or "mini", trained models that stand in this
//     package with their recipes, "interp-sort" and others, which were trained to
//     be programs, or "or_gate" and others, whose weights are written in code (All
//     lists them);
//  2. "random:…", seeded random weights of a given shape (random.go), or
//     "program:…", what a program of the project's compiles to (program.go);
//  3. a folder with config.json and weights, as Hugging Face or TransformerLens
//     write them: whole or sharded safetensors, PyTorch files;
//  4. a file with weights (.safetensors, .bin, .pt, .pth, .npz), whose
//     configuration is NAME.config.json beside it, or else config.json; or with a
//     program (.rasp), which is compiled;
//  5. a Hugging Face name, "gpt2" or "EleutherAI/pythia-70m", with @revision
//     where it is not main, that stands in the local cache (package hub).
//
// The first that fits is taken; write ./induction for a folder of that name.
// The package computes nothing and downloads nothing.
package zoo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
	"github.com/seed-2c350065/acdc/pkg/train/interchange"
	"github.com/seed-2c350065/acdc/pkg/transformer"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
)

// Model is an open model.
type Model struct {
	*transformer.Model
	Layout       checkpoint.Layout     // of its weights
	Processing   checkpoint.Processing // what was done to them
	Name         string                // the same for every way to write the name
	Description  string                // one line
	Warnings     []string              // doubts about its files, a line each
	Program      *compile.Model        // what a program compiled to: the model itself, or the one that it was trained to be; nil of other models
	pair         *interchange.Pair     // of a model that was trained to be a program
	close        func() error
	files        []string // configuration and weights
	vocabularies []string // folders that may hold its tokenizer
	builtin      bool
}

// named makes a model of the zoo.
func named(m *checkpoint.Model, name, description string) *Model {
	return &Model{Model: m.Model, Layout: m.Layout, Processing: m.Processing, Name: name, Description: description, Warnings: m.Warnings}
}

// Mapped reports whether the weights lie in a file mapped into memory, and not
// in memory of the program's own.
func (m *Model) Mapped() bool { return m.close != nil }

// Close releases the files that the model's weights lie in; using the model
// afterwards is a panic that says so.
func (m *Model) Close() error {
	m.Model.Close()
	if m.close == nil {
		return nil
	}
	return m.close()
}

// Files returns the paths of the files that the model is made of: configuration,
// weights with their index, and those of the tokenizer. A model without files has
// none.
func (m *Model) Files() []string {
	paths := slices.Clone(m.files)
	for _, dir := range m.vocabularies {
		paths = append(paths, tokenizer.Files(dir)...)
	}
	return paths
}

// Tokenizer opens the model's tokenizer: the one that lies beside its weights,
// or GPT-2's for a model that has that vocabulary's size and no other. An error
// says where it was looked for.
func (m *Model) Tokenizer(ctx context.Context) (*tokenizer.Tokenizer, error) {
	if m.builtin {
		return builtinTokenizer(ctx, m.Name)
	}
	return tokenizerIn(ctx, m.Name, m.vocabularies, m.Config.Vocab)
}

// opener makes a builtin model, without its name.
type opener func(context.Context, checkpoint.LoadOptions) (*Model, error)

// weighty is the opener of a model that is nothing but its weights.
func weighty(open func(context.Context, checkpoint.LoadOptions) (*checkpoint.Model, error)) opener {
	return func(ctx context.Context, o checkpoint.LoadOptions) (*Model, error) {
		m, err := open(ctx, o)
		if err != nil {
			return nil, err
		}
		return named(m, "", ""), nil
	}
}

// Entry describes a model, or a family of models, that needs no files.
type Entry struct {
	Name        string // with placeholders where it is a family
	Description string // one line
	open        opener
}

// All lists the builtin models.
func All() []Entry {
	return []Entry{
		{"induction", "2 attention-only layers, trained to continue repeated random sequences", weighty(openTrained("induction"))},
		{"mini", "3 layers with MLPs over a vocabulary of words, trained on ioi, greaterthan and docstring", weighty(openTrained("mini"))},
		{"or_gate", "1 layer, weights by hand: the OR of its two heads (Conmy et al. 2023)", weighty(byHand(orGate))},
		{"or_bits", "1 layer, weights by hand: the OR of two bits that its heads move", weighty(byHand(orBits))},
		{"and_gate", "1 layer, weights by hand: the AND of two bits that its heads move", weighty(byHand(andGate))},
		{"xor_gate", "1 layer, weights by hand: the XOR of two bits that its heads move", weighty(byHand(xorGate))},
		{"induction_heads", "2 attention-only layers, weights by hand: a previous token head and an induction head", weighty(byHand(inductionHeads))},
		{"tracr-reverse", "4 layers, compiled from a program that reverses its input (Lindner et al. 2023)", openCompiled("reverse", compile.Options{})},
		{"tracr-proportion", "2 layers, compiled from a program that says how much of its input is x (Lindner et al. 2023)", openCompiled("proportion", compile.Options{Logits: 4})}, // as many as the reference\'s,
		{"interp-sort", "2 layers, trained to be the compiled program sort, as InterpBench trains (Gupta et al. 2024)", openImitation("interp-sort")},
		{"interp-proportion", "2 layers, trained to be the compiled program proportion (Gupta et al. 2024)", openImitation("interp-proportion")},
		{"interp-detect-pattern", "3 layers, trained to be the compiled program detect-pattern (Gupta et al. 2024)", openImitation("interp-detect-pattern")},
	}
}

// Families lists the names of models with random weights.
func Families() []Entry {
	return []Entry{
		{Name: "random:gpt2", Description: "random weights in the shape of GPT-2 small"},
		{Name: "random:gpt2-medium", Description: "random weights in the shape of GPT-2 medium"},
		{Name: "random:qwen2.5-0.5b", Description: "random weights in the shape of Qwen2.5-0.5B"},
		{Name: "random:llama-3.2-1b", Description: "random weights in the shape of Llama-3.2-1B"},
		{Name: "random:gemma-2-2b", Description: "random weights in the shape of Gemma-2-2B"},
		{Name: "random:LxHxDxFxV", Description: "random weights: layers, heads, d_model, d_mlp (0: attention only), vocabulary"},
	}
}

// NameError is a name that cannot be a model's, whatever files there are.
type NameError struct{ text string }

func (e *NameError) Error() string { return e.text }

// Options say how a model is opened.
type Options struct {
	Processing checkpoint.Switches // what to change of the default processing
	Reset      *uint64             // a seed to shuffle the weights by, as a control; nil to leave them
	Env        hub.Env             // where the Hugging Face cache is; nil for the environment of the process
	Threads    int                 // goroutines that read and compute; less than 1 means one a core. The model does not depend on it.
}

// Open opens the model of a name. A name that is neither known nor a path is a
// *NameError; a Hugging Face name that is not in the cache wraps a
// *hub.NotFoundError; other errors name the file and what is wrong in it.
// Where the context ends, its error is returned.
func Open(ctx context.Context, name string) (*Model, error) { return OpenWith(ctx, name, Options{}) }

// OpenWith is Open with options.
func OpenWith(ctx context.Context, name string, o Options) (*Model, error) {
	load := checkpoint.LoadOptions{Processing: o.Processing, Reset: o.Reset, Threads: o.Threads}
	if load.Threads < 1 {
		load.Threads = runtime.GOMAXPROCS(0)
	}
	for _, e := range All() {
		if e.Name == name {
			m, err := e.open(ctx, load)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				return nil, fmt.Errorf("builtin model %s: %w", name, err)
			}
			m.Name, m.Description, m.builtin = name, e.Description, true
			return m, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, randomPrefix); ok {
		return openRandom(ctx, rest, load)
	}
	if rest, ok := strings.CutPrefix(name, programPrefix); ok {
		if _, err := programs.Source(rest); err != nil {
			return nil, &NameError{err.Error()}
		}
		return openCompiled(rest, compile.Options{})(ctx, load)
	}
	return o.openPath(ctx, name, load)
}

// place is where a model lies.
type place uint8

const (
	aFolder place = iota
	aFile
	theCache
)

// find tells where the model of a name lies that is neither builtin nor random.
func find(name string) (place, error) {
	if name == "" {
		return 0, &NameError{"the model's name is empty: " + expected()}
	}
	info, err := os.Stat(name)
	switch {
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return 0, fmt.Errorf("model %w", err)
	case err != nil && onHub(name):
		return theCache, nil
	case err != nil && !looksLikePath(name) && !programs.IsFile(name):
		return 0, &NameError{fmt.Sprintf("unknown model %q: %s", name, expected())}
	case err != nil:
		return 0, fmt.Errorf("model %s: no such file or folder: %s", name, expected())
	case info.IsDir():
		return aFolder, nil
	}
	return aFile, nil
}

// openPath opens a folder, a file, or a model in the Hugging Face cache.
func (o Options) openPath(ctx context.Context, name string, load checkpoint.LoadOptions) (*Model, error) {
	at, err := find(name)
	switch {
	case err != nil:
		return nil, err
	case at == theCache:
		return o.openCached(ctx, name, load)
	case at == aFolder:
		return openFolder(ctx, name, name, load)
	case programs.IsFile(name):
		return openProgramFile(ctx, name, load)
	}
	return openFile(ctx, name, load)
}

// onHub reports whether a name is a short one, or has a repository's form.
func onHub(name string) bool {
	base, _ := hub.Split(name)
	m, err := hub.Resolve(base)
	if err != nil || strings.HasPrefix(name, ".") || isWeights(name) {
		return false
	}
	return strings.Contains(base, "/") || slices.ContainsFunc(hub.Aliases(), func(a hub.Model) bool { return a.Name == m.Name })
}

// openCached opens a model in the Hugging Face cache.
func (o Options) openCached(ctx context.Context, name string, load checkpoint.LoadOptions) (*Model, error) {
	cache, err := o.cache(name)
	if err != nil {
		return nil, err
	}
	base, revision := hub.Split(name)
	snapshot, err := cache.Find(ctx, base, revision)
	if err != nil {
		return nil, err
	}
	m, err := openFolder(ctx, name, snapshot, load)
	if err != nil {
		return nil, err
	}
	resolved, err := hub.Resolve(base)
	if err != nil {
		_ = m.Close() // the first error says more
		return nil, err
	}
	if m.Name = resolved.Name; revision != "" && revision != "main" {
		m.Name += "@" + revision
	}
	if dir, err := cache.FindTokenizer(ctx, base, revision); err == nil {
		m.vocabularies = append(m.vocabularies, dir)
	}
	if err := ctx.Err(); err != nil {
		_ = m.Close() // nobody wants it
		return nil, err
	}
	return m, nil
}

// looksLikePath tells a missing file from a mistyped name.
func looksLikePath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") || isWeights(name)
}

// isWeights reports whether a name ends as a file of weights does.
func isWeights(name string) bool {
	return slices.Contains(endings, filepath.Ext(name))
}

// endings are those of files with weights.
var endings = []string{".safetensors", ".bin", ".pt", ".pth", ".npz"}

// expected lists what a model's name may be.
func expected() string {
	var names []string
	for _, e := range append(All(), Families()...) {
		names = append(names, e.Name)
	}
	return "expected one of " + strings.Join(names, ", ") +
		", a folder with config.json and weights, a file of weights (" + strings.Join(endings, ", ") +
		"), or a Hugging Face name such as gpt2 or EleutherAI/pythia-70m"
}
