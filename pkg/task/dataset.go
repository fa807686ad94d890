package task

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// What is longer was not meant to be read.
const (
	maxFile = 256 << 20 // bytes of a data set
	maxLine = 1 << 24   // bytes of one of its lines or rows
)

// ReadPairs reads a data set of another tool, of one of these forms, which it
// tells apart by what the file holds:
//
//   - auto-circuit JSON: {"prompts": [{"clean", "corrupt", "answers",
//     "wrong_answers"}]}, each prompt and answer a text or, instead, numbers of
//     tokens; what else there is ("seq_labels", "word_idxs") is left alone;
//   - EAP CSV: columns clean and corrupted, and label (a two-digit year, after
//     which the right answers lie) or the token numbers of the answers in
//     correct_idx and incorrect_idx or columns of the like; see [DecodePairs];
//   - MIB IOI rows: JSON lines with "prompt", "metadata" and
//     "s2_io_flip_counterfactual";
//   - Edge-Pruning JSON lines: "clean" and "corrupted" with
//     <predict>…</predict> around the answer.
//
// Another form is an error that lists these and says what was found. What does
// not come, as through a pipe, is waited for until ctx ends.
func ReadPairs(ctx context.Context, path string) ([]Pair, error) {
	data, err := jsonfile.ReadFile(ctx, path, "a data set", maxFile)
	if err != nil {
		return nil, err
	}
	return DecodePairs(ctx, path, data)
}

// DecodePairs is [ReadPairs] of a file that is already in memory. The name
// appears in errors only.
//
// Answers of a CSV are, in this order: the columns correct_idx and
// incorrect_idx, country_idx and corrupted_country_idx, clean_answer_idx and
// corrupted_answer_idx, answers_idx and corrupted_answers_idx (token numbers,
// or lists of them in brackets), label, or correct_idx alone. The last two are
// a two-digit year YY: the texts of the years after it are right, those of 00
// to YY wrong. The corruption is the column corrupted; corrupted_hard is left
// alone.
//
// Rows may also stand in one JSON array instead of one a line.
func DecodePairs(ctx context.Context, name string, data []byte) ([]Pair, error) {
	pairs, err := decodePairs(ctx, data)
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return pairs, nil
}

func decodePairs(ctx context.Context, data []byte) ([]Pair, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("expected a data set of at most %d bytes, found more", maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark that spreadsheets write
	if kind := binaryKind(data); kind != "" {
		return nil, unknownForm(kind)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("expected UTF-8 text, found other bytes at byte %d", invalidAt(data))
	}
	f, err := recognise(ctx, data)
	if err != nil {
		return nil, err
	}
	pairs, err := f.decode(ctx, data)
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("expected at least one prompt, found none")
	}
	return pairs, nil
}

// decode reads a data set of the form.
func (f form) decode(ctx context.Context, data []byte) ([]Pair, error) {
	switch f {
	case autoCircuit:
		return decodeAutoCircuit(ctx, data)
	case eapCSV:
		return decodeEAP(ctx, data)
	case mibIOI:
		return decodeRows(ctx, data, mibPair)
	}
	return decodeRows(ctx, data, edgePruningPair)
}

// invalidAt returns where the first bytes stand that are no UTF-8.
func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return len(data)
}
