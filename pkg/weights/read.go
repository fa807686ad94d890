package weights

import (
	"context"
	"math"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// readFile stands in for a mapping: it returns a copy of the whole file.
func readFile(ctx context.Context, path string) ([]byte, func() error, error) {
	data, err := jsonfile.ReadFile(ctx, path, "a checkpoint", math.MaxInt64-1)
	return data, func() error { return nil }, err
}
