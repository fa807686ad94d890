package roc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// File is the curves of some methods on one task, as JSON. NaN and infinity
// never appear in it.
type File struct {
	Task     string  // empty where it is not known, as are the next
	Model    string  //
	Truth    string  // where the true circuit is from
	Counting Options // what is counted
	Curves   []Curve
}

// What the fields of a file are bounded by.
const (
	mostName   = 64 // bytes
	mostText   = 4096
	mostCurves = 1000
	mostPoints = 1 << 22 // of one curve
	mostParts  = 1 << 40 // of one circuit
)

// jsonFile is the file as it stands in JSON. What follows from other fields is
// written for other readers, and must agree when it is read.
type jsonFile struct {
	Task     string      `json:"task,omitempty"`
	Model    string      `json:"model,omitempty"`
	Truth    string      `json:"truth,omitempty"`
	Counting Options     `json:"counting"`
	Curves   []jsonCurve `json:"curves"`
}

type jsonCurve struct {
	Name        string      `json:"name"`
	Least       float64     `json:"least,omitempty"`
	InterpBench *float64    `json:"interpbench,omitempty"`
	Edges       *jsonAreas  `json:"edges"`
	Nodes       *jsonAreas  `json:"nodes"`
	Points      []jsonPoint `json:"points"`
}

type jsonAreas struct {
	Pessimistic float64 `json:"pessimistic"`
	Trapezoid   float64 `json:"trapezoid"`
}

type jsonPoint struct {
	Threshold *float64   `json:"threshold"`
	Edges     *jsonCount `json:"edges"`
	Nodes     *jsonCount `json:"nodes"`
}

type jsonCount struct {
	TruePositive  *int     `json:"true_positive"`
	FalsePositive *int     `json:"false_positive"`
	TrueNegative  *int     `json:"true_negative"`
	FalseNegative *int     `json:"false_negative"`
	TPR           *float64 `json:"tpr"`
	FPR           *float64 `json:"fpr"`
	Precision     *float64 `json:"precision"`
}

// Check refuses what no curves can be: an option that is none, names that
// cannot be seen or that two curves share, numbers out of range, and points of
// one file that count against different circuits.
func (f *File) Check() error {
	if err := f.Counting.Check(); err != nil {
		return fmt.Errorf("field \"counting\": %w", err)
	}
	for _, t := range []struct{ field, text string }{{"task", f.Task}, {"model", f.Model}, {"truth", f.Truth}} {
		if len(t.text) > mostText {
			return fmt.Errorf("field %q: expected at most %d bytes, found %d", t.field, mostText, len(t.text))
		}
	}
	if len(f.Curves) > mostCurves {
		return fmt.Errorf("field \"curves\": expected at most %d, found %d", mostCurves, len(f.Curves))
	}
	seen, first := map[string]bool{}, (*Point)(nil)
	for i, c := range f.Curves {
		if err := c.check(); err != nil {
			return fmt.Errorf("field \"curves\"[%d]: %w", i, err)
		}
		if seen[c.Name] {
			return fmt.Errorf("field \"curves\"[%d]: field \"name\": expected different names, found %s twice", i, oneline.Quote(c.Name))
		}
		seen[c.Name] = true
		for k := range c.Points {
			if first == nil {
				first = &c.Points[k]
			}
			if err := c.Points[k].like(first); err != nil {
				return fmt.Errorf("field \"curves\"[%d].\"points\"[%d]: %w", i, k, err)
			}
		}
	}
	return nil
}

// check refuses what no curve can be.
func (c *Curve) check() error {
	if c.Name == "" || len(c.Name) > mostName || strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("field \"name\": expected a name of 1 to %d bytes without control characters, found %s", mostName, oneline.Quote(c.Name))
	}
	if checkFinite(c.Least) != nil || c.Least < 0 {
		return fmt.Errorf("field \"least\": expected a number of at least 0, found %v", c.Least)
	}
	if a := c.InterpBench; a != nil && !(*a >= 0 && *a <= 1) {
		return fmt.Errorf("field \"interpbench\": expected a number from 0 to 1, found %v", *a)
	}
	if len(c.Points) > mostPoints {
		return fmt.Errorf("field \"points\": expected at most %d, found %d", mostPoints, len(c.Points))
	}
	for i, p := range c.Points {
		if err := p.check(); err != nil {
			return fmt.Errorf("field \"points\"[%d]: %w", i, err)
		}
	}
	return nil
}

