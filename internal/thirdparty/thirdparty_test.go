package main

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListIsCurrent(t *testing.T) {
	want, err := list()
	require.NoError(t, err)
	found, err := os.ReadFile(filepath.Join("..", "..", "docs", "THIRD_PARTY"))
	require.NoError(t, err)
	assert.Equal(t, string(want), strings.ReplaceAll(string(found), "\r\n", "\n"), "docs/THIRD_PARTY is out of date: make third-party")
}

// What the linker put into the program is in the list, module by module.
func TestListHasWhatTheBinaryHas(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	binary := filepath.Join(t.TempDir(), "acdc")
	out, err := exec.Command("go", "build", "-o", binary, program).CombinedOutput()
	require.NoError(t, err, string(out))
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	all, err := packages()
	require.NoError(t, err)
	found, err := modules(all)
	require.NoError(t, err)
	listed := map[string]string{}
	for _, p := range found {
		listed[p.name] = p.version
	}
	require.NotEmpty(t, info.Deps)
	for _, m := range info.Deps {
		assert.Equal(t, m.Version, listed[m.Path], m.Path)
	}
}

func TestLicencesAreKnownByTheirText(t *testing.T) {
	const mit = "Permission is hereby granted, free of\ncharge, to any person\n\nTHE  SOFTWARE IS PROVIDED \"AS IS\""
	const bsd = "Redistribution and use in source and\n binary forms, with or without modification"
	for want, text := range map[string]string{
		"MIT": mit, "BSD-2-Clause": bsd, "BSD-3-Clause": bsd + "\n * Neither the name of X",
		"Apache-2.0": "Apache License\n   Version 2.0, January 2004", "EPL-1.0": "Eclipse Public License - v 1.0",
		"ISC": "Permission to use, copy, modify, and/or distribute this software for any purpose",
		"FTL": "Use of the Freetype-Go software: FreeType: subject to your choice of exactly one of\nthe following; see BSD",
	} {
		found, err := recognise(text)
		require.NoError(t, err, want)
		assert.Equal(t, want, found)
	}
	_, err := recognise("All rights reserved. Do not\ncopy.")
	assert.EqualError(t, err, `a licence that is not known: expected one of those in licence.go, found "All rights reserved. Do not copy."`)
}

func TestWhatNobodyToldOfIsRefused(t *testing.T) {
	_, _, err := licenceOf(t.TempDir())
	assert.ErrorContains(t, err, "expected a file LICENSE, found none")
	all, err := packages()
	require.NoError(t, err)
	embedding := 0
	for _, p := range all {
		if p.Standard || len(p.EmbedFiles) == 0 {
			continue
		}
		embedding++
		module := *p.Module
		module.Path += "/other"
		p.ImportPath, p.Module = p.ImportPath+"/other", &module
		assert.ErrorContains(t, knownEmbeds(p), "expected a package listed in embedded.go")
	}
	assert.GreaterOrEqual(t, embedding, 4)
}

// The copyleft parts say where their source is, and every part a licence.
func TestEveryPartIsTold(t *testing.T) {
	found, err := parts()
	require.NoError(t, err)
	names := map[string]part{}
	for _, p := range found {
		names[p.name] = p
		assert.NotEmpty(t, p.licence, p.name)
		assert.NotEmpty(t, p.version, p.name)
		assert.Regexp(t, `^https://`, p.from, p.name)
		assert.True(t, p.text != "" || p.note != "", p.name)
	}
	for name, licence := range map[string]string{"Go": "BSD-3-Clause", "Graphviz": "EPL-1.0", "github.com/golang/freetype": "FTL", "Go fonts": "BSD-3-Clause", "GPT-2's vocabulary": "MIT"} {
		assert.Equal(t, licence, names[name].licence, name)
	}
	assert.Regexp(t, regexp.MustCompile(`graphviz/-/tree/\d+\.\d+\.\d+$`), names["Graphviz"].from)
	assert.Contains(t, names["github.com/golang/freetype"].text, "The FreeType Project LICENSE")
}
