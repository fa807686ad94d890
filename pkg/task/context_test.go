package task_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/ending"
	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/tokenizer"
)

// Data of every form, read, drawn or encoded, end with the context.
func TestDataEndWithTheContext(t *testing.T) {
	for _, name := range []string{"autocircuit.json", "eap_names.csv", "eap_years.csv", "edgepruning.jsonl", "mib_ioi.jsonl"} {
		path := filepath.Join("testdata", name)
		ending.Everywhere(t, 5, func(ctx context.Context) error {
			_, err := task.ReadPairs(ctx, path)
			return err
		})
		pairs, err := task.ReadPairs(t.Context(), path)
		require.NoError(t, err)
		ending.Everywhere(t, len(pairs), func(ctx context.Context) error {
			_, err := task.Encode(ctx, pairs, tokenizer.GPT2(), task.EncodeOptions{Name: path})
			return err
		})
	}
	ending.Everywhere(t, 5, func(ctx context.Context) error {
		_, err := task.Read(ctx, golden.Path("induction-attn2l", "data.safetensors"))
		return err
	})
	for _, one := range task.All() {
		if one.Text == nil {
			continue
		}
		ending.Everywhere(t, 2*one.Examples, func(ctx context.Context) error {
			_, err := one.Data(ctx, task.Draw{}, tokenizer.GPT2(), nil)
			return err
		})
	}
}
