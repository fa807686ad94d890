package sweep

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever a manifest or a result has in it is read, or refused in one line that
// names it; what is read has the names that it says.
func FuzzFiles(f *testing.F) {
	l := &Lab{Origin: Here("v1"), Threads: 1}
	defer l.Close()
	plan, err := small().Plan(f.Context(), l)
	require.NoError(f, err)
	var b bytes.Buffer
	require.NoError(f, WriteManifest(&b, plan))
	for _, seed := range []string{b.String(), "", "{}", "\n[]\n", `{"id":"x","run":{"seed":0,"examples":-1}}`, `{"acdc_sweep":1,"planned":` + strings.Split(b.String(), "\n")[0] + `,"row":{"id":"x"},"circuit":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := decodeManifest(t.Context(), "file", data)
		result, resultErr := decodeResult(t.Context(), "file", data)
		for _, err := range []error{err, resultErr} {
			if err != nil {
				assert.True(t, strings.HasPrefix(err.Error(), "file:"), err)
				assert.NotContains(t, err.Error(), "\n")
			}
		}
		for _, p := range read {
			assert.Equal(t, p.ID, p.Name())
		}
		if resultErr == nil {
			assert.Equal(t, result.Planned.ID, result.Planned.Name())
		}
	})
}
