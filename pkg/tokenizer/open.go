package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// The files of a tokenizer's folder.
const (
	tokenizerName = "tokenizer.json"
	vocabName     = "vocab.json"
	mergesName    = "merges.txt"
	addedName     = "added_tokens.json"
	configName    = "tokenizer_config.json"
	specialName   = "special_tokens_map.json"
)

// Files returns the paths of those files in a folder that a tokenizer may be
// made of.
func Files(dir string) []string {
	var paths []string
	for _, name := range []string{tokenizerName, vocabName, mergesName, addedName, configName, specialName} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// Open reads the tokenizer of a folder: tokenizer.json or, if it has none,
// vocab.json and merges.txt. The settings beside them, tokenizer_config.json and
// special_tokens_map.json, say over it what transformers' fast tokenizers take
// from them: which token is BOS, further added and special tokens, whether a
// text gets a space in front; with vocab.json also whether the family is GPT-2's
// or Qwen 2's. If the folder has no tokenizer, the error wraps [fs.ErrNotExist]; where
// the context ends, its error is returned.
func Open(ctx context.Context, dir string) (*Tokenizer, error) {
	t, err := open(ctx, dir)
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	return t, err
}

func open(ctx context.Context, dir string) (*Tokenizer, error) {
	config, err := readSettings(ctx, filepath.Join(dir, configName))
	if err != nil {
		return nil, err
	}
	special, err := readSettings(ctx, filepath.Join(dir, specialName))
	if err != nil {
		return nil, err
	}
	config.under(special)
	t, err := openJSON(ctx, dir, config)
	if errors.Is(err, fs.ErrNotExist) {
		t, err = openPair(ctx, dir, config)
	}
	if err != nil {
		return nil, err
	}
	t.name = filepath.ToSlash(filepath.Clean(dir))
	if err := t.readBOS(config); err != nil {
		return nil, err
	}
	return t, nil
}

func openJSON(ctx context.Context, dir string, config *settings) (*Tokenizer, error) {
	path := filepath.Join(dir, tokenizerName)
	data, err := readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return read(ctx, path, data, config)
}

func openPair(ctx context.Context, dir string, config *settings) (*Tokenizer, error) {
	vocab, errVocab := readFile(ctx, filepath.Join(dir, vocabName))
	merges, errMerges := readFile(ctx, filepath.Join(dir, mergesName))
	if errors.Is(errVocab, fs.ErrNotExist) && errors.Is(errMerges, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: expected %s, or %s and %s, found none: %w", dir, tokenizerName, vocabName, mergesName, fs.ErrNotExist)
	}
	if errVocab != nil {
		return nil, errVocab
	}
	if errMerges != nil {
		return nil, errMerges
	}
	path := filepath.Join(dir, addedName)
	more, err := readFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		more, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := pairFiles{dir: dir, vocab: vocab, merges: merges, added: more, config: config}
	return p.read(ctx)
}

// readFile reads a regular file of at most maxFile bytes.
func readFile(ctx context.Context, path string) ([]byte, error) {
	return jsonfile.ReadRegular(ctx, path, "a file of a tokenizer", maxFile)
}
