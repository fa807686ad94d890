package choice

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type colour string

var colours = []colour{"red", "blue", ""}

func TestParse(t *testing.T) {
	c, err := Parse("colour", "blue", colours)
	require.NoError(t, err)
	assert.Equal(t, colour("blue"), c)
	_, err = Parse("colour", "green\x1b", colours)
	assert.EqualError(t, err, `unknown colour "green\x1b": expected one of red, blue, `)
	_, err = Parse("colour", strings.Repeat("x", 1000), colours)
	assert.Less(t, len(err.Error()), 300)
}

func TestFind(t *testing.T) {
	type entry struct{ name string }
	entries := []entry{{"a"}, {"b"}}
	name := func(e entry) string { return e.name }
	e, err := Find("letter", "b", entries, name)
	require.NoError(t, err)
	assert.Equal(t, entries[1], e)
	_, err = Find("letter", "c", entries, name)
	assert.EqualError(t, err, `unknown letter "c": expected one of a, b`)
}

func TestLists(t *testing.T) {
	assert.Equal(t, "red, blue", List(colours[:2]))
	assert.Equal(t, `"red", "blue", null`, Quoted(colours))
	assert.Equal(t, []string{"red", "blue", ""}, Texts(colours))
}
