// Package cachedir gives go-graphviz a private folder to keep its compiled
// code in, before go-graphviz looks for one.
//
// go-graphviz compiles Graphviz from WebAssembly to machine code in a package
// init, and keeps the code in "go-graphviz" under os.TempDir. Left alone, that
// folder belongs to the machine's first user: every other user's process
// panics before main, and loads machine code from a path that anyone can
// guess. The folder cannot be set, so this package points TMPDIR at one of the
// user's own while go-graphviz initialises; package render calls Restore right
// after.
//
// # The order of initialisation
//
// Go initialises, again and again, the first package by import path whose
// imports are all initialised. This package imports nothing but parts of the
// standard library that wazero (github.com/tetratelabs/wazero, without which
// go-graphviz cannot begin) imports too, and its path sorts before wazero's.
// So whenever wazero could begin, this package could, and goes first. Add no
// imports that wazero lacks; package render tests the order.
//
// # Which folder
//
// The folder is used only if nobody else can have written to it: it belongs to
// the user, the folders above it to the user or to root, and none is writable
// for others (unless sticky, as /tmp is). The first such of
//
//  1. acdc/graphviz under os.UserCacheDir,
//  2. acdc-cache-<uid> under os.TempDir
//
// serves. Where there is none, or the disk is full, go-graphviz is given a
// folder that cannot exist; it then compiles in memory, half a second every
// time, and stores nothing.
//
// # Where Graphviz is not loaded
//
// Even code that is kept takes go-graphviz 25 milliseconds to load, in every
// process. The program acdc draws in a process of its own (package render), and
// loads Graphviz nowhere else: there go-graphviz is given a hollow module
// (hollow.go), which offers the same functions, does nothing, and is compiled in
// two milliseconds. That takes the name of a variable of go-graphviz's (lazy.go);
// under another name everything works as without it, only slower, and a test of
// package render fails.
package cachedir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

var (
	before   string // tempVar's value before init
	wasSet   bool
	isOurs   bool   // tempVar is the one set here
	cacheDir string // what go-graphviz was given; "" for none
)

func init() {
	before, wasSet = os.LookupEnv(tempVar)
	if isLazy = lazy(); !isLazy {
		cacheDir = choose()
	}
	where := cacheDir
	if where == "" {
		where = filepath.Join(os.DevNull, "none") // no folder can be made in a file
	}
	isOurs = os.Setenv(tempVar, where) == nil
}

// Restore puts the environment back as it was and notes that what is in the
// cache now works. To be called once go-graphviz is initialised.
func Restore() {
	if isOurs {
		isOurs = false
		if wasSet {
			os.Setenv(tempVar, before)
		} else {
			os.Unsetenv(tempVar)
		}
	}
	if cacheDir != "" {
		writeStamp(cacheDir)
	}
}

// Dir is the folder that go-graphviz was given, "" if none was safe.
func Dir() string { return cacheDir }

func choose() string {
	var candidates []string
	if dir, err := os.UserCacheDir(); err == nil {
		candidates = append(candidates, filepath.Join(dir, "acdc", "graphviz"))
	}
	if name := sharedName(); name != "" {
		candidates = append(candidates, filepath.Join(os.TempDir(), name))
	}
	for _, dir := range candidates {
		if dir = private(dir); dir != "" && usable(dir) {
			return dir
		}
	}
	return ""
}

// private makes the folder if need be and returns its path without symbolic
// links, or "" if someone else could write to it. What belongs to someone else
// is left as it is found.
func private(dir string) string {
	if !filepath.IsAbs(dir) {
		return ""
	}
	exists := dir
	for {
		if _, err := os.Lstat(exists); err == nil || exists == filepath.Dir(exists) {
			break
		}
		exists = filepath.Dir(exists)
	}
	if exists != dir && !safe(exists, false) || os.MkdirAll(dir, 0o700) != nil || !safe(dir, true) {
		return ""
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return ""
	}
	return dir
}

// safe reports whether only the user (or root) can write to a folder or put
// another in its place.
func safe(dir string, isLeaf bool) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !trusted(info, isLeaf) {
			return false
		}
		isLeaf = false
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// stamp is the file that lists the compiled code after a start that worked.
const stamp = "complete"

// usable reports whether the folder can serve. wazero panics over a damaged
// file and where it cannot write one, so files that are not as they were after
// the last good start are removed, and an empty cache is tried first.
func usable(dir string) bool {
	data, _ := os.ReadFile(filepath.Join(dir, stamp))
	known := map[string]bool{}
	for _, line := range strings.Split(string(data), "\n") {
		known[line] = true
	}
	isWarm := false
	for path, line := range compiled(dir) {
		if known[line] {
			isWarm = true
		} else {
			os.Remove(path)
		}
	}
	return isWarm || writable(dir)
}

// compiled maps the path of each file of compiled code to its line in the
// stamp. Files that another process is about to write do not count.
func compiled(dir string) map[string]string {
	files := map[string]string{}
	top := filepath.Join(dir, "go-graphviz")
	versions, _ := os.ReadDir(top)
	for _, v := range versions {
		entries, _ := os.ReadDir(filepath.Join(top, v.Name()))
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || info.Mode()&fs.ModeType != 0 || strings.HasSuffix(e.Name(), ".tmp") {
				continue
			}
			name := filepath.Join(v.Name(), e.Name())
			files[filepath.Join(top, name)] = name + " " + strconv.FormatInt(info.Size(), 10)
		}
	}
	return files
}

// writeStamp notes the compiled code if it is not what was noted before.
func writeStamp(dir string) {
	old, _ := os.ReadFile(filepath.Join(dir, stamp))
	var lines []string
	isNew := false
	for _, line := range compiled(dir) {
		lines = append(lines, line)
		isNew = isNew || !strings.Contains(string(old), line+"\n")
	}
	if isNew {
		os.WriteFile(filepath.Join(dir, stamp), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	}
}

// room is more than the compiled code takes, which is 6 MB.
const room = 10 << 20

// writable reports whether there is room for the compiled code.
func writable(dir string) bool {
	f, err := os.CreateTemp(dir, "probe*.tmp")
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, room))
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err == nil
}
