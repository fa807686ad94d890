package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Tokenizer turns text into token ids and back.
type Tokenizer struct {
	name      string
	raw       addedTokens // looked for in the text as it is
	normalize func(string) string
	normal    addedTokens // looked for in the normalized text
	split     splitter
	model     *bpe
	pieces    []piece // by id
	ids       map[string]int
	bos       int // -1: none

	splitSpecial bool // special tokens in a text are text
}

// piece is what an id stands for.
type piece struct {
	bytes string
	known bool
}

// Name returns the name or folder that the tokenizer was opened with, "gpt2"
// for the one of [GPT2].
func (t *Tokenizer) Name() string { return t.name }

// Vocab returns the largest id plus 1. Not every id below needs to be in use.
func (t *Tokenizer) Vocab() int { return len(t.pieces) }

// BOS returns the id of the token that begins a text, and whether there is one.
// For GPT-2 and GPT-NeoX it is "<|endoftext|>".
func (t *Tokenizer) BOS() (id int, ok bool) { return max(t.bos, 0), t.bos >= 0 }

// Encode returns the ids of a text. It adds no token of its own, such as a
// beginning or an end. Text that reads like an added token, such as
// "<|endoftext|>", becomes that token.
func (t *Tokenizer) Encode(text string) []int {
	e := encoding{model: t.model, seen: map[string][2]int{}}
	t.raw.cut(text, func(part string, id int) {
		if id >= 0 {
			e.ids = append(e.ids, id)
			return
		}
		if t.normalize != nil {
			part = t.normalize(part)
		}
		t.normal.cut(part, func(part string, id int) {
			if id >= 0 {
				e.ids = append(e.ids, id)
				return
			}
			t.split(part, e.word)
		})
	})
	return e.ids
}

// encoding collects the ids of one text.
type encoding struct {
	model *bpe
	ids   []int
	seen  map[string][2]int // where the ids of an earlier equal word stand in ids
	use   scratch
}

// maxSeen bounds the words that an encoding remembers.
const maxSeen = 1 << 16

func (e *encoding) word(word string) {
	if word == "" {
		return
	}
	if id, ok := e.model.whole(word); ok {
		e.ids = append(e.ids, id)
		return
	}
	if at, ok := e.seen[word]; ok {
		e.ids = append(e.ids, e.ids[at[0]:at[1]]...)
		return
	}
	start := len(e.ids)
	e.ids = e.model.merge(e.ids, word, &e.use)
	if len(e.seen) < maxSeen {
		e.seen[word] = [2]int{start, len(e.ids)}
	}
}

// Decode returns the text of ids. Tokens are put together byte by byte, so that
// what [Tokenizer.Encode] cut inside a character is whole again, and ids that
// end inside a character give text that is not UTF-8. An id that the vocabulary
// does not have becomes U+FFFD.
func (t *Tokenizer) Decode(ids []int) string {
	var b strings.Builder
	for _, id := range ids {
		if p := t.piece(id); p.known {
			b.WriteString(p.bytes)
		} else {
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// Token returns the text of one token, to be shown. Bytes that are no whole
// character are written as \xe2, and an id that the vocabulary does not have as
// its number in brackets, [50300].
func (t *Tokenizer) Token(id int) string {
	p := t.piece(id)
	if !p.known {
		return fmt.Sprintf("[%d]", id)
	}
	if utf8.ValidString(p.bytes) {
		return p.bytes
	}
	var b strings.Builder
	for rest := p.bytes; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		} else {
			b.WriteString(rest[:n])
		}
		rest = rest[n:]
	}
	return b.String()
}

func (t *Tokenizer) piece(id int) piece {
	if id < 0 || id >= len(t.pieces) {
		return piece{}
	}
	return t.pieces[id]
}

// set says what an id stands for. The id was checked against [maxID].
func (t *Tokenizer) set(id int, name, bytes string) {
	if id >= len(t.pieces) {
		t.pieces = slices.Grow(t.pieces, id+1-len(t.pieces))[:id+1]
	}
	t.pieces[id] = piece{bytes, true}
	t.ids[name] = id
}
