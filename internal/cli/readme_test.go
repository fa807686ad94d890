package cli

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/ablate"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover/acdc"
	"github.com/seed-2c350065/acdc/pkg/metric"
)

var updateReadme = flag.Bool("update", false, "write the outputs in README.md and docs and their pictures anew")

// notRun are the commands that pages show, indented, but that this test does
// not run: they need the network, or are the tests themselves.
var notRun = []string{
	"go run ./cmd/acdc discover --task induction",
	"go test ./...",
	"go test -v ./pkg/discover/acdc -run Golden",
	"go install " + module + "/cmd/acdc@latest",
	"acdc pull gpt2",
	"acdc view circuit.json -o edited.json", // until it is stopped; view_test.go does
	"acdc view --task induction --open",
	"acdc sweep --task induction --metric nll --algorithm acdc,eap,eap-ig,hisp,sp,edge-pruning --thresholds log:0.001:10:20 --dir runs -o pareto.svg",
	"acdc discover --task ioi --plan",
	"acdc discover --task ioi -o found.svg -o found.json",
	`acdc predict --circuit found.json --prompt "Then, Ruth and Amy went to the hotel. Amy gave a bottle to" --corrupt "Then, Karen and Andrea went to the hotel. Monica gave a bottle to"`,
}

const module = "github.com/seed-2c350065/acdc"

// TestReadmeCommands runs every command of every page, in the order of the page
// and in one folder for each, beside a link to testdata as in a clone, and
// compares what they print with what the page says they do.
func TestReadmeCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("runs some thirty discoveries")
	}
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runPage(t, name, page)
		})
	}
}

func runPage(t *testing.T, name, page string) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink(top("testdata"), filepath.Join(dir, "testdata")))
	all, updated := blocks(t, name, page), page
	for i, b := range all {
		switch b.language {
		case "python":
			runPython(t, dir, b.text)
		case "sh":
			if _, err := exec.LookPath("jq"); err != nil && strings.Contains(b.text, "jq ") {
				t.Logf("no jq here: not run: %s", b.text)
				continue
			}
			out := runShell(t, dir, b.text)
			if i+1 == len(all) || all[i+1].language != "text" {
				assert.NotContains(t, out, "edges       0 of", "an example should find a circuit: %s", b.text)
				continue
			}
			difference := differ(t, all[i+1].text, out)
			if difference != "" && *updateReadme {
				command := "```sh\n" + b.text + "```\n\n```text\n"
				updated = strings.Replace(updated, command+all[i+1].text, command+out, 1)
				continue
			}
			assert.Empty(t, difference, "%s(go test ./internal/cli -run Readme -update writes the page anew)", b.text)
		}
	}
	if *updateReadme {
		require.NoError(t, os.WriteFile(top(filepath.FromSlash(name)), []byte(updated), 0o644))
	}
	for _, picture := range drawn[name] {
		data, err := os.ReadFile(filepath.Join(dir, picture))
		require.NoError(t, err)
		if *updateReadme {
			require.NoError(t, os.WriteFile(top("docs", picture), data, 0o644))
		}
		samePicture(t, dir, picture)
	}
}

// Nothing that a page shows escapes the tests: outputs stand behind what prints
// them, and what is not run is known.
func TestReadmeBlocksAreAllAccountedFor(t *testing.T) {
	ran, shown := 0, map[string]bool{}
	for name, page := range pages(t) {
		before := ""
		for _, b := range blocks(t, name, page) {
			switch b.language {
			case "sh":
				ran++
			case "text":
				assert.Contains(t, []string{"sh", "go"}, before, "%s: an output of no command:\n%s", name, b.text)
			case "":
				for command := range strings.Lines(regexp.MustCompile(`\\\n *`).ReplaceAllString(b.text, "")) {
					command = strings.TrimSuffix(command, "\n")
					shown[command] = true
					assert.Contains(t, notRun, command, "%s: an indented command is not run: fence it as sh", name)
				}
			}
			before = b.language
		}
	}
	assert.GreaterOrEqual(t, ran, 20, "commands of the pages")
	for _, command := range notRun {
		assert.True(t, shown[command], "no page shows %q", command)
	}
}

