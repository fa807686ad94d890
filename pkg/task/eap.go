package task

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// answerColumns lists the columns of EAP-IG's data that hold token numbers of
// right and wrong answers.
var answerColumns = [][2]string{
	{"correct_idx", "incorrect_idx"},
	{"country_idx", "corrupted_country_idx"},
	{"clean_answer_idx", "corrupted_answer_idx"},
	{"answers_idx", "corrupted_answers_idx"},
}

// plainColumns are those beside which a data set without answers has no others:
// the prompts, and the row numbers that pandas writes.
var plainColumns = []string{"", "Unnamed: 0", "index", "clean", "corrupted", "corrupted_hard"}

// eapTable is a CSV file being read.
type eapTable struct {
	rows           *csv.Reader
	header         []string
	clean, corrupt int      // columns of prompts
	correct, wrong int      // columns of token numbers, or -1
	year           int      // column of a year, or -1
	years          []Prompt // 00 to 99
}

// decodeEAP reads a data set of EAP and EAP-IG.
func decodeEAP(ctx context.Context, data []byte) ([]Pair, error) {
	t := eapTable{rows: csv.NewReader(bytes.NewReader(data))}
	var err error
	if t.header, err = t.rows.Read(); err != nil {
		return nil, csvError(err)
	}
	if err := t.findColumns(); err != nil {
		return nil, err
	}
	for y := range 100 {
		t.years = append(t.years, Prompt{Text: fmt.Sprintf("%02d", y)})
	}
	var pairs []Pair
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := t.rows.Read()
		if errors.Is(err, io.EOF) {
			return pairs, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		p, err := t.pair(row)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
}

// findColumns decides which columns hold the prompts.
func (t *eapTable) findColumns() error {
	for i, name := range t.header {
		if name != "" && slices.Contains(t.header[:i], name) {
			return fmt.Errorf("header: expected different columns, found %s twice", oneline.Quote(name))
		}
	}
	t.clean, t.corrupt = slices.Index(t.header, "clean"), slices.Index(t.header, "corrupted")
	if t.clean < 0 || t.corrupt < 0 {
		return fmt.Errorf("header: expected the columns \"clean\" and \"corrupted\", found %s", listed(t.header))
	}
	return t.findAnswers()
}

// findAnswers decides which columns hold the answers.
func (t *eapTable) findAnswers() error {
	t.correct, t.wrong, t.year = -1, -1, -1
	for _, c := range answerColumns {
		if i, j := slices.Index(t.header, c[0]), slices.Index(t.header, c[1]); i >= 0 && j >= 0 {
			t.correct, t.wrong = i, j
			return nil
		}
	}
	for _, name := range []string{"label", "correct_idx"} {
		if t.year = slices.Index(t.header, name); t.year >= 0 {
			return nil
		}
	}
	for _, name := range t.header {
		if !slices.Contains(plainColumns, name) {
			return fmt.Errorf("header: expected answers in a column \"label\" or \"correct_idx\", or token numbers in \"correct_idx\" and \"incorrect_idx\" or the like, found %s", listed(t.header))
		}
	}
	return nil
}

// pair reads one row.
func (t *eapTable) pair(row []string) (Pair, error) {
	size := 0
	for _, cell := range row {
		size += len(cell)
	}
	if size > maxLine {
		return Pair{}, t.errorf(t.clean, "expected a row of at most %d bytes, found %d", maxLine, size)
	}
	for _, i := range []int{t.clean, t.corrupt} {
		if row[i] == "" {
			return Pair{}, t.errorf(i, "expected text, found nothing")
		}
	}
	p := Pair{Clean: Prompt{Text: row[t.clean]}, Corrupt: Prompt{Text: row[t.corrupt]}, Called: t.called()}
	var err error
	switch {
	case t.year >= 0:
		err = t.yearAnswers(&p, row[t.year])
	case t.correct >= 0:
		if p.Correct, err = t.tokens(t.correct, row); err == nil {
			p.Wrong, err = t.tokens(t.wrong, row)
		}
	}
	return p, err
}

// called are the columns of the answers.
func (t *eapTable) called() (c Called) {
	switch {
	case t.year >= 0:
		c = Called{t.header[t.year], t.header[t.year]}
	case t.correct >= 0:
		c = Called{t.header[t.correct], t.header[t.wrong]}
	}
	return c
}

// yearAnswers makes the two-digit years after a year the right answers and the
// others, itself among them, the wrong ones.
func (t *eapTable) yearAnswers(p *Pair, cell string) error {
	y, err := strconv.ParseUint(strings.TrimSpace(cell), 10, 8)
	if err != nil || y >= uint64(len(t.years)-1) {
		return t.errorf(t.year, "expected a two-digit year from 0 to 98, found %s", oneline.Quote(cell))
	}
	p.Correct, p.Wrong = t.years[y+1:], t.years[:y+1:y+1]
	return nil
}

// tokens reads a cell with a token number or a list of them in brackets.
func (t *eapTable) tokens(column int, row []string) ([]Prompt, error) {
	cell := strings.TrimSpace(row[column])
	if inner, ok := strings.CutPrefix(cell, "["); ok && strings.HasSuffix(inner, "]") {
		cell = strings.TrimSuffix(inner, "]")
	}
	var out []Prompt
	for part := range strings.SplitSeq(cell, ",") {
		id, err := tokenNumber(strings.TrimSpace(part))
		if err != nil {
			return nil, t.errorf(column, "%w", err)
		}
		out = append(out, Prompt{IDs: []int{id}})
	}
	return out, nil
}

// errorf names line and column of the row that was read last.
func (t *eapTable) errorf(column int, format string, args ...any) error {
	line, _ := t.rows.FieldPos(column)
	return fmt.Errorf("line %d: column %q: %w", line, t.header[column], fmt.Errorf(format, args...))
}

// csvError is an error of the CSV reader in the words of this package.
func csvError(err error) error {
	var pe *csv.ParseError
	if !errors.As(err, &pe) {
		return err
	}
	if errors.Is(pe.Err, csv.ErrFieldCount) {
		return fmt.Errorf("line %d: expected as many columns as the header has, found another number", pe.Line)
	}
	return fmt.Errorf("line %d: expected CSV, found %w", pe.Line, pe.Err)
}
