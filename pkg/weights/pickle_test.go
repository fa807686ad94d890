package weights

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What each opcode leaves, as Python's pickle.loads does.
func TestPickleValues(t *testing.T) {
	for pickle, want := range map[string]any{
		"I00\n.":                        false,
		"I01\n.":                        true,
		"I-7\n.":                        int64(-7),
		"L70000000000L\n.":              int64(70000000000),
		"L-1L\n.":                       int64(-1),
		"L119547037146038801333356L\n.": bigInt("119547037146038801333356"),
		"K\xff.":                        int64(255),
		"M\x34\x12.":                    int64(0x1234),
		"J\xff\xff\xff\xff.":            int64(-1),
		"\x80\x02\x8a\x00.":             int64(0),
		"\x80\x02\x8a\x01\xff.":         int64(-1),
		"\x80\x02\x8a\x02\xff\x00.":     int64(255),
		"\x80\x02\x8b\x03\x00\x00\x00\x00\x00\x80.": int64(-1 << 23),
		"F-1.5\n.":                           -1.5,
		"G\x3f\xf8\x00\x00\x00\x00\x00\x00.": 1.5,
		"N.":                                 nil,
		"\x88.":                              true,
		"\x89.":                              false,
		"S'ab'\n.":                           "ab",
		"S\"a'b\"\n.":                        "a'b",
		"Vab\n.":                             "ab",
		"U\x02ab.":                           "ab",
		"T\x02\x00\x00\x00ab.":               "ab",
		"X\x02\x00\x00\x00\xc3\xbc.":         "ü",
		"\x8c\x02ab.":                        "ab",
		"\x8d\x02\x00\x00\x00\x00\x00\x00\x00ab.": "ab",
		"C\x02ab.":               opaque("bytes"),
		"\x8f(K\x01K\x02\x90.":   opaque("a set"),
		"(K\x01K\x02\x91.":       opaque("a set"),
		").":                     tuple(nil),
		"K\x01K\x02\x86.":        tuple{int64(1), int64(2)},
		"K\x01K\x02K\x03\x87.":   tuple{int64(1), int64(2), int64(3)},
		"(K\x01t.":               tuple{int64(1)},
		"(K\x01Nl.":              &list{[]any{int64(1), nil}},
		"](K\x01NeK\x02a.":       &list{[]any{int64(1), nil, int64(2)}},
		"(X\x01\x00\x00\x00aNd.": &dict{entries: []dictEntry{{"a", nil}}},
		"}(X\x01\x00\x00\x00aNK\x01K\x02uX\x01\x00\x00\x00aK\x03s.": &dict{entries: []dictEntry{{"a", nil}, {"a", int64(3)}}},
		"K\x05q\x010Nh\x01\x86.":                                    tuple{nil, int64(5)},
		"K\x05p300\n0Ng300\n\x86.":                                  tuple{nil, int64(5)},
		"K\x05r\x00\x01\x00\x000j\x00\x01\x00\x00.":                 int64(5),
		"\x80\x04K\x05\x940h\x00.":                                  int64(5),
		"K\x052\x86.":                                               tuple{int64(5), int64(5)},
		"K\x05(0.":                                                  int64(5),
		"K\x05(NN1.":                                                int64(5),
		"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x05.":        int64(5),
		"ctorch\nSize\n(K\x02K\x03t\x85R.":                          tuple{int64(2), int64(3)},
		"ctorch\nSize\n](K\x02K\x03e\x85R.":                         tuple{int64(2), int64(3)},
		"\x8c\x05torch\x8c\x08bfloat16\x93.":                        BF16,
	} {
		m := newMachine(t.Context(), []byte(pickle))
		got, err := m.load()
		require.NoError(t, err, "%q", pickle)
		require.Equal(t, want, got, "%q", pickle)
		require.Equal(t, len(pickle), m.pos)
	}
	last, err := newMachine(t.Context(), []byte("}(X\x01\x00\x00\x00aNX\x01\x00\x00\x00aK\x03u.")).load()
	require.NoError(t, err)
	require.Equal(t, int64(3), last.(*dict).get("a"), "the last of two keys, as in Python")
}

// Every opcode alone is an error: it lacks what it works on, or a STOP.
func TestPickleCutAfterEachOpcode(t *testing.T) {
	for code, op := range opcodes {
		if op.run == nil {
			continue
		}
		_, err := newMachine(t.Context(), []byte{byte(code)}).load()
		require.Error(t, err, op.name)
	}
}

func TestCompressedEntryOfAnotherSize(t *testing.T) {
	// A deflate block, stored: final, 3 bytes "abc".
	file := []byte{1, 3, 0, 0xfc, 0xff, 'a', 'b', 'c'}
	m := member{size: int64(len(file)), full: 3, compressed: true, crc: 0x352441c2}
	got, err := m.bytes(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	for want, change := range map[string]func(m *member){
		"compressed entry: 2 bytes expected, found more":               func(m *member) { m.full = 2 },
		"compressed entry: 4 bytes expected, found 3":                  func(m *member) { m.full = 4 },
		"compressed entry: checksum 00000000 expected, found 352441c2": func(m *member) { m.crc = 0 },
		"compressed entry: truncated":                                  func(m *member) { m.size-- },
		"compressed entry: deflate data expected, found other bytes":   func(m *member) { m.start, m.size = 3, 5 },
	} {
		changed := m
		change(&changed)
		_, err := changed.bytes(t.Context(), file)
		require.EqualError(t, err, want)
	}
}
