// Package tokenizer turns text into token ids and back, with byte-level BPE as
// GPT-2, GPT-NeoX, Llama 3 and Qwen 2 use it, or with a vocabulary of whole words.
//
// A [Tokenizer] comes from [GPT2], whose vocabulary is part of the program,
// from [Open], which reads tokenizer.json or else vocab.json and merges.txt of
// a folder, or from [Read], which takes a tokenizer.json that is in memory.
// [Tokenizer.Encode] goes in these steps:
//
//  1. Added tokens, such as "<|endoftext|>", are cut out of the text.
//  2. The rest is normalized, if the file asks for it (NFC, NFD, NFKC, NFKD),
//     and the added tokens that want normalized text are cut out of that.
//  3. The pre-tokenizers cut the text into words: ByteLevel, Split, Digits and
//     sequences of them. No pattern can run away: the ones of GPT-2, Llama 3 and
//     Qwen 2 are written out by hand, any other one runs in the standard
//     library's engine, which does not backtrack, and a pattern which that
//     engine cannot express is refused.
//  4. A word's bytes are merged pair by pair, lowest rank first. With a WordLevel
//     model, whose tokens are words that stand in the byte alphabet as those of
//     BPE do, a word is its token or the unknown one.
//
// Everything else that a file may ask for, such as another model than
// these, another normalizer, pre-tokenizer or decoder, byte_fallback or dropout, is
// refused with an error that names it: ids that are slightly wrong would be
// worse than none. Post-processors only add tokens around a text; Encode adds
// none, and the first token of a template serves as [Tokenizer.BOS].
//
// Text should be UTF-8. Bytes that are not are kept: they count as symbols when
// the text is cut into words, and Decode gives them back. A byte that the
// vocabulary has no token for becomes the unknown token, or is dropped if the
// file names none, as the reference implementation does.
//
// The package does not know models, prompts or chat templates. It downloads
// nothing. A Tokenizer does not change and may be used by several goroutines.
//
// Letters, digits and spaces are those of the Go release's Unicode version. Up to
// that version every code point is of the class that the reference
// implementation gives it; a script that is newer is symbols to this package.
package tokenizer
