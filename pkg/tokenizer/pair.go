package tokenizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// pairFiles are the contents of a folder without tokenizer.json.
type pairFiles struct {
	dir           string
	vocab, merges []byte
	added         []byte // added_tokens.json, nil if there is none
	config        *settings
}

func (p *pairFiles) read(ctx context.Context) (*Tokenizer, error) {
	t := &Tokenizer{name: p.dir, bos: -1, splitSpecial: p.config.SplitSpecial}
	if err := p.pipeline(t); err != nil {
		return nil, fmt.Errorf("%s: field \"tokenizer_class\": %w", p.config.path, err)
	}
	vocab, err := clean(ctx, p.vocab, maxFile)
	if err == nil {
		err = t.readVocab(ctx, vocab)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(p.dir, vocabName), err)
	}
	if err := t.readMergeLines(ctx, p.merges); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(p.dir, mergesName), err)
	}
	list, err := p.addedTokens(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := t.add(list); err != nil {
		return nil, fmt.Errorf("%s: added tokens: %w", p.dir, err)
	}
	t.usual()
	return t, nil
}

// pipeline sets what the family of a tokenizer does before the model sees a
// text. A folder that does not name it is of GPT-2's.
func (p *pairFiles) pipeline(t *Tokenizer) error {
	class := strings.TrimSuffix(p.config.Class, "Fast")
	t.split = splitBy(scanner(scanGPT2).find, isolated, false)
	switch class {
	case "", "GPT2Tokenizer", "GPTNeoXTokenizer", "CodeGenTokenizer", "RobertaTokenizer", "PreTrainedTokenizer":
	case "Qwen2Tokenizer":
		t.split = splitBy(scanners(qwen2Pattern).find, isolated, false)
		t.normalize = func(s string) string { return normalize(s, norm.NFC, norm.NFD, true) }
	default:
		return fmt.Errorf("found %s, expected GPT2Tokenizer, GPTNeoXTokenizer, CodeGenTokenizer, RobertaTokenizer or Qwen2Tokenizer, or a folder with %s", oneline.Quote(p.config.Class), tokenizerName)
	}
	if p.config.AddPrefixSpace != nil && *p.config.AddPrefixSpace {
		t.split = splitter(prefixSpace).then(t.split)
	}
	return nil
}

// readMergeLines reads merges.txt: a version line and one pair a line.
func (t *Tokenizer) readMergeLines(ctx context.Context, data []byte) error {
	if err := checkText(data); err != nil {
		return err
	}
	number, rank := 0, 0
	for line := range strings.Lines(string(data)) {
		if number++; ctx.Err() != nil {
			return ctx.Err()
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := cutMerge(line)
		if !ok {
			return fmt.Errorf("line %d: expected two tokens with a space between them, found %s", number, oneline.Quote(line))
		}
		if err := t.merge(left, right, rank); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		rank++
	}
	return nil
}

// addedTokens collects the added tokens: those of added_tokens_decoder, then
// those of added_tokens.json, then the special ones that the settings name and
// the vocabulary has. If nothing names one it is the usual BOS.
func (p *pairFiles) addedTokens(ctx context.Context, t *Tokenizer) ([]addedToken, error) {
	list, err := p.config.addedDecoder(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: field \"added_tokens_decoder\": %w", p.config.path, err)
	}
	has := map[string]bool{}
	for _, a := range list {
		has[*a.Content] = true
	}
	more, err := addedFile(ctx, p.added)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(p.dir, addedName), err)
	}
	for _, a := range more {
		if !has[*a.Content] {
			has[*a.Content] = true
			list = append(list, a)
		}
	}
	special := p.config.special()
	if len(special) == 0 {
		for _, name := range usualBOS {
			special = append(special, addedToken{Content: &name, Special: true})
		}
	}
	for _, a := range special {
		if id, ok := t.ids[*a.Content]; ok && !has[*a.Content] {
			a.ID = &id
			list = append(list, a)
		}
	}
	return list, nil
}

// addedDecoder reads {"50256": {"content": "<|endoftext|>", …}, …}.
func (s *settings) addedDecoder(ctx context.Context) ([]addedToken, error) {
	var list []addedToken
	byID := map[int]string{}
	for _, key := range slices.Sorted(maps.Keys(s.Added)) {
		id, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("expected ids as names, found %s", oneline.Quote(key))
		}
		byID[id] = key
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		var a addedToken
		key := byID[id]
		if err := unmarshal(ctx, s.Added[key], &a); err != nil {
			return nil, fmt.Errorf("entry %d: %w", id, err)
		}
		a.ID = &id
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("entry %d: %w", id, err)
		}
		list = append(list, a)
	}
	return list, nil
}

// addedFile reads added_tokens.json, {"token": id, …}.
func addedFile(ctx context.Context, data []byte) ([]addedToken, error) {
	if data == nil {
		return nil, nil
	}
	data, err := clean(ctx, data, maxFile)
	if err != nil {
		return nil, err
	}
	var list []addedToken
	err = stream(ctx, data, '{', func(d *json.Decoder, _ int) error {
		name, id, err := readEntry(d)
		if err != nil {
			return err
		}
		if name == "" || len(name) > maxContent {
			return errors.New("expected tokens of 1 to " + strconv.Itoa(maxContent) + " bytes")
		}
		list = append(list, addedToken{ID: &id, Content: &name})
		return nil
	})
	return list, err
}
