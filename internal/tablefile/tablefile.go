// Package tablefile writes tables whose columns are the fields of a struct: a
// field's name in the files is its json tag, what it means its about tag. CSV
// and JSON come from the same list, so that no file has a column of its own.
package tablefile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// Column is a column of a table.
type Column struct{ Name, About string }

// Of lists the columns of rows of a struct, in their order.
func Of[T any]() []Column {
	t := reflect.TypeFor[T]()
	out := make([]Column, t.NumField())
	for i := range out {
		out[i] = Column{t.Field(i).Tag.Get("json"), t.Field(i).Tag.Get("about")}
	}
	return out
}

// cells are a row's values as CSV has them, empty where a pointer is nil.
func cells(row any) []string {
	v := reflect.ValueOf(row)
	out := make([]string, v.NumField())
	for i := range out {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		if out[i] = fmt.Sprint(f.Interface()); f.Kind() == reflect.Float64 {
			out[i] = strconv.FormatFloat(f.Float(), 'g', -1, 64)
		}
	}
	return out
}

// Format is a way to write rows.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl" // a JSON object a line
	JSON  Format = "json"  // one array of them
)

// Formats lists the formats.
func Formats() []Format { return []Format{CSV, JSONL, JSON} }

// Encode is rows in a format, CSV with a head.
func Encode[T any](rows []T, format Format) ([]byte, error) {
	var b bytes.Buffer
	switch format {
	case JSONL:
		for _, r := range rows {
			line, err := jsonfile.Encode(r, "")
			if err != nil {
				return nil, err
			}
			b.Write(line)
		}
		return b.Bytes(), nil
	case JSON:
		return jsonfile.Encode(append([]T{}, rows...), " ") // no rows are no null
	}
	err := writeCSV(&b, rows)
	return b.Bytes(), err
}

func writeCSV[T any](w io.Writer, rows []T) error {
	var head []string
	for _, c := range Of[T]() {
		head = append(head, c.Name)
	}
	lines := [][]string{head}
	for _, r := range rows {
		lines = append(lines, cells(r))
	}
	return csv.NewWriter(w).WriteAll(lines)
}
