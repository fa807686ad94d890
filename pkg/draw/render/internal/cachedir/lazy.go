package cachedir

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	_ "unsafe" // for go:linkname
)

// graphvizCode is the WebAssembly that go-graphviz compiles when it is
// initialised. Should go-graphviz give it another name, this is a variable of
// its own, empty, and nothing is saved at the start.
//
//go:linkname graphvizCode github.com/goccy/go-graphviz/internal/wasm.wasmFile
var graphvizCode []byte

// program is the one that draws in a process of its own: its main function
// calls render.ServeChild. Others that import render draw where they are.
const program = "github.com/seed-2c350065/acdc/cmd/acdc"

// inTests is the binary of tests that is that program too, where it is started
// under its name.
const inTests, itsName = "github.com/seed-2c350065/acdc/internal/cli.test", "acdc"

// ParentVar, in the environment, holds the process id of the program that
// started this process to draw.
const ParentVar = "ACDC_DRAWS_FOR"

// isLazy says that go-graphviz was given hollow code.
var isLazy bool

// IsLazy reports whether Graphviz is not loaded in this process, so that it
// must be asked in another.
func IsLazy() bool { return isLazy }

// IsChild reports whether this process was started by its parent to draw.
func IsChild() bool { return os.Getenv(ParentVar) == strconv.Itoa(os.Getppid()) }

// lazy gives go-graphviz hollow code where this process will not draw.
func lazy() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Path != program && (info.Path != inTests || filepath.Base(os.Args[0]) != itsName) || IsChild() {
		return false
	}
	code := hollow(graphvizCode)
	if code == nil {
		return false
	}
	graphvizCode = code
	return true
}
