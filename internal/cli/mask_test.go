package cli

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Answers are compared where the data's mask says. The logit differences of
// the clean run are those of a float64 forward pass of another program.
func TestAnswersAtTheMaskedPosition(t *testing.T) {
	model := filepath.Join("..", "..", "pkg", "zoo", "testdata", "field", "logit-diff-mask")
	for metric, want := range map[string]float64{"logit_diff": 0.2771, "docstring": 0.2771} { // of one wrong answer each
		var found struct {
			Measured struct{ Initial float64 }
		}
		text := acdcOut(t, "discover", "--model", model, "--data", filepath.Join(model, "data.safetensors"), "--metric", metric,
			"--threshold", "0.01", "--format", "json", "--quiet", "--threads", "1")
		require.NoError(t, json.Unmarshal([]byte(text), &found))
		assert.InDelta(t, want, found.Measured.Initial, 5e-5, metric)
	}
}
