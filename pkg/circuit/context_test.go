package circuit

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
)

// Circuit files of every form are read until the context ends.
func TestDecodeEndsWithTheContext(t *testing.T) {
	for _, name := range []string{"flat-full.json", "flat-reference.json", "mib-small.json", "mib-ioi.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		ending.Everywhere(t, 5, func(ctx context.Context) error {
			_, err := Decode(ctx, name, bytes.NewReader(text))
			return err
		})
	}
}
