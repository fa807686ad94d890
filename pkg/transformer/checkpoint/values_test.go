package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever value a field of any dialect has, long or absurd or of another kind,
// what is said of it is one short line that names the file.
func TestWhatIsSaidOfAValueIsShort(t *testing.T) {
	long := strings.Repeat("x", 5000)
	refused := 0
	for _, d := range tabled {
		for _, name := range slices.Sorted(maps.Keys(d.fields)) {
			for _, value := range []string{`"` + long + `"`, `["` + long + `"]`, `[["` + long + `"],["` + long + `"]]`, `{"` + long + `":"` + long + `"}`,
				"1" + strings.Repeat("0", 400), "0." + strings.Repeat("1", 5000), "1e300", "-7", `"a\nb\u001b[31m"`} {
				c, err := changed(t, d.text, fmt.Sprintf(`{%q:%s}`, name, value))
				for _, said := range append(slices.Clone(c.Warnings), fmt.Sprint(err)) {
					assert.LessOrEqual(t, len(said), 500, "%s %s", d.name, name)
					assert.NotContains(t, said, "\n")
					assert.NotContains(t, said, "\x1b")
				}
				if err != nil {
					refused++
					assert.Contains(t, err.Error(), "c.json: ")
				}
			}
		}
	}
	assert.Greater(t, refused, 500)
}

// Positions are divided by no factor that leaves nothing of them.
func TestRotaryFactorsOfNoModel(t *testing.T) {
	for _, value := range []string{"1e300", "-1", "0", "1e7"} {
		_, err := changed(t, tabled[2].text, `{"rope_scaling":{"type":"linear","factor":`+value+`}}`)
		require.Error(t, err, value)
		assert.ErrorContains(t, err, "factor")
	}
}
