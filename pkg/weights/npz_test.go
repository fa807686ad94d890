package weights_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/weights"
	"github.com/seed-2c350065/acdc/pkg/weights/weightstest"
)

func decodeNPY(t testing.TB, file []byte, method uint16) (*weights.File, error) {
	t.Helper()
	return weights.DecodeFile(t.Context(), "m", zipOf(t, weightstest.Entry{Name: "x.npy", Data: file, Method: method}))
}

// Both orders, all versions of the header, stored and compressed.
func TestNumpyOrders(t *testing.T) {
	data, err := weights.Encode([]float32{0, 1, 2, 3, 4, 5}, weights.F32)
	require.NoError(t, err)
	for _, method := range []uint16{0, 8} {
		for _, version := range []byte{1, 2, 3} {
			for fortran, want := range map[bool][]float32{false: {0, 1, 2, 3, 4, 5}, true: {0, 2, 4, 1, 3, 5}} {
				f, err := decodeNPY(t, weightstest.NPY(version, weightstest.NumpyHeader("<f4", fortran, 2, 3), data), method)
				require.NoError(t, err)
				got, err := f.Float32Shape(t.Context(), "x", 2, 3)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
	}
}

func TestNumpyHeaders(t *testing.T) {
	four := make([]byte, 16)
	for header, shape := range map[string][]int{
		`{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }`:       {4},
		`{'shape': (2L, 2L), 'fortran_order': True, 'descr': '<f4'}`:      {2, 2},
		`{"descr":"<f4","fortran_order":False,"shape":(4,1,1)}`:           {4, 1, 1},
		` { 'descr' : '<f8' , 'fortran_order' : False , 'shape' : (2) } `: {2},
		`{'descr': '<i8', 'fortran_order': False, 'shape': ( 1 , 2 ) }`:   {1, 2},
		`{'descr': '|u1', 'fortran_order': True, 'shape': (16,), }`:       {16},
	} {
		f, err := decodeNPY(t, weightstest.NPY(1, header, four), 0)
		require.NoError(t, err, header)
		got, ok := f.Shape("x")
		require.True(t, ok)
		require.Equal(t, shape, got)
	}
	f, err := decodeNPY(t, weightstest.NPY(1, weightstest.NumpyHeader("<i8", false), []byte{7, 0, 0, 0, 0, 0, 0, 0}), 0)
	require.NoError(t, err)
	ints, shape, err := f.Ints(t.Context(), "x")
	require.NoError(t, err)
	require.Empty(t, shape)
	require.Equal(t, []int{7}, ints)
}

func TestDamagedNumpy(t *testing.T) {
	skipNarrow(t)
	header := func(text string) []byte { return weightstest.NPY(1, text, make([]byte, 4)) }
	for want, file := range map[string][]byte{
		`an array of NumPy expected, found nothing`:                                               nil,
		`an array of NumPy expected, found "hello array"`:                                         []byte("hello array"),
		`version 1, 2 or 3 of the format expected, found 4`:                                       weightstest.NPY(4, "{}", nil),
		`truncated: 10 bytes expected before the header, found 9`:                                 npy()[:9],
		`truncated: header: 118 bytes expected, found 90`:                                         npy()[:100],
		`header: at most 65536 bytes expected, found 4294967295`:                                  []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"),
		`4 bytes expected for F32 [1], found 3`:                                                   npy()[:len(npy())-1],
		`4 bytes expected for F32 [1], found 5`:                                                   append(npy(), 0),
		`descr: a little-endian number such as <f4 expected, found ">f4"`:                         header(weightstest.NumpyHeader(">f4", false, 1)),
		`descr: a little-endian number such as <f4 expected, found "|O"`:                          header(weightstest.NumpyHeader("|O", false, 1)),
		`descr: a little-endian number such as <f4 expected, found "<U5"`:                         header(weightstest.NumpyHeader("<U5", false, 1)),
		`header: descr: a quoted text expected, found "[('a', '<f4')], "`:                         header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}"),
		`header: shape: ( expected, found "1}`:                                                    header("{'descr': '<f4', 'fortran_order': False, 'shape': 1}"),
		`header: fortran_order: False expected, found "0, 'shape': (1,)"`:                         header("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}"),
		`header: shape: whole numbers from 0 to 9223372036854775807 expected, found "-1,), }"`:    header(weightstest.NumpyHeader("<f4", false, -1)),
		`header: different fields expected, found "descr" twice`:                                  header("{'descr': '<f4', 'descr': '<f8', 'shape': (1,)}"),
		`header: field "shape" is missing`:                                                        header("{'descr': '<f4', 'fortran_order': False}"),
		`header: field "descr" is missing`:                                                        header("{}"),
		`header: descr, fortran_order and shape expected, found "evil"`:                           header("{'evil': __import__('os').system('true')}"),
		`header: { expected, found "__import__('os')"`:                                            header("__import__('os').system('true')"),
		`header: the end expected, found ".__class__"`:                                            header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}.__class__"),
		`header: shape: at most 64 numbers expected, found more`:                                  header(weightstest.NumpyHeader("<f4", false, make([]int, 65)...)),
		`shape: fewer than 2^63 bits expected, found [4294967296 4294967296] from dimension 1 on`: header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
	} {
		_, err := decodeNPY(t, file, 0)
		require.ErrorContains(t, err, `m: tensor "x": `+strings.TrimSuffix(want, `"`), want)
	}
}

// No changed byte of a compressed entry crashes, or gives values that do not fit
// their shape.
func TestCutCompressedEntry(t *testing.T) {
	file := zipOf(t, weightstest.Entry{Name: "x.npy", Data: npy(), Method: 8})
	body, refused := bytes.Index(file, []byte("x.npy"))+64, 0
	for i := range 60 {
		damaged := bytes.Clone(file)
		damaged[min(body+i, len(damaged)-1)] ^= 0x5a
		readEverything(t, damaged)
		if _, err := weights.DecodeFile(t.Context(), "m", damaged); err != nil {
			refused++
		}
	}
	require.Positive(t, refused)
}
