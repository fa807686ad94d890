package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// signs are phrases by which a licence is known: all of a row must be there.
// The first row that fits counts.
var signs = []struct {
	licence string
	phrases []string
}{
	{"FTL", []string{"FreeType", "subject to your choice of exactly one of"}},
	{"Apache-2.0", []string{"Apache License", "Version 2.0"}},
	{"EPL-1.0", []string{"Eclipse Public License", "v 1.0"}},
	{"MPL-2.0", []string{"Mozilla Public License", "2.0"}},
	{"CC-BY-4.0", []string{"Creative Commons Attribution 4.0"}},
	{"OFL-1.1", []string{"SIL OPEN FONT LICENSE Version 1.1"}},
	{"MIT", []string{"Permission is hereby granted, free of charge", "THE SOFTWARE IS PROVIDED"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute this software"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "Neither the name"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
}

// recognise names a licence by its text.
func recognise(text string) (string, error) {
	words := strings.Join(strings.Fields(text), " ")
	for _, s := range signs {
		fits := true
		for _, phrase := range s.phrases {
			fits = fits && strings.Contains(words, phrase)
		}
		if fits {
			return s.licence, nil
		}
	}
	return "", fmt.Errorf("a licence that is not known: expected one of those in licence.go, found %.60q", words)
}

// licenceOf reads the licence of a module in its folder, or the licences, where
// it has a file for its fonts too. Of FreeType's two the FreeType License is
// taken. A NOTICE is a part of the text.
func licenceOf(dir string) (licence, text string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	if err != nil || len(files) == 0 {
		return "", "", fmt.Errorf("%s: expected a file LICENSE, found none", filepath.Base(dir))
	}
	var names, texts []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", "", err
		}
		name, err := recognise(string(data))
		if err != nil {
			return "", "", fmt.Errorf("%s: %s: %w", filepath.Base(dir), filepath.Base(file), err)
		}
		names, texts = append(names, name), append(texts, string(data))
	}
	more := filepath.Join(dir, "NOTICE")
	if names[0] == "FTL" {
		more = filepath.Join(dir, "licenses", "ftl.txt")
	}
	rest, err := os.ReadFile(more)
	if err != nil && (names[0] == "FTL" || !os.IsNotExist(err)) {
		return "", "", err
	}
	return strings.Join(slices.Compact(names), " and "), clean(append(texts, string(rest))...), nil
}

// clean joins texts without blank space at the ends of their lines.
func clean(texts ...string) string {
	var lines []string
	for _, text := range texts {
		for line := range strings.Lines(strings.TrimRight(text, " \t\r\n\f") + "\n") {
			lines = append(lines, strings.TrimRight(line, " \t\r\n\f"))
		}
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