// check refuses numbers that no comparison has.
func (p *Point) check() error {
	if err := checkFinite(p.Threshold); err != nil {
		return fmt.Errorf("field \"threshold\": %w", err)
	}
	for _, part := range Parts() {
		c := p.Of(part)
		for _, n := range []struct {
			field string
			count int
		}{
			{"true_positive", c.TruePositive}, {"false_positive", c.FalsePositive},
			{"true_negative", c.TrueNegative}, {"false_negative", c.FalseNegative},
		} {
			if n.count < 0 || n.count > mostParts {
				return fmt.Errorf("field %q: field %q: expected a whole number from 0 to %d, found %d", part, n.field, mostParts, n.count)
			}
		}
		if c.True() == 0 {
			return fmt.Errorf("field %q: expected a true circuit that has some, found one without", part)
		}
	}
	return nil
}

// like refuses a point that counts against another circuit than the first.
func (p *Point) like(first *Point) error {
	for _, part := range Parts() {
		a, b := p.Of(part), first.Of(part)
		if a.All() != b.All() || a.True() != b.True() {
			return fmt.Errorf("field %q: expected %d of which %d are true, as in the first point, found %d and %d", part, b.All(), b.True(), a.All(), a.True())
		}
	}
	return nil
}

// sound refuses to write what Check refuses; without a writer it panics.
func (f *File) sound(what string, w io.Writer) error {
	if w == nil {
		panic(fmt.Sprintf("roc: %s: no writer", what))
	}
	if err := f.Check(); err != nil {
		return fmt.Errorf("curves: %w", err)
	}
	return nil
}

// Encode writes the file as indented JSON, one point a line. What a terminal
// would obey is escaped.
func (f *File) Encode(w io.Writer) error {
	if err := f.sound("Encode", w); err != nil {
		return err
	}
	var b bytes.Buffer
	head := jsonFile{Task: f.Task, Model: f.Model, Truth: f.Truth, Counting: f.Counting}
	if err := tail(&b, head, "", "null\n}\n"); err != nil {
		return err
	}
	for i, c := range f.Curves {
		b.WriteString(separator(i) + "\n  ")
		areas := map[Part]*jsonAreas{}
		for _, of := range Parts() {
			areas[of] = &jsonAreas{c.Pessimistic(of), c.Trapezoid(of)}
		}
		if err := tail(&b, jsonCurve{c.Name, c.Least, c.InterpBench, areas[Edges], areas[Nodes], nil}, "  ", "null\n  }\n"); err != nil {
			return err
		}
		for k, p := range c.Points {
			line, err := json.Marshal(jsonPoint{&p.Threshold, p.Edges.json(), p.Nodes.json()})
			if err != nil {
				return fmt.Errorf("curves: %w", err)
			}
			b.WriteString(separator(k) + "\n    " + string(line))
		}
		b.WriteString(closing(len(c.Points), "   ") + "\n  }")
	}
	b.WriteString(closing(len(f.Curves), " ") + "\n}\n")
	_, err := w.Write(oneline.JSON(b.Bytes()))
	return err
}

// tail writes a value whose last field is an empty list, and leaves that list
// open.
func tail(b *bytes.Buffer, x any, indent, end string) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(indent, " ")
	if err := enc.Encode(x); err != nil {
		return fmt.Errorf("curves: %w", err)
	}
	b.Truncate(b.Len() - len(end))
	b.WriteString("[")
	return nil
}

// separator stands before an entry of a list.
func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

// closing ends a list of some entries.
func closing(entries int, indent string) string {
	if entries == 0 {
		return "]"
	}
	return "\n" + indent + "]"
}

// json is the counts with what follows from them.
func (c Count) json() *jsonCount {
	tpr, fpr, precision := c.TPR(), c.FPR(), c.Precision()
	return &jsonCount{&c.TruePositive, &c.FalsePositive, &c.TrueNegative, &c.FalseNegative, &tpr, &fpr, &precision}
}