// The program in docs/library.md is the example of pkg/discover/acdc, which
// runs as a test, and its output that of the example. No other page has one.
func TestReadmeProgramIsTheExample(t *testing.T) {
	for name, page := range pages(t) {
		isProgram := func(b block) bool { return b.language == "go" }
		assert.Equal(t, name == "docs/library.md", slices.ContainsFunc(blocks(t, name, page), isProgram), name)
	}
	all := blocks(t, "docs/library.md", readText(t, top("docs", "library.md")))
	require.Equal(t, "go", all[0].language)
	require.Equal(t, "text", all[1].language)
	example := readText(t, top("pkg", "discover", "acdc", "example_test.go"))
	program, output, ok := strings.Cut(example, "\t// Output:\n")
	require.True(t, ok)
	program = strings.Replace(program, "package acdc_test", "package main", 1)
	program = strings.Replace(program, "func Example()", "func main()", 1) + "}\n"
	assert.Equal(t, program, all[0].text)
	var lines []string
	for _, line := range strings.Split(output, "\n") {
		if text, ok := strings.CutPrefix(line, "\t// "); ok {
			lines = append(lines, text)
		}
	}
	assert.Equal(t, strings.Join(lines, "\n")+"\n", all[1].text)
}

// anchors are the places of a page that a link may name.
func anchors(page string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		name := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		out = append(out, strings.ReplaceAll(name, " ", "-"))
	}
	return out
}

// What the pages link to exists, and the README leads to every page.
func TestReadmeLinks(t *testing.T) {
	all := pages(t)
	for name, page := range all {
		for _, m := range regexp.MustCompile(`(?:\]\(|src=")([^)"]+)[)"]`).FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(name), path)
			if path == "" {
				target = name
			}
			_, err := os.Stat(top(target))
			assert.NoError(t, err, "%s: the link to %s", name, m[1])
			if anchor != "" {
				assert.Contains(t, anchors(all[filepath.ToSlash(target)]), anchor, "%s: the link to %s", name, m[1])
			}
		}
		assert.True(t, name == "README.md" || strings.Contains(all["README.md"], "]("+name+")"), "the README does not lead to %s", name)
	}
	assert.Less(t, strings.Count(all["README.md"], "\n"), 250, "lines of the README")
}

// What the pages name exists: flags, choices, definitions, commands.
func TestReadmeNamesWhatThereIs(t *testing.T) {
	all := pages(t)
	flags := map[string]bool{"--help": true, "--array": true} // the last of sbatch
	eachFlag(newRoot(&app{stdout: &output{}}), func(_ *cobra.Command, f *pflag.Flag) { flags["--"+f.Name] = true }, nil)
	for name, page := range all {
		page = regexp.MustCompile(`(?m)^(?:#SBATCH|#   sbatch) --[a-z-]+`).ReplaceAllString(page, "") // Slurm's
		for _, flag := range regexp.MustCompile(`\B--[a-z][a-z-]*`).FindAllString(page, -1) {
			assert.True(t, flags[flag], "%s: %s", name, flag)
		}
	}
	for _, choice := range slices.Concat(texts(metric.Names()), texts(ablate.Ablations()), texts(acdc.Orders())) {
		assert.Contains(t, all["docs/metrics.md"], "\n| `"+choice+"` | ")
	}
	for _, d := range circuit.Definitions() {
		assert.Regexp(t, `(?m)^`+string(d)+` +\d+ +\d+$`, all["docs/guide.md"])
	}
	found, _, _ := strings.Cut(strings.TrimPrefix(readText(t, top("go.mod")), "module "), "\n")
	assert.Equal(t, module, found)
	for _, command := range []string{"go run ./cmd/acdc discover --task induction", "go test ./..."} {
		assert.Contains(t, all["README.md"], "\n    "+command+"\n", ".ci/run looks for it")
	}
}

// The table of golden runs counts what the tests compare.
func TestReadmeCountsTheGoldenRuns(t *testing.T) {
	page, all := readText(t, top("docs", "exactness.md")), 0
	for model, row := range map[string]string{
		"induction-attn2l": "induction, 2 layers, attention only", "gpt3l-random": "GPT with MLPs, 3 layers, random weights", "hf-gpt2-tiny": "Hugging Face GPT-2 of 3 layers, processed",
		"or_gate": "or_gate", "tracr-reverse": "tracr-reverse", "tracr-proportion": "tracr-proportion",
	} {
		runs, tests := golden.Runs(t, model), 0
		for _, r := range runs {
			tests += len(r.Tests)
		}
		all += len(runs)
		assert.Contains(t, page, "| "+row+" | "+strconv.Itoa(len(runs))+" | "+strconv.Itoa(tests)+" | ")
	}
	for _, page := range []string{page, readText(t, top("README.md"))} {
		assert.Contains(t, page, "repeat "+strconv.Itoa(all)+" runs")
	}
}
