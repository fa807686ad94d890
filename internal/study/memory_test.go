package study

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/zoo"
)

func TestEnoughMemory(t *testing.T) {
	m, err := zoo.Open(t.Context(), "random:2x6x96x0x128")
	require.NoError(t, err)
	require.NoError(t, EnoughMemory("x", m.Config, 40, 40))
	if totalMemory() == 0 {
		t.Skip("the machine's memory is not known here")
	}
	assert.ErrorContains(t, EnoughMemory("x", m.Config, 1_000_000_000, 64), "x: 1000000000 examples of 64 tokens need at least 5.41e+05 GB of memory, this machine has ")
}
