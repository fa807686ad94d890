package tokenizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// modelFile is the field "model" of tokenizer.json.
type modelFile struct {
	Type         string          `json:"type"`
	Dropout      *float64        `json:"dropout"`
	Unknown      *string         `json:"unk_token"`
	Prefix       *string         `json:"continuing_subword_prefix"`
	Suffix       *string         `json:"end_of_word_suffix"`
	FuseUnknown  bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       json.RawMessage `json:"merges"`
}

func (t *Tokenizer) readModel(ctx context.Context, raw json.RawMessage) error {
	if null(raw) {
		return errors.New("expected an object, found none")
	}
	var f modelFile
	if err := unmarshal(ctx, raw, &f); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := t.readVocab(ctx, f.Vocab); err != nil {
		return field("vocab", err)
	}
	if f.Type == wordLevel {
		return t.readWords(f)
	}
	if null(f.Merges) {
		return errors.New("field \"merges\" is missing")
	}
	if err := t.readMerges(ctx, f.Merges); err != nil {
		return field("merges", err)
	}
	t.model.fuse = f.FuseUnknown
	if f.Unknown != nil {
		if id, ok := t.ids[*f.Unknown]; ok {
			t.model.unknown = int32(id)
		} else if *f.Unknown != "" {
			return field("unk_token", fmt.Errorf("%s is not in the vocabulary", oneline.Quote(*f.Unknown)))
		}
	}
	if f.IgnoreMerges {
		t.keepWhole()
	}
	return nil
}

// wordLevel is the type of a model whose tokens are whole words.
const wordLevel = "WordLevel"

// readWords makes the model one of whole words. Every other word is the unknown
// token, which the file must name.
func (t *Tokenizer) readWords(f modelFile) error {
	if f.Unknown == nil {
		return errors.New("field \"unk_token\" is missing: every word outside the vocabulary becomes it")
	}
	id, ok := t.ids[*f.Unknown]
	if !ok {
		return field("unk_token", fmt.Errorf("%s is not in the vocabulary", oneline.Quote(*f.Unknown)))
	}
	t.model.unknown, t.model.wordsOnly = int32(id), true
	t.keepWhole()
	return nil
}

// check refuses models that work in another way. Old files have no type.
func (f *modelFile) check() error {
	if f.Type == wordLevel {
		if !null(f.Merges) {
			return errors.New("field \"merges\": expected none of a WordLevel model")
		}
		return nil
	}
	if f.Type != "BPE" && (f.Type != "" || null(f.Merges)) {
		return refuse(f.Type, "BPE", wordLevel)
	}
	if f.ByteFallback {
		return errors.New("field \"byte_fallback\": found true, which is not supported")
	}
	if f.Dropout != nil && *f.Dropout != 0 {
		return fmt.Errorf("field \"dropout\": found %g, expected none: ids would be random", *f.Dropout)
	}
	if f.Prefix != nil && *f.Prefix != "" {
		return field("continuing_subword_prefix", fmt.Errorf("found %s, which is not supported", oneline.Quote(*f.Prefix)))
	}
	if f.Suffix != nil && *f.Suffix != "" {
		return field("end_of_word_suffix", fmt.Errorf("found %s, which is not supported", oneline.Quote(*f.Suffix)))
	}
	return nil
}

// readVocab reads {"token": id, …}.
func (t *Tokenizer) readVocab(ctx context.Context, raw []byte) error {
	if null(raw) {
		return errors.New("expected an object, found none")
	}
	t.ids = map[string]int{}
	err := stream(ctx, raw, '{', func(d *json.Decoder, _ int) error {
		name, id, err := readEntry(d)
		if err != nil {
			return err
		}
		if t.piece(id).known {
			return fmt.Errorf("token %s: id %d is already that of %s", oneline.Quote(name), id, oneline.Quote(t.Token(id)))
		}
		bytes, _ := toBytes(name)
		t.set(id, name, bytes)
		return nil
	})
	if err != nil {
		return err
	}
	t.model = &bpe{unknown: -1, merges: map[pair]merged{}}
	for b, c := range byteAlphabet {
		t.model.bytes[b] = -1
		if id, ok := t.ids[string(c)]; ok {
			t.model.bytes[b] = int32(id)
		}
	}
	return nil
}

// readEntry reads a token and its id, "token": id.
func readEntry(d *json.Decoder) (name string, id int, err error) {
	key, err := d.Token()
	if err != nil {
		return "", 0, notJSON(err)
	}
	name = key.(string) // the decoder lets no other key pass
	value, err := d.Token()
	if err != nil {
		return "", 0, notJSON(err)
	}
	if id, err = readID(value); err != nil {
		return "", 0, fmt.Errorf("token %s: %w", oneline.Quote(name), err)
	}
	return name, id, nil
}

func readID(value json.Token) (int, error) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("expected an id, found %s", oneline.Token(value))
	}
	id, err := n.Int64()
	if err != nil || id < 0 || id >= maxID {
		return 0, fmt.Errorf("expected an id from 0 to %d, found %s", maxID-1, oneline.Token(value))
	}
	return int(id), nil
}

// readMerges reads ["a b", …] or [["a", "b"], …].
func (t *Tokenizer) readMerges(ctx context.Context, raw []byte) error {
	rank := 0
	return stream(ctx, raw, '[', func(d *json.Decoder, i int) error {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return notJSON(err)
		}
		left, right, ok := mergeOf(one)
		if !ok {
			return fmt.Errorf("entry %d: expected two tokens as \"a b\" or [\"a\", \"b\"], found %s", i, jsonfile.Describe(one))
		}
		if strings.HasPrefix(left, "#version") && i == 0 {
			return nil
		}
		if err := t.merge(left, right, rank); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		rank++
		return nil
	})
}

func mergeOf(raw json.RawMessage) (left, right string, ok bool) {
	var text *string
	if json.Unmarshal(raw, &text) == nil && text != nil {
		return cutMerge(*text)
	}
	var pair []string // null in it is empty
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
		return "", "", false
	}
	return pair[0], pair[1], pair[0] != "" && pair[1] != ""
}

// cutMerge cuts "a b", which has one space.
func cutMerge(s string) (left, right string, ok bool) {
	left, right, ok = strings.Cut(s, " ")
	return left, right, ok && left != "" && right != "" && !strings.Contains(right, " ")
}

// merge adds one pair. One that is there twice has its later rank, as the
// reference implementation does it.
func (t *Tokenizer) merge(left, right string, rank int) error {
	a, okA := t.ids[left]
	b, okB := t.ids[right]
	to, okTo := t.ids[left+right]
	switch {
	case !okA:
		return fmt.Errorf("token %s is not in the vocabulary", oneline.Quote(left))
	case !okB:
		return fmt.Errorf("token %s is not in the vocabulary", oneline.Quote(right))
	case !okTo:
		return fmt.Errorf("token %s, merged of %s and %s, is not in the vocabulary", oneline.Quote(left+right), oneline.Quote(left), oneline.Quote(right))
	}
	t.model.merges[pair{int32(a), int32(b)}] = merged{int32(rank), int32(to)}
	return nil
}

// keepWhole makes words that are tokens skip the merging.
func (t *Tokenizer) keepWhole() {
	m := t.model
	m.words = make(map[string]int32, len(t.ids))
	for name, id := range t.ids {
		if bytes, ok := toBytes(name); ok {
			m.words[bytes] = int32(id)
			m.maxWhole = max(m.maxWhole, len(bytes))
		}
	}
}
