package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// dataArgs runs acdc data with arguments.
func dataArgs(args ...string) (string, error) {
	var stdout bytes.Buffer
	cmd := newData(&app{stdout: &output{w: &stdout}, stderr: io.Discard})
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(&stdout)
	err := cmd.Execute()
	return stdout.String(), err
}

// dataFile writes a data set to a new folder.
func dataFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const ioiRows = `{"prompts": [
{"clean": "Then, Scott and Jeremy went to the hospital. Jeremy gave a snack to", "corrupt": "Then, Michael and Anderson went to the hospital. Rachel gave a snack to", "answers": [" Scott"], "wrong_answers": [" Jeremy"]},
{"clean": "The war\n  lasted from 1732 to 17", "corrupt": "The war\n  lasted from 1701 to 17", "answers": ["33", "34", "35", "36", "37", "38", "39"], "wrong_answers": []}]}`

func TestDataShow(t *testing.T) {
	path := dataFile(t, "ioi.json", ioiRows)
	out, err := dataArgs("show", "--data", path, "--bos")
	require.NoError(t, err)
	assert.Equal(t, `prompt 1 of 2: 16 tokens, 3 differ
  clean    <|endoftext|>|Then|,| Scott  | and| Jeremy  | went| to| the| hospital|.| Jeremy| gave| a| snack| to
  corrupt  <|endoftext|>|Then|,| Michael| and| Anderson| went| to| the| hospital|.| Rachel| gave| a| snack| to
                                ^^^^^^^^      ^^^^^^^^^                            ^^^^^^^
  correct  " Scott"
  wrong    " Jeremy"

prompt 2 of 2: 11 tokens after 5 of padding, 1 differ
  clean    <|endoftext|>|The| war|\n|·| lasted| from| 17|32| to| 17
  corrupt  <|endoftext|>|The| war|\n|·| lasted| from| 17|01| to| 17
                                                         ^^
  correct  "33" "34" "35" "36" "37" and 2 more
  wrong    none

2 prompts of 11 to 16 tokens, padded on the left, beginning with <|endoftext|>; clean and corrupt differ at 3, 5, 8, 11
`, out)
}

func TestDataShowColour(t *testing.T) {
	s := study.Show(task.Data{Clean: [][]int{{1, 2}}, Corrupt: [][]int{{1, 33}}}, nil)
	s.Pairs = []study.ShownPair{study.PairOf(task.Data{Clean: [][]int{{1, 2}}, Corrupt: [][]int{{1, 33}}}, nil, 0)}
	assert.Equal(t, `prompt 1 of 1: 2 tokens, 1 differ
  clean    1|<2>
  corrupt  1|<33>
             ^^

1 prompt of 2 tokens; clean and corrupt differ at 1
`, shownText(s, func(text string) string { return "<" + text + ">" }, 0))
}

// A task for a model without a tokenizer is shown as numbers.
func TestDataShowTask(t *testing.T) {
	out, err := dataArgs("show", "--task", "or_gate", "-n", "9")
	require.NoError(t, err)
	assert.Contains(t, out, "prompt 1 of 1: 1 token, 0 differ\n  clean    0\n  corrupt  0\n\n", "it has no more")
	assert.Contains(t, out, "\n1 prompt of 1 token; clean and corrupt are the same\n")
	first, err := dataArgs("show", "--task", "induction", "-n", "1")
	require.NoError(t, err)
	assert.Contains(t, first, "prompt 1 of 40: 48 tokens, ")
	assert.Contains(t, first, "\n  counted  21-38\n")
	assert.Equal(t, 2, strings.Count(first, "\n  corrupt  "), "in two blocks of lines")
	assert.Contains(t, first, "\n40 prompts of 48 tokens; clean and corrupt differ at 1-47\n")
	same, err := dataArgs("show", "--task", "induction", "-n", "1", "--seed", "0")
	require.NoError(t, err)
	assert.Equal(t, first, same)
	other, err := dataArgs("show", "--task", "induction", "-n", "1", "--seed", "1")
	require.NoError(t, err)
	assert.NotEqual(t, first, other)
}

// Random prompts are drawn for a model, as discover draws them.
func TestDataShowRandom(t *testing.T) {
	out, err := dataArgs("show", "--data", "random:2x4", "--model", "or_gate")
	require.ErrorContains(t, err, "n_ctx", out)
	out, err = dataArgs("show", "--data", "random:2x4", "--model", "induction")
	require.NoError(t, err)
	assert.Contains(t, out, "prompt 2 of 2: 4 tokens, ")
	_, err = dataArgs("show", "--data", "random:2x4")
	assert.ErrorContains(t, err, "--data random:2x4: expected --model MODEL, whose tokens are drawn, found none")
}

// Every task can be shown, each in as many pairs as were asked for and there are.
func TestDataShowEveryTask(t *testing.T) {
	for _, name := range taskNames() {
		out, err := dataArgs("show", "--task", name, "-n", "2")
		require.NoError(t, err, name)
		asked, err := task.Find(name)
		require.NoError(t, err)
		assert.Equal(t, min(2, asked.Examples), strings.Count("\n"+out, "\nprompt "), name)
	}
}

