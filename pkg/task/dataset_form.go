package task

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// form is a way to write data sets.
type form string

const (
	autoCircuit form = "auto-circuit JSON"
	eapCSV      form = "EAP CSV"
	mibIOI      form = "MIB IOI rows"
	edgePruning form = "Edge-Pruning JSON lines"
)

// unknownForm is the error of a file that is none of the forms.
func unknownForm(found string) error {
	return fmt.Errorf("expected a data set as %s ({\"prompts\": [{\"clean\", \"corrupt\", …}]}), %s (columns clean, corrupted, …), "+
		"%s (\"prompt\", \"metadata\", \"s2_io_flip_counterfactual\") or %s (\"clean\", \"corrupted\"), found %s",
		autoCircuit, eapCSV, mibIOI, edgePruning, found)
}

// recognise tells the form of a text by how it begins.
func recognise(ctx context.Context, data []byte) (form, error) {
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(text) == 0:
		return "", unknownForm("nothing")
	case text[0] == '{':
		return recogniseObject(ctx, text, "a JSON object")
	case text[0] == '[':
		first := bytes.TrimLeft(text[1:], " \t\r\n")
		if len(first) == 0 || first[0] != '{' {
			return "", unknownForm("a JSON array of something else than objects")
		}
		f, err := recogniseObject(ctx, first, "a JSON array of objects")
		if f == autoCircuit {
			return "", unknownForm("a JSON array of objects with \"prompts\"")
		}
		return f, err
	}
	header, err := csv.NewReader(bytes.NewReader(text[:lineEnd(text)])).Read()
	if err != nil || len(header) < 2 {
		return "", unknownForm("text that begins with " + oneline.Quote(string(text[:lineEnd(text)])))
	}
	if slices.Contains(header, "clean") && slices.Contains(header, "corrupted") {
		return eapCSV, nil
	}
	return "", unknownForm("the columns " + listed(header))
}

// lineEnd is the length of the first line of a text.
func lineEnd(text []byte) int {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i
	}
	return len(text)
}

// recogniseObject tells the form by the keys of the first object, of which it
// reads as many as it needs: a circuit may hold NaN further on.
func recogniseObject(ctx context.Context, text []byte, what string) (form, error) {
	dec := json.NewDecoder(jsonfile.NewReader(ctx, text))
	if _, err := dec.Token(); err != nil {
		return "", notJSON(ctx, text, err)
	}
	seen := map[string]bool{}
	var keys []string
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return "", notJSON(ctx, text, err)
		}
		key := t.(string) // between values the decoder passes nothing else
		if !seen[key] {
			keys = append(keys, key)
		}
		seen[key] = true
		if f, err := formOf(seen); f != "" || err != nil {
			return f, err
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return "", notJSON(ctx, text, err)
		}
	}
	if len(keys) == 0 {
		return "", unknownForm(what + " without keys")
	}
	return "", unknownForm(what + " with " + listed(keys))
}

// notJSON says why a decoder could not read the first object of a text.
func notJSON(ctx context.Context, text []byte, err error) error {
	if _, why := jsonfile.Clean(ctx, text, jsonfile.Options{}); why != nil {
		return why
	}
	return err
}

// formOf is the form that keys decide, empty if they do not yet.
func formOf(keys map[string]bool) (form, error) {
	switch {
	case keys["prompts"]:
		return autoCircuit, nil
	case keys["cfg"], keys["nodes"]:
		return "", fmt.Errorf("expected a data set, found a circuit as MIB and EAP-IG write it (\"cfg\", \"nodes\", \"edges\"), which nothing here reads yet")
	case keys["graph"]:
		return "", fmt.Errorf("expected a data set, found a circuit of acdc (\"graph\", \"edges\")")
	case keys["prompt"] && (keys["metadata"] || keys["s2_io_flip_counterfactual"]):
		return mibIOI, nil
	case keys["clean"] && keys["corrupted"]:
		return edgePruning, nil
	}
	return "", nil
}

// binaryKind names a file that is no text by its first bytes, if it can.
func binaryKind(data []byte) string {
	for _, k := range []struct{ start, kind string }{
		{"PK\x03\x04", "a zip archive, perhaps a PyTorch or npz file"},
		{"\x1f\x8b", "a gzip file, which must be unpacked first"},
		{"PAR1", "a Parquet file"},
		{"ARROW1", "an Arrow file"},
		{"\x80\x02", "a Python pickle"},
		{"\x80\x04", "a Python pickle"},
		{"\x93NUMPY", "a NumPy file"},
		{"version https://git-lfs", "a Git LFS pointer to the file"},
		{"<!DOCTYPE", "an HTML page"},
		{"<html", "an HTML page"},
	} {
		if bytes.HasPrefix(data, []byte(k.start)) {
			return k.kind
		}
	}
	if len(data) > 9 && bytes.Equal(data[4:9], []byte("\x00\x00\x00\x00{")) {
		return "a safetensors file"
	}
	return ""
}

// maxListed bounds how many names an error lists.
const maxListed = 8

// listed lists names in quotes.
func listed(names []string) string {
	var b strings.Builder
	for i, n := range names {
		if i == maxListed {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(oneline.Quote(n))
	}
	return b.String()
}
