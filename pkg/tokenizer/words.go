package tokenizer

import (
	"context"
	"encoding/json"
	"fmt"
)

// The parts of a word-level tokenizer.json: text is cut as for GPT-2, but that
// numbers are cut into pairs of digits; what is cut is one token.
const (
	wordsCut = `{"type":"Sequence","pretokenizers":[
   {"type":"Split","pattern":{"Regex":" ?[0-9]{2}"},"behavior":"Isolated","invert":false},
   {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]}`
	wordsBegin   = "<|endoftext|>"
	wordsUnknown = "<unk>"
)

// WordLevel makes the tokenizer.json of a vocabulary of whole words: those that
// the texts are cut into, in the order in which they come first, after
// <|endoftext|>, which begins a text, and <unk>, which a word becomes that is
// not among them.
func WordLevel(texts []string) ([]byte, error) {
	p := pipeline{ctx: context.Background()}
	if err := p.preTokenizer(json.RawMessage(wordsCut)); err != nil {
		return nil, err
	}
	vocab := []string{wordsBegin, wordsUnknown}
	seen := map[string]bool{}
	for _, text := range texts {
		p.split(text, func(word string) {
			if word != "" && !seen[word] {
				seen[word] = true
				vocab = append(vocab, toChars(word))
			}
		})
	}
	if len(vocab) > maxID {
		return nil, fmt.Errorf("expected at most %d words, found %d", maxID, len(vocab))
	}
	return wordsJSON(vocab)
}

// wordsJSON writes the file, a token a line.
func wordsJSON(vocab []string) ([]byte, error) {
	out := fmt.Appendf(nil, `{
 "version": "1.0",
 "added_tokens": [{"id": 0, "content": %q, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
 "normalizer": null,
 "pre_tokenizer": %s,
 "post_processor": {"type": "TemplateProcessing",
  "single": [{"SpecialToken": {"id": %[1]q, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
  "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
  "special_tokens": {%[1]q: {"id": %[1]q, "ids": [0], "tokens": [%[1]q]}}},
 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
 "model": {"type": "WordLevel", "unk_token": %[3]q, "vocab": {`, wordsBegin, wordsCut, wordsUnknown)
	for id, word := range vocab {
		name, err := json.Marshal(word)
		if err != nil {
			return nil, err
		}
		if id > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "\n   %s: %d", name, id)
	}
	return append(out, "}}}\n"...), nil
}
