package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// own are the packages of this project whose embedded files are its own.
var own = []string{"pkg/rasp/programs", "pkg/task", "pkg/zoo"}

// covered are the modules whose licences speak of what their packages embed.
var covered = []string{
	"codeberg.org/go-fonts/liberation", // the fonts, by LICENSE-SIL
	"codeberg.org/go-pdf/fpdf",         // tables of the widths and codes of letters
	"gonum.org/v1/plot",                // the same
}

// foreign are the packages with something in them that their module's licence
// does not speak of.
var foreign = map[string]func(dir string) ([]part, error){
	"github.com/seed-2c350065/acdc/pkg/draw/page": d3,
	"github.com/goccy/go-graphviz/internal/wasm":  graphviz,
	"golang.org/x/image/font/gofont/goregular":    goFonts,
	"github.com/seed-2c350065/acdc/pkg/tokenizer": vocabulary,
}

// parts lists all that is in the program, Go itself first.
func parts() ([]part, error) {
	all, err := packages()
	if err != nil {
		return nil, err
	}
	found, err := modules(all)
	if err != nil {
		return nil, err
	}
	standard := part{name: "Go", version: "the compiler's", licence: "BSD-3-Clause", from: "https://go.dev", note: "runtime and standard library."}
	for _, p := range found {
		if p.name == "golang.org/x/sys" {
			standard.text = p.text // the Go authors' own, to the letter
		}
	}
	found = append([]part{standard}, found...)
	for _, p := range all {
		if p.Standard {
			continue
		}
		special := foreign[p.ImportPath]
		if special == nil {
			if err := knownEmbeds(p); err != nil {
				return nil, err
			}
			continue
		}
		dir := filepath.Join(p.Module.Dir, filepath.FromSlash(strings.TrimPrefix(p.ImportPath, p.Module.Path)))
		more, err := special(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
		found = append(found, more...)
	}
	return found, nil
}

// knownEmbeds refuses embedded files of which nobody has said what they are.
func knownEmbeds(p linked) error {
	for _, name := range own {
		if p.Module.Main && p.ImportPath == p.Module.Path+"/"+name {
			return nil
		}
	}
	if len(p.EmbedFiles) > 0 && !slices.Contains(covered, p.Module.Path) {
		return fmt.Errorf("%s embeds %s: expected a package listed in embedded.go", p.ImportPath, strings.Join(p.EmbedFiles, ", "))
	}
	return nil
}

// graphviz tells of the C code that go-graphviz holds as WebAssembly, with the
// versions that it was built from.
func graphviz(dir string) ([]part, error) {
	version, err := os.ReadFile(filepath.Join(dir, "..", "..", "graphviz.version"))
	if err != nil {
		return nil, err
	}
	recipe, err := os.ReadFile(filepath.Join(dir, "build", "Dockerfile"))
	if err != nil {
		return nil, err
	}
	expat := regexp.MustCompile(`expat-([0-9.]+)\.tar`).FindSubmatch(recipe)
	sdk := regexp.MustCompile(`wasi-sdk:wasi-sdk-([0-9]+)`).FindSubmatch(recipe)
	if expat == nil || sdk == nil {
		return nil, fmt.Errorf("build/Dockerfile: expected the versions of expat and wasi-sdk")
	}
	number := strings.TrimSpace(string(version))
	return []part{
		{name: "Graphviz", version: number, licence: "EPL-1.0", from: "https://gitlab.com/graphviz/graphviz/-/tree/" + number,
			note: "as WebAssembly inside go-graphviz, which builds it. The Eclipse Public License 1.0 is at\n" +
				"https://www.eclipse.org/legal/epl-v10.html; the source code is at the address above."},
		{name: "Expat", version: string(expat[1]), licence: "MIT", from: "https://github.com/libexpat/libexpat", note: "in Graphviz's WebAssembly."},
		{name: "wasi-libc", version: "of wasi-sdk " + string(sdk[1]), licence: "MIT AND BSD-2-Clause AND Apache-2.0 WITH LLVM-exception",
			from: "https://github.com/WebAssembly/wasi-libc", note: "the C library in Graphviz's WebAssembly."},
	}, nil
}

// goFonts tells of the fonts in which PNGs are written.
func goFonts(dir string) ([]part, error) {
	text, err := os.ReadFile(filepath.Join(dir, "..", "ttfs", "README"))
	if err != nil {
		return nil, err
	}
	licence, err := recognise(string(text))
	return []part{{name: "Go fonts", version: "of golang.org/x/image", licence: licence, from: "https://go.dev/blog/go-fonts",
		note: "in which PNG pictures are written.", text: clean(string(text))}}, err
}

// d3 tells of what pages pan and zoom with.
func d3(dir string) ([]part, error) {
	text, err := os.ReadFile(filepath.Join(dir, "d3", "LICENSE"))
	if err != nil {
		return nil, err
	}
	return []part{{name: "d3-zoom, d3-selection", version: "3.0.1", licence: "ISC AND BSD-3-Clause", from: "https://github.com/d3", text: clean(string(text)),
		note: "in the pages that the program writes, with the parts of d3 that they need; the folder\npkg/draw/page/d3 says how they were bundled."}}, nil
}

// vocabulary tells of GPT-2's.
func vocabulary(string) ([]part, error) {
	return []part{{name: "GPT-2's vocabulary", version: "2019", licence: "MIT", from: "https://github.com/openai/gpt-2",
		note: "Copyright (c) 2019 OpenAI. The MIT licence as OpenAI modified it: the notice\n" +
			"need not stand with what is made with the software."}}, nil
}
