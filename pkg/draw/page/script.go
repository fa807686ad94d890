package page

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// files are the parts of every page.
//
//go:embed page.html page.css *.js d3/d3.js d3/LICENSE
var files embed.FS

// Modules lists the modules in the order in which they stand in the script: each
// behind those that it imports.
func Modules() []string {
	return []string{"state.js", "text.js", "dom.js", "names.js", "unpack.js", "reach.js", "layout.js", "scale.js", "zoom.js", "graph.js",
		"legend.js", "search.js", "details.js", "pattern.js", "prompts.js", "heads.js", "replay.js", "settings.js", "controls.js",
		"edits.js", "engine.js", "live.js", "main.js"}
}

var (
	imported = regexp.MustCompile(`(?m)^import [^;]*;\n`)
	exported = regexp.MustCompile(`(?m)^export `)
)

// script is d3 and the modules in one: as all names of modules differ, leaving
// out what they import and export makes one module of them.
var script = sync.OnceValue(func() string {
	var b strings.Builder
	fmt.Fprintf(&b, "/* d3-zoom 3.0.1 and d3-selection 3.0.1, under these licences:\n\n%s*/\n", strings.ReplaceAll(file("d3/LICENSE"), "*/", "* /"))
	b.WriteString(file("d3/d3.js"))
	for _, name := range Modules() {
		text := file(name)
		if i := strings.Index(text, "\n// ---\n"); i >= 0 { // notes for readers of the source
			text = text[i+len("\n// ---\n"):]
		}
		text = exported.ReplaceAllString(imported.ReplaceAllString(text, ""), "")
		fmt.Fprintf(&b, "\n/* %s */\n%s", name, text)
	}
	return b.String()
})

// file is one of the files that are part of the program.
func file(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic("page: " + err.Error()) // it is embedded
	}
	return string(text)
}
