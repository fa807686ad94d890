package cli

import (
	"bytes"
	"fmt"
	"image/png"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// top is a file of the project.
func top(parts ...string) string {
	return filepath.Join(append([]string{golden.Path(), "..", ".."}, parts...)...)
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// pages are the texts of the project: README.md and every other .md file
// outside testdata, by their path from the top folder. A page that is added is
// one of them, wherever it stands.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(top(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != top()) {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			name, err := filepath.Rel(top(), path)
			require.NoError(t, err)
			out[filepath.ToSlash(name)] = readText(t, path)
		}
		return nil
	}))
	require.Contains(t, out, "README.md")
	require.Contains(t, out, "docs/guide.md")
	return out
}

// block is one block of code of a page: its language, "" for one that is only
// indented, and its text.
type block struct{ language, text string }

var (
	fence    = regexp.MustCompile("^ *(?:```+|~~~+)(.*)$")
	indented = regexp.MustCompile(`^(?: {4}|\t)(.*)$`)
)

// blocks finds the blocks of a page, fenced and indented ones.
func blocks(t *testing.T, name, page string) []block {
	t.Helper()
	var out []block
	isOpen, isBlank, isIndented := false, true, false
	for line := range strings.Lines(page) {
		text := strings.TrimSuffix(line, "\n")
		mark, code := fence.FindStringSubmatch(text), indented.FindStringSubmatch(text)
		last := len(out) - 1
		switch {
		case mark != nil && isOpen:
			require.Empty(t, mark[1], "%s: a block within a block", name)
			isOpen = false
		case mark != nil:
			require.Contains(t, []string{"sh", "text", "go", "python", "bibtex", "rasp"}, mark[1], "%s: the language of a block", name)
			out, isOpen = append(out, block{language: mark[1]}), true
		case isOpen:
			out[last].text += line
		case code != nil && isIndented:
			out[last].text += code[1] + "\n"
		case code != nil && isBlank:
			out = append(out, block{text: code[1] + "\n"})
		}
		isIndented = !isOpen && code != nil && (isBlank || isIndented)
		isBlank = strings.TrimSpace(line) == ""
	}
	require.False(t, isOpen, "%s: a block that does not end", name)
	return out
}

var written = regexp.MustCompile(`(?:-o|--trace|--checkpoint|>) ([\w.-]+)`)

// runShell runs a block and returns what it prints, checking that it wrote the
// files that it names.
func runShell(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
	for _, m := range written.FindAllStringSubmatch(script, -1) {
		info, err := os.Stat(filepath.Join(dir, m[1]))
		if assert.NoError(t, err, script) {
			assert.NotZero(t, info.Size(), "%s: %s", script, m[1])
		}
	}
	return string(out)
}

var (
	decimal = regexp.MustCompile(`-?\d+(?:\.\d+(?:e[-+]?\d+)?|e[-+]?\d+)`)
	spaces  = regexp.MustCompile(`[ \t]+`)
)

// shape is a text without its numbers with a point, without the time, and with
// one space for several; and those numbers.
func shape(t *testing.T, text string) (string, []float64) {
	t.Helper()
	var numbers []float64
	text = regexp.MustCompile(`(?m)^time .*$`).ReplaceAllString(text, "time")
	text = decimal.ReplaceAllStringFunc(text, func(s string) string {
		x, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		numbers = append(numbers, x)
		return "#"
	})
	return spaces.ReplaceAllString(text, " "), numbers
}

// differ says how two outputs differ, "" if they do not: all but the numbers
// with a point are to be the same, these to 0.2 %, since processors differ in
// the last digits. The time is not compared.
func differ(t *testing.T, want, got string) string {
	t.Helper()
	wantText, wantNumbers := shape(t, want)
	gotText, gotNumbers := shape(t, got)
	if wantText != gotText {
		return fmt.Sprintf("expected\n%sfound\n%s", want, got)
	}
	for i, x := range wantNumbers {
		if y := gotNumbers[i]; !(math.Abs(x-y) <= 2e-3*math.Abs(x)+1e-6) {
			return fmt.Sprintf("number %d: expected %v, found %v", i+1, x, y)
		}
	}
	return ""
}

// Outputs that differ are told from those that may.
func TestReadmeOutputsDiffer(t *testing.T) {
	const text = "edges   46 of 193 (23.8 %) kept\nkl_div  0 -> 0.3157\ntime    0.11 s\n"
	assert.Empty(t, differ(t, text, "edges 46 of 193 (23.8 %) kept\nkl_div 0 -> 0.31571\ntime 9.5 s\n"))
	for _, other := range []string{
		strings.Replace(text, "46", "47", 1), strings.Replace(text, "0.3157", "0.317", 1), strings.Replace(text, "0.3157", "NaN", 1),
		strings.Replace(text, "kept", "kept, 2 idle", 1), text + "more\n", "",
	} {
		assert.NotEmpty(t, differ(t, text, other), other)
	}
}

// runPython runs the block that writes data, or, where Python or its packages
// are missing, writes such data: the repeats of random blocks.
func runPython(t *testing.T, dir, script string) {
	t.Helper()
	if exec.Command("python3", "-c", "import numpy, safetensors").Run() == nil {
		cmd := exec.Command("python3", "-c", script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return
	}
	const examples, period = 20, 19
	require.Contains(t, script, "integers(1, 128, (20, 19))")
	rng := rand.New(rand.NewPCG(0, 0))
	var clean, correct []int64
	for range examples {
		block := make([]int64, period)
		for i := range block {
			block[i] = 1 + rng.Int64N(127)
		}
		clean = slices.Concat(clean, []int64{0}, block, block[:period-1])
		correct = append(correct, block[period-1])
	}
	roll := func(x []int64, n int) []int64 { return slices.Concat(x[len(x)-n:], x[:len(x)-n]) }
	var file bytes.Buffer
	require.NoError(t, weights.Write(&file, []weights.Tensor{
		weights.Int64s("clean", clean, examples, 2*period), weights.Int64s("corrupt", roll(clean, 2*period), examples, 2*period),
		weights.Int64s("correct", correct, examples), weights.Int64s("wrong", roll(correct, 1), examples),
	}, nil))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data.safetensors"), file.Bytes(), 0o644))
}

// drawn are the pictures in docs, by the page whose commands draw them.
var drawn = map[string][]string{
	"README.md":            {"induction.png", "induction.svg"},
	"docs/guide.md":        {"ioi-groups.png"},
	"docs/ground-truth.md": {"tracr-reverse.svg"},
	"docs/judging.md":      {"judged.svg", "curves.svg", "stable.svg"},
}

// samePicture checks that a picture in docs is what the tool draws. Layout may
// differ in the last digits between processors, words may not.
func samePicture(t *testing.T, dir, name string) {
	t.Helper()
	words := func(path string) []string {
		var out []string
		for _, m := range regexp.MustCompile(`<(?:text|title)[^>]*>([^<]*)<`).FindAllStringSubmatch(readText(t, path), -1) {
			out = append(out, m[1])
		}
		require.NotEmpty(t, out, path)
		return out
	}
	size := func(path string) [2]int {
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		c, err := png.DecodeConfig(f)
		require.NoError(t, err)
		return [2]int{c.Width, c.Height}
	}
	if filepath.Ext(name) == ".png" {
		assert.Equal(t, size(filepath.Join(dir, name)), size(top("docs", name)))
		return
	}
	assert.Equal(t, words(filepath.Join(dir, name)), words(top("docs", name)), "docs/%s is out of date: go test ./internal/cli -run Readme -update", name)
}
