// Command thirdparty lists what the program acdc is made of besides this
// project's own code, and under which licences: make third-party writes it to
// docs/THIRD_PARTY.
//
// The steps:
//
//  1. modules asks the go command which modules the packages linked into
//     cmd/acdc come from, on every platform it is built for;
//  2. licenceOf finds each module's licence and names it by its text
//     (licence.go);
//  3. parts adds what no module tells of: the C code inside go-graphviz, the
//     fonts and the vocabulary that are embedded (embedded.go); an embedded
//     file that is not known is an error;
//  4. the list is written as a table, the texts of the licences behind it.
//
// It needs the modules' files, which any build needs, and no network.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"strings"
)

// part is something that is in the binary.
type part struct {
	name, version string
	licence       string // SPDX identifier
	from          string // where its source can be had
	note          string
	text          string // of the licence, with the copyright
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("thirdparty: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: thirdparty FILE")
	}
	text, err := list()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], text, 0o644); err != nil {
		log.Fatal(err)
	}
}

const head = `What the program acdc contains besides its own code, which is under the MIT
licence. Made by: make third-party. A test fails while it is out of date.

`

// list returns the whole file.
func list() ([]byte, error) {
	found, err := parts()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(head)
	rows := [][]string{{"PART", "VERSION", "LICENCE", "SOURCE"}}
	for _, p := range found {
		rows = append(rows, []string{p.name, p.version, p.licence, p.from})
	}
	writeTable(&b, rows)
	for _, p := range found {
		if p.note != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", p.name, p.note)
		}
	}
	for _, group := range byText(found) {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 78), strings.Join(group.names, ", "), group.text)
	}
	return b.Bytes(), nil
}

// writeTable writes rows in columns as wide as their widest cell.
func writeTable(b *bytes.Buffer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", width[i], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// group is one licence's text and the parts that it is of.
type group struct {
	names []string
	text  string
}

// byText puts parts with the same text together, in the order of the list.
func byText(parts []part) []*group {
	var out []*group
	at := map[string]*group{}
	for _, p := range parts {
		if p.text == "" {
			continue
		}
		if at[p.text] == nil {
			at[p.text] = &group{text: p.text}
			out = append(out, at[p.text])
		}
		at[p.text].names = append(at[p.text].names, p.name)
	}
	return out
}
