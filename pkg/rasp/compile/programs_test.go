package compile_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/compile"
	"github.com/seed-2c350065/acdc/pkg/rasp/programs"
)

// shipped compiles a program that comes with the project.
func shipped(t testing.TB, name string) (rasp.Expr, *compile.Model) {
	t.Helper()
	f, err := programs.Parse(name)
	require.NoError(t, err)
	program, err := f.Program()
	require.NoError(t, err)
	d, err := f.Domain(nil, 0, false)
	require.NoError(t, err)
	m, err := compile.Compile(context.Background(), program, d, compile.Options{})
	require.NoError(t, err)
	return program, m
}

// Every shipped program, compiled, is what its interpreter says, on all inputs
// up to its length or 10,000 random ones.
func TestShippedProgramsCompute(t *testing.T) {
	for _, name := range programs.Names() {
		t.Run(name, func(t *testing.T) {
			program, m := shipped(t, name)
			inputs, all := m.Domain.Inputs(10_000, 1)
			c := m.Transformer.Config
			d := compile.Worst(t, program, m, inputs)
			t.Logf("%d inputs (all: %t), %d layers, %d heads, d_model %d, d_mlp %d: largest difference %.2e", len(inputs), all, c.Layers, c.Heads, c.DModel, c.DMLP, d)
			assert.LessOrEqual(t, d, 1e-5)
		})
	}
}
