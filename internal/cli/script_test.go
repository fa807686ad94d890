package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/draw/render"
)

// TestMain makes the whole program available to scripts and tests as a command
// acdc on the path, which draws in a process of its own, as the program does.
func TestMain(m *testing.M) {
	os.Unsetenv("COLUMNS") // which would break the lists that tests compare
	testscript.Main(m, map[string]func(){"acdc": func() {
		if render.IsChild() {
			if err := render.ServeChild(os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, "acdc:", err)
				os.Exit(1)
			}
			return
		}
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

// TestScripts runs the programs in testdata/script. Besides the usual commands
// they know those of scriptCommands; $GOLDEN is testdata/golden.
func TestScripts(t *testing.T) {
	cache := graphvizCache(t)
	hub := hubServer(t, false)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("GOLDEN", golden.Path())
			env.Setenv("XDG_CACHE_HOME", cache)
			env.Setenv("HF_HOME", filepath.Join(env.WorkDir, "huggingface"))
			env.Setenv("HF_ENDPOINT", hub.URL)
			return nil
		},
		Cmds: scriptCommands,
	})
}

// graphvizCache is where all scripts keep the compiled Graphviz, so that it is
// compiled at most once.
func graphvizCache(t *testing.T) string {
	if dir, err := os.UserCacheDir(); err == nil {
		return dir
	}
	return t.TempDir()
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"fails":    fails,
	"field":    field,
	"damage":   damageCommand,
	"makedata": makeDataCommand,
	"examples": examples,
	"count":    count,
}

// fails CODE REGEXP acdc ARGS...: the program ends with the code, nothing on
// standard output and exactly one line on standard error, which matches.
func fails(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: fails code regexp command [args]")
	}
	err := ts.Exec(args[2], args[3:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		ts.Fatalf("expected exit code %s, found %v", args[0], err)
	}
	if got := strconv.Itoa(exit.ExitCode()); got != args[0] {
		ts.Fatalf("expected exit code %s, found %s", args[0], got)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("expected nothing on standard output, found %q", out)
	}
	text := ts.ReadFile("stderr")
	if !strings.HasPrefix(text, "acdc: ") || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		ts.Fatalf("expected one line that begins with acdc:, found %q", text)
	}
	if !regexp.MustCompile(args[1]).MatchString(strings.TrimSuffix(text, "\n")) {
		ts.Fatalf("expected %q to match %q", text, args[1])
	}
}

// field FILE NAME VALUE: a field of a JSON object is the value, numbers within
// 1e-9. A name with dots leads into objects.
func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 && !(neg && len(args) == 2) {
		ts.Fatalf("usage: field file name value, or ! field file name")
	}
	var found any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &found))
	ok := false
	for _, name := range strings.Split(args[1], ".") {
		object, _ := found.(map[string]any)
		found, ok = object[name]
	}
	if neg {
		if ok {
			ts.Fatalf("expected no field %q, found %v", args[1], found)
		}
		return
	}
	text := fmt.Sprint(found)
	if x, isNumber := found.(float64); isNumber {
		want, err := strconv.ParseFloat(args[2], 64)
		ts.Check(err)
		if d := x - want; d > -1e-9 && d < 1e-9 {
			return
		}
	}
	if text != args[2] {
		ts.Fatalf("field %q: expected %s, found %s", args[1], args[2], text)
	}
}

// count FILE N REGEXP: as many lines of the file match.
func count(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: count file n regexp")
	}
	re, n := regexp.MustCompile(args[2]), 0
	for _, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		if line != "" && re.MatchString(line) {
			n++
		}
	}
	if strconv.Itoa(n) != args[1] {
		ts.Fatalf("expected %s lines that match %q, found %d", args[1], args[2], n)
	}
}

// examples runs the example of every command's help as a shell script, as it
// is printed.
func examples(ts *testscript.TestScript, _ bool, _ []string) {
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Example == "" {
			ts.Fatalf("%s --help has no example", c.CommandPath())
		}
		n++
		dir := fmt.Sprintf("example%d", n)
		script := fmt.Sprintf("set -e\n%smkdir %s\ncd %s\n%s\n", viewEnds, dir, dir, c.Example)
		if err := ts.Exec("sh", "-c", script); err != nil {
			ts.Fatalf("the example of %s --help fails: %v", c.CommandPath(), err)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(&app{stdout: &output{}}))
}

// viewEnds ends acdc view, which serves until it is ended, when it has printed its
// address; nothing is looked at before it has ended, so that it is never left running.
const viewEnds = `acdc() {
  if [ "$1" != view ]; then command acdc "$@"; return; fi
  rm -f address
  command acdc "$@" > address &
  for _ in $(seq 600); do if [ -s address ]; then break; fi; sleep 0.1; done
  kill -TERM $!
  wait $! || [ $? -gt 128 ]
  grep http://127.0.0.1 address
}
`

// Help of every command is complete and printed on standard output.
func TestHelpShowsExample(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{stdout: &output{}})
	for _, c := range root.Commands() {
		out, err := exec.Command("acdc", c.Name(), "--help").Output()
		require.NoError(t, err)
		require.Contains(t, string(out), strings.TrimSpace(c.Example))
		require.Contains(t, string(out), "Usage:\n  "+c.UseLine())
	}
}
