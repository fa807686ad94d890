package tokenizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Bounds of what a file may state; real ones are far below.
const (
	maxFile    = 64 << 20 // bytes of a file
	maxID      = 1 << 20  // ids, and so tokens
	maxContent = 512      // bytes of an added token
	maxSteps   = 32       // members of all sequences of one field
	maxDepth   = 4        // sequences within sequences
)

// Read reads a tokenizer.json that is already in memory. The name appears in
// errors, and as the tokenizer's name.
func Read(ctx context.Context, name string, data []byte) (*Tokenizer, error) {
	return read(ctx, name, data, &settings{})
}

// read is Read with the settings beside the file.
func read(ctx context.Context, name string, data []byte, beside *settings) (*Tokenizer, error) {
	t, err := readTokenizer(ctx, name, data, beside)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var of *settingsError
	if errors.As(err, &of) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// tokenizerFile is tokenizer.json. Padding and truncation do not matter here.
type tokenizerFile struct {
	AddedTokens   json.RawMessage `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

func readTokenizer(ctx context.Context, name string, data []byte, beside *settings) (*Tokenizer, error) {
	data, err := clean(ctx, data, maxFile)
	if err != nil {
		return nil, err
	}
	var f tokenizerFile
	if err := unmarshal(ctx, data, &f); err != nil {
		return nil, err
	}
	t := &Tokenizer{name: name, bos: -1, splitSpecial: beside.SplitSpecial}
	if err := t.readModel(ctx, f.Model); err != nil {
		return nil, field("model", err)
	}
	p := pipeline{ctx: ctx, prefix: beside.AddPrefixSpace}
	if err := p.normalizer(f.Normalizer, 0); err != nil {
		return nil, field("normalizer", err)
	}
	if err := p.preTokenizer(f.PreTokenizer); err != nil {
		return nil, field("pre_tokenizer", err)
	}
	if err := checkDecoder(ctx, f.Decoder); err != nil {
		return nil, field("decoder", err)
	}
	t.normalize, t.split = p.form(), p.split
	list, err := readAdded(ctx, f.AddedTokens)
	if err == nil {
		err = t.learn(list)
	}
	if err != nil {
		return nil, field("added_tokens", err)
	}
	if list, err = t.over(ctx, list, beside); err != nil {
		return nil, err
	}
	t.find(list)
	return t, field("post_processor", t.readTemplate(ctx, f.PostProcessor))
}

// checkText refuses what is too large or not UTF-8.
func checkText(data []byte) error {
	if len(data) > maxFile {
		return fmt.Errorf("expected at most %d bytes, found %d", maxFile, len(data))
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Errorf("expected UTF-8, found byte %#02x at %d", data[i], i)
		}
		i += n
	}
	return nil
}

// kindOf returns the type of a part of a tokenizer.
func kindOf(ctx context.Context, raw json.RawMessage) (string, error) {
	var v struct {
		Type string `json:"type"`
	}
	if err := unmarshal(ctx, raw, &v); err != nil {
		return "", err
	}
	if v.Type == "" {
		return "", errors.New("field \"type\" is missing")
	}
	return v.Type, nil
}

// refuse is the error for a part that this package does not have.
func refuse(kind string, have ...string) error {
	return fmt.Errorf("found type %s, which is not supported, expected %s", oneline.Quote(kind), oneOf(have))
}

func oneOf(have []string) string {
	last := len(have) - 1
	if last == 0 {
		return have[0]
	}
	return strings.Join(have[:last], ", ") + " or " + have[last]
}

// addedToken is an entry of added_tokens.
type addedToken struct {
	ID         *int    `json:"id"`
	Content    *string `json:"content"`
	SingleWord bool    `json:"single_word"`
	LStrip     bool    `json:"lstrip"`
	RStrip     bool    `json:"rstrip"`
	Normalized *bool   `json:"normalized"`
	Special    bool    `json:"special"`
}

// beforeNormalizer tells whether the token is looked for in the text as it is;
// a file that does not say so means it for special tokens.
func (a *addedToken) beforeNormalizer() bool {
	if a.Normalized == nil {
		return a.Special
	}
	return !*a.Normalized
}

func readAdded(ctx context.Context, raw json.RawMessage) ([]addedToken, error) {
	if null(raw) {
		return nil, nil
	}
	var list []addedToken
	err := stream(ctx, raw, '[', func(d *json.Decoder, i int) error {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return notJSON(err)
		}
		var a addedToken
		if err := unmarshal(ctx, one, &a); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if err := a.check(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		list = append(list, a)
		return nil
	})
	return list, err
}

func (a *addedToken) check() error {
	switch {
	case a.ID == nil:
		return errors.New("field \"id\" is missing")
	case a.Content == nil || *a.Content == "":
		return errors.New("field \"content\": expected a text, found none")
	case len(*a.Content) > maxContent:
		return field("content", fmt.Errorf("expected at most %d bytes, found %d", maxContent, len(*a.Content)))
	}
	return field("id", checkID(*a.ID))
}

func checkID(id int) error {
	if id < 0 || id >= maxID {
		return fmt.Errorf("expected an id from 0 to %d, found %d", maxID-1, id)
	}
	return nil
}

// add takes added tokens into the vocabulary and looks for them in texts.
func (t *Tokenizer) add(list []addedToken) error {
	if err := t.learn(list); err != nil {
		return err
	}
	t.find(list)
	return nil
}

// learn takes added tokens into the vocabulary. One that the model has already
// must have the id that it has there.
func (t *Tokenizer) learn(list []addedToken) error {
	for i, a := range list {
		id, content := *a.ID, *a.Content
		if has, ok := t.ids[content]; ok && has != id {
			return fmt.Errorf("entry %d: %s: expected the id %d that it has already, found %d", i, oneline.Quote(content), has, id)
		}
		if _, ok := t.ids[content]; !ok && t.piece(id).known {
			return fmt.Errorf("entry %d: %s: id %d is already that of %s", i, oneline.Quote(content), id, oneline.Quote(t.Token(id)))
		}
		t.set(id, content, content)
	}
	return nil
}

// find makes the tables that find added tokens in a text.
func (t *Tokenizer) find(list []addedToken) {
	var raw, normal []added
	for _, a := range list {
		one := added{*a.ID, *a.Content, a.SingleWord, a.LStrip, a.RStrip}
		switch {
		case a.Special && t.splitSpecial:
		case a.beforeNormalizer():
			raw = append(raw, one)
		default:
			if t.normalize != nil {
				one.content = t.normalize(one.content)
			}
			normal = append(normal, one)
		}
	}
	t.raw, t.normal = newAddedTokens(raw), newAddedTokens(normal)
}

// checkDecoder accepts what turns the byte alphabet back into bytes. Ids do not
// depend on it.
func checkDecoder(ctx context.Context, raw json.RawMessage) error {
	if null(raw) {
		return nil
	}
	kind, err := kindOf(ctx, raw)
	if err != nil {
		return err
	}
	if kind == "Sequence" {
		return members(ctx, raw, "decoders", func(i int, member json.RawMessage) error {
			kind, err := kindOf(ctx, member)
			if err == nil && !slices.Contains([]string{"ByteLevel", "Fuse"}, kind) {
				err = refuse(kind, "ByteLevel", "Fuse")
			}
			return err
		})
	}
	if kind != "ByteLevel" {
		return refuse(kind, "ByteLevel", "a Sequence of it")
	}
	return nil
}

// members hands out the members of a sequence.
func members(ctx context.Context, raw json.RawMessage, name string, member func(i int, raw json.RawMessage) error) error {
	var parts map[string]json.RawMessage
	if err := unmarshal(ctx, raw, &parts); err != nil {
		return err
	}
	if null(parts[name]) {
		return fmt.Errorf("field %q is missing", name)
	}
	return field(name, stream(ctx, parts[name], '[', func(d *json.Decoder, i int) error {
		if i >= maxSteps {
			return fmt.Errorf("expected at most %d entries", maxSteps)
		}
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return notJSON(err)
		}
		if err := member(i, one); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		return nil
	}))
}