func TestDataShowJSON(t *testing.T) {
	path := dataFile(t, "ioi.json", ioiRows)
	out, err := dataArgs("show", "--data", path, "--format", "json", "-n", "1", "--no-bos")
	require.NoError(t, err)
	var got study.Shown
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	tok := tokenizer.GPT2()
	clean := tok.Encode("Then, Scott and Jeremy went to the hospital. Jeremy gave a snack to")
	assert.Equal(t, study.ShownPair{
		Prompt: 1, Padding: 0, Differ: []int{2, 4, 10},
		Clean: study.Spelled{IDs: clean, Texts: task.Spell(tok, clean)},
		Corrupt: &study.Spelled{IDs: tok.Encode("Then, Michael and Anderson went to the hospital. Rachel gave a snack to"),
			Texts: strings.Split("Then|,| Michael| and| Anderson| went| to| the| hospital|.| Rachel| gave| a| snack| to", "|")},
		Correct: &study.Spelled{IDs: tok.Encode(" Scott"), Texts: []string{" Scott"}},
		Wrong:   &study.Spelled{IDs: tok.Encode(" Jeremy"), Texts: []string{" Jeremy"}},
	}, got.Pairs[0])
	got.Pairs = nil
	assert.Equal(t, study.Shown{Source: filepath.ToSlash(path), Prompts: 2, Tokens: [2]int{10, 15}, Corrupt: true, Differ: []int{2, 4, 7, 10}}, got)
}

func TestDataShowErrors(t *testing.T) {
	unequal := dataFile(t, "unequal.json", `{"prompts":[{"clean":"Ann met Bob","corrupt":"Ann met Hyattsville","answers":[],"wrong_answers":[]}]}`)
	circuit := dataFile(t, "circuit.json", `{"cfg":{"n_layers":1},"nodes":{"input":{"score":NaN}}}`)
	numbers := dataFile(t, "numbers.json", `{"prompts":[{"clean":[1],"corrupt":"a","answers":[],"wrong_answers":[]}]}`)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"show"}, codeUsage, "expected --data FILE or --task NAME, found neither"},
		{[]string{"show", "--data", "x", "--task", "induction"}, codeUsage, "expected --data FILE or --task NAME, found both"},
		{[]string{"show", "file"}, codeUsage, `unexpected argument "file"; did you mean --data file?`},
		{[]string{"shw"}, codeUsage, `unknown command "shw"; did you mean show?`},
		{[]string{"show", "--data", unequal}, codeFailed, unequal + `: prompt 1: "clean" and "corrupt": expected as many tokens, found 4 and 6: <|endoftext|>|Ann| met| Bob / <|endoftext|>|Ann| met| Hy|atts|ville`},
		{[]string{"show", "--data", circuit}, codeFailed, circuit + `: expected a data set, found a circuit as MIB and EAP-IG write it ("cfg", "nodes", "edges"), which nothing here reads yet`},
		{[]string{"show", "--data", numbers, "--model", "induction"}, codeFailed, numbers + `: model induction has no tokenizer, and its prompts must be token ids: it is made of weights alone`},
		{[]string{"show", "--data", "none.safetensors"}, codeFailed, "none.safetensors: no such file or directory"},
	} {
		out, err := dataArgs(c.args...)
		require.EqualError(t, err, c.want, "%v", c.args)
		assert.Equal(t, c.code, exitCode(err), "%v", c.args)
		assert.Empty(t, out)
	}
	for flag, want := range map[string]string{"--task=nonsense": "unknown task", "-n=0": "expected a whole number from 1", "--format=xml": "expected one of text, json"} {
		_, err := dataArgs("show", flag)
		assert.ErrorContains(t, err, want)
	}
}

func TestDataShowFlags(t *testing.T) {
	var got *dataShowOptions
	cmd := newDataShow(func(_ context.Context, o *dataShowOptions) error { got = o; return nil })
	cmd.SetArgs([]string{})
	require.NoError(t, cmd.Execute())
	assert.Equal(t, &dataShowOptions{pairs: 3, format: formatText}, got)
	cmd = newDataShow(func(_ context.Context, o *dataShowOptions) error { got = o; return nil })
	cmd.SetArgs([]string{"--data", "d", "--task", "induction", "--model", "m", "--seed", "4", "-n", "7", "--bos=false", "--format", "json"})
	require.NoError(t, cmd.Execute())
	no := false
	assert.Equal(t, &dataShowOptions{task: "induction", data: "d", model: "m", seed: 4, pairs: 7, drawn: study.Spec{BOS: &no}, format: formatJSON}, got)
}

// Token ids have texts only where a model says which.
func TestDataShowTokenizer(t *testing.T) {
	path := dataFile(t, "mini.json", `{"prompts":[{"clean":[1,2],"corrupt":[1,3],"answers":[4],"wrong_answers":[5]}]}`)
	for _, args := range [][]string{nil, {"--model", zoo.All()[0].Name}, {"--model", "random:1x1x8x8x10"}} {
		out, err := dataArgs(append([]string{"show", "--data", path}, args...)...)
		require.NoError(t, err)
		assert.Contains(t, out, "  clean    1|2\n  corrupt  1|3\n             ^\n  correct  4\n  wrong    5\n")
	}
	out, err := dataArgs("show", "--data", path, "--model", "gpt2")
	require.NoError(t, err)
	assert.Contains(t, out, "  clean    \"|#\n  corrupt  \"|$\n")
	_, err = dataArgs("show", "--data", path, "--model", "absent/")
	assert.ErrorContains(t, err, "model absent/: no such file or folder")
	_, err = dataArgs("show", "--data", dataFile(t, "text.json", ioiRows), "--model", "or_gate")
	assert.ErrorContains(t, err, "text.json: model or_gate has no tokenizer, and its prompts must be token ids")
}

func TestRanges(t *testing.T) {
	assert.Equal(t, "", ranges(nil))
	assert.Equal(t, "0, 2-4, 6-7, 9", ranges([]int{0, 2, 3, 4, 6, 7, 9}))
}
