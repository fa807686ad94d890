package browser

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/draw/page"
)

// folder has the modules of the page.
var folder = filepath.Join("..", "..", "pkg", "draw", "page")

// messages are what a parser complains of.
func messages(list ...[]api.Message) (out []string) {
	for _, m := range slices.Concat(list...) {
		at := ""
		if m.Location != nil {
			at = m.Location.File + ": " + m.Location.LineText + ": "
		}
		out = append(out, at+m.Text)
	}
	return out
}

// The modules can be parsed without a complaint, import only what others export,
// and use what they import.
func TestModulesAreSound(t *testing.T) {
	imported := regexp.MustCompile(`(?m)^import \{ ([^}]*) \} from "\./([a-z]+\.js)";$`)
	for _, name := range page.Modules() {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.LessOrEqual(t, strings.Count(string(text), "\n"), 400, name)
		assert.True(t, strings.HasPrefix(string(text), "// "+name+": "), "%s begins with what it is for", name)
		lines := regexp.MustCompile(`(?m)^import .*$`).FindAllString(string(text), -1)
		assert.Len(t, imported.FindAllString(string(text), -1), len(lines), "%s: imports are of the form import { a, b } from \"./c.js\";", name)
		body := imported.ReplaceAllString(string(text), "")
		for _, m := range imported.FindAllStringSubmatch(string(text), -1) {
			assert.Less(t, slices.Index(page.Modules(), m[2]), slices.Index(page.Modules(), name), "%s imports %s, which stands behind it", name, m[2])
			for _, used := range strings.Split(m[1], ", ") {
				assert.Regexp(t, `\b`+used+`\b`, body, "%s imports %s and does not use it", name, used)
			}
		}
		for _, banned := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "XMLHttpRequest"} {
			assert.NotContains(t, string(text), banned, name)
		}
	}
	r := api.Build(api.BuildOptions{EntryPoints: []string{filepath.Join(folder, "main.js")}, Bundle: true, Format: api.FormatESModule, LogLevel: api.LogLevelSilent})
	assert.Empty(t, messages(r.Errors, r.Warnings))
	names, err := filepath.Glob(filepath.Join(folder, "*.js"))
	require.NoError(t, err)
	assert.Len(t, names, len(page.Modules()), "every module is listed")
}

// Joined to one script, no two modules declare the same name.
func TestScriptIsOneModule(t *testing.T) {
	text, err := os.ReadFile(written(t, grid(t, 1, 1, 1)))
	require.NoError(t, err)
	_, script, ok := strings.Cut(string(text), `<script type="module">`)
	require.True(t, ok)
	script, _, ok = strings.Cut(script, "</script>")
	require.True(t, ok)
	r := api.Transform(script, api.TransformOptions{Format: api.FormatESModule, LogLevel: api.LogLevelSilent})
	assert.Empty(t, messages(r.Errors, r.Warnings))
}
