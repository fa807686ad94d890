package cachedir

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

// sample is a module with one import, functions of three types, a memory, a
// table and a code section that calls what it imports and then fails.
func sample() []byte {
	section := func(id byte, data ...byte) []byte { return append([]byte{id, byte(len(data))}, data...) }
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range [][]byte{
		section(sectionTypes, 3, 0x60, 0, 0, 0x60, 1, typeI32, 1, typeI32, 0x60, 2, typeI64, typeF32, 1, typeF64),
		section(sectionImports, 1, 1, 'm', 1, 'f', kindFunction, 0),
		section(sectionFunctions, 3, 1, 2, 1),
		section(4, 1, 0x70, 0, 1), // table
		section(sectionMemory, 1, 0, 9),
		section(sectionExports, 5, 1, 'a', kindFunction, 1, 1, 'b', kindFunction, 2, 1, 'c', kindFunction, 3, 1, 'm', kindMemory, 0, 1, 't', 1, 0),
		section(sectionCode, 3, 5, 0, 0x10, 0, 0x00, 0x0b, 3, 0, 0x00, 0x0b, 3, 0, 0x00, 0x0b),
	} {
		out = append(out, s...)
	}
	return out
}

func TestHollowModuleOffersTheSameAndDoesNothing(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	_, err := r.CompileModule(ctx, sample())
	require.NoError(t, err, "the sample is a module")
	m, err := r.Instantiate(ctx, hollow(sample()))
	require.NoError(t, err, "nothing is imported")
	for name, args := range map[string][]uint64{"a": {7}, "b": {7, 0}, "c": {8}} {
		got, err := m.ExportedFunction(name).Call(ctx, args...)
		require.NoError(t, err, name)
		assert.Equal(t, []uint64{0}, got, name)
	}
	assert.Equal(t, uint32(1<<16), m.Memory().Size())
}

func TestNoModule(t *testing.T) {
	whole := sample()
	for n := range whole {
		hollow(whole[:n]) // must not panic; some beginnings are modules
	}
	assert.Nil(t, hollow(nil))
	assert.Nil(t, hollow(whole[:len(whole)-1]))
	assert.Nil(t, hollow([]byte("no module at all")))
}

func FuzzHollow(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, module []byte) {
		if out := hollow(module); len(out) > 20*len(module)+100 {
			t.Errorf("%d bytes of %d", len(out), len(module))
		}
	})
}
