package zoo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// withGPT2s are short names of models that have GPT-2's tokenizer.
var withGPT2s = []string{"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2", "gpt-neo-125m", "gpt-neo-1.3b", "gpt-neo-2.7b", "redwood_attn_2l"}

// OpenTokenizer opens the tokenizer of a model without its weights. GPT-2 and
// its kin need no files; a model that has none is a *NoTokenizerError.
func OpenTokenizer(ctx context.Context, name string, o Options) (*tokenizer.Tokenizer, error) {
	if isBuiltin(name) {
		return builtinTokenizer(ctx, name)
	}
	if rest, ok := strings.CutPrefix(name, randomPrefix); ok {
		c, canonical, _, err := parseRandom(rest)
		if err != nil {
			return nil, err
		}
		return tokenizerIn(ctx, canonical, nil, c.Vocab)
	}
	at, err := find(name)
	if err != nil {
		return nil, err
	}
	dir, config := name, filepath.Join(name, "config.json")
	switch at {
	case theCache:
		return o.cachedTokenizer(ctx, name)
	case aFile:
		dir = filepath.Dir(name)
		if config, err = configFile(name); err != nil {
			return nil, err
		}
	}
	vocab := 0
	if c, err := readConfig(ctx, config); err == nil {
		vocab = c.Vocab
	}
	return tokenizerIn(ctx, name, []string{dir}, vocab)
}

// cachedTokenizer opens a tokenizer in the Hugging Face cache.
func (o Options) cachedTokenizer(ctx context.Context, name string) (*tokenizer.Tokenizer, error) {
	cache, err := o.cache(name)
	if err != nil {
		return nil, err
	}
	base, revision := hub.Split(name)
	dir, err := cache.FindTokenizer(ctx, base, revision)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		return tokenizer.Open(ctx, dir)
	}
	if m, known := hub.Resolve(base); known == nil && slices.Contains(withGPT2s, m.Name) {
		return tokenizer.GPT2(), nil
	}
	return nil, err
}

// cache is the Hugging Face cache, which the model of a name is looked for in.
func (o Options) cache(name string) (*hub.Cache, error) {
	env := o.Env
	if env == nil {
		env = os.Getenv
	}
	dir, err := hub.CacheDir(env)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", name, err)
	}
	return &hub.Cache{Dir: dir}, nil
}

// tokenizerIn opens the tokenizer in one of some folders, or GPT-2's for a
// vocabulary of its size.
func tokenizerIn(ctx context.Context, name string, dirs []string, vocab int) (*tokenizer.Tokenizer, error) {
	for _, dir := range dirs {
		t, err := tokenizer.Open(ctx, dir)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
	}
	if vocab == sizeOfGPT2 {
		return tokenizer.GPT2(), nil
	}
	return nil, &NoTokenizerError{name, dirs}
}

// sizeOfGPT2 is the size of GPT-2's vocabulary.
const sizeOfGPT2 = 50257

// NoTokenizerError says that a model has no tokenizer.
type NoTokenizerError struct {
	Model  string
	Looked []string // folders where one was looked for
}

func (e *NoTokenizerError) Error() string {
	where := "it is made of weights alone"
	if len(e.Looked) > 0 {
		where = "expected tokenizer.json, or vocab.json and merges.txt, in " + strings.Join(e.Looked, " or ")
	}
	return fmt.Sprintf("model %s has no tokenizer, and its prompts must be token ids: %s", e.Model, where)
}
