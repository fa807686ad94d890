package task

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readScript takes a prompt apart again.
func readScript(t *testing.T, prompt string) (name string, asked, told []string, details []string) {
	form := regexp.MustCompile(`^\ndef (\w+)\(self, ([\w, ]+)\):\n    """(\w+ \w+ \w+)\n\n    :param (\w+): ([\w ]+)\n    :param (\w+): ([\w ]+)\n    :param$`)
	m := form.FindStringSubmatch(prompt)
	require.NotNil(t, m, prompt)
	asked = strings.Split(m[2], ", ")
	require.Len(t, asked, 6)
	return m[1], asked, []string{m[4], m[6]}, []string{m[5], m[7]}
}

func TestDocstringAsInTheSample(t *testing.T) {
	s := script{
		name: "open", summary: []string{"moon", "river", "gold"},
		before: []string{"path", "mode"}, asked: []string{"size", "label", "index"}, after: []string{"flag"},
		told: []string{"size", "label"}, details: [][]string{{"sea", "bird"}, {"town", "yard"}},
	}
	assert.Equal(t, "\ndef open(self, path, mode, size, label, index, flag):\n    \"\"\"moon river gold\n\n"+
		"    :param size: sea bird\n    :param label: town yard\n    :param", s.prompt().Text)
}

func TestDocstringClean(t *testing.T) {
	enc := neoX()
	pairs, err := docstring.Pairs(t.Context(), Draw{Seed: 5, Examples: 300}, enc)
	require.NoError(t, err)
	for _, p := range pairs {
		assert.Len(t, enc.Encode(p.Clean.Text), 40, "41 with the start token, as in the reference")
		name, asked, told, details := readScript(t, p.Clean.Text)
		assert.Equal(t, asked[2:4], told)
		assert.Equal(t, []Prompt{{Text: " " + asked[4]}}, p.Correct)
		var wrong []string
		for _, w := range p.Wrong {
			wrong = append(wrong, strings.TrimPrefix(w.Text, " "))
		}
		assert.Len(t, wrong, 13)
		everything := append(slices.Clone(wrong), name, asked[4])
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(everything))), 15, "no name twice")
		for i, a := range asked {
			if i != 4 {
				assert.Contains(t, wrong, a)
			}
		}
		for _, d := range details {
			assert.Len(t, strings.Fields(d), 2)
		}
	}
}

func TestDocstringCorruptions(t *testing.T) {
	enc := neoX()
	base, err := docstring.Pairs(t.Context(), Draw{Seed: 9, Examples: 50}, enc)
	require.NoError(t, err)
	for variant, want := range map[string][]int{
		"random_random":     {10, 12, 14, 26, 33},
		"random_doc":        {26, 33},
		"random_def":        {10, 12},
		"random_def_doc":    {10, 12, 26, 33},
		"random_answer":     {14},
		"random_answer_doc": {14, 26, 33},
	} {
		pairs, err := docstring.Pairs(t.Context(), Draw{Seed: 9, Examples: 50, Variant: variant}, enc)
		require.NoError(t, err)
		for i, p := range pairs {
			assert.Equal(t, base[i].Clean, p.Clean, "%s: variants share the clean prompts", variant)
			assert.Equal(t, want, differing(enc, p), variant)
			_, asked, told, _ := readScript(t, p.Corrupt.Text)
			for _, s := range slices.Concat(asked, told) {
				assert.Contains(t, append(slices.Clone(p.Wrong), p.Correct[0]), Prompt{Text: " " + s})
			}
			assert.Equal(t, variant == "random_def_doc" || variant == "random_answer",
				slices.Equal(asked[2:4], told), variant)
		}
	}
}

func TestDocstringVariesLengths(t *testing.T) {
	enc := neoX()
	for variant, same := range map[string]bool{"vary_length_doc_desc": true, "vary_length_doc_desc_random_doc": false} {
		pairs, err := docstring.Pairs(t.Context(), Draw{Seed: 9, Examples: 50, Variant: variant}, enc)
		require.NoError(t, err)
		longer := [2]int{}
		for _, p := range pairs {
			_, asked, told, details := readScript(t, p.Clean.Text)
			_, asked2, told2, details2 := readScript(t, p.Corrupt.Text)
			assert.Equal(t, asked, asked2)
			assert.Equal(t, same, slices.Equal(told, told2))
			words := strings.Fields(strings.Join(details, " "))
			a, b := strings.Fields(details2[0]), strings.Fields(details2[1])
			if len(a) == 3 {
				longer[0]++
				assert.Equal(t, []string{words[0], words[1], words[3], words[2]}, slices.Concat(a, b))
			} else {
				longer[1]++
				assert.Equal(t, []string{words[0], words[2], words[3], words[1]}, slices.Concat(a, b))
			}
			assert.Equal(t, 4, len(a)+len(b))
		}
		assert.Greater(t, longer[0], 10)
		assert.Greater(t, longer[1], 10)
	}
}
