package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/internal/golden"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/compare"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// The table of the page is what the methods give, those that learn aside, which
// take minutes.
func TestThePageIsCurrent(t *testing.T) {
	if tensor.KernelName() == "portable" || testing.Short() {
		t.Skip("the table is that of the fast kernels")
	}
	page, err := os.ReadFile(filepath.Join("..", "methods.md"))
	require.NoError(t, err)
	quick := slices.DeleteFunc(study.Scorers(), func(name string) bool { return steps[name] > 0 })
	for i, s := range subjects {
		if !golden.Long && i%2 == 1 {
			continue // those of long tests
		}
		cells, err := agreement(t.Context(), s, quick)
		require.NoError(t, err)
		for name, cell := range cells {
			found := false
			for line := range strings.Lines(string(page)) {
				columns := strings.Split(line, " | ")
				if len(columns) == len(subjects)+1 && columns[0] == "| `"+name+"`" {
					assert.Equal(t, cell, strings.TrimSuffix(strings.TrimSpace(columns[1+i]), " |"), "%s on %s", name, s.task)
					found = true
				}
			}
			assert.True(t, found, name)
		}
	}
}

func TestSpearman(t *testing.T) {
	assert.InDelta(t, 1, compare.Spearman([]float64{1, 2, 3}, []float64{2, 4, 9}), 1e-12)
	assert.InDelta(t, -1, compare.Spearman([]float64{1, 2, 3}, []float64{9, 4, 2}), 1e-12)
	assert.InDelta(t, 0.8660254, compare.Spearman([]float64{1, 2, 3}, []float64{1, 1, 2}), 1e-6)
	assert.InDelta(t, 0.5, common([]float64{9, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, []float64{9, 1, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1}), 1e-12)
}
