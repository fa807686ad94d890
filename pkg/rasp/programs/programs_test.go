package programs

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-2c350065/acdc/pkg/rasp"
	"github.com/seed-2c350065/acdc/pkg/rasp/text"
)

// What each program says of some inputs, written by hand.
func TestProgramsMeanWhatTheySay(t *testing.T) {
	cases := []struct{ program, input, want string }{
		{"reverse", "1,2,3,3", "3,3,2,1"},
		{"reverse", "2", "2"},
		{"proportion", "x,w,x,y,x", "1,0.5,0.6666666666666666,0.5,0.6"},
		{"length", "a,b,a", "3,3,3"},
		{"histogram", "a,b,a,d", "2,1,2,1"},
		{"sort", "4,2,6,1", "1,2,4,6"},
		{"sort", "2,1,2", "1,2,undefined"},
		{"dyck-1", "(,),(,(,),)", "0,1,0,0,0,1"},
		{"dyck-1", "(,),),(,(", "0,1,-1,-1,-1"},
		{"most-frequent", "c,b,b,a,c,b", "b,c,a,undefined,undefined,undefined"},
		{"most-frequent", "c,a", "a,c"},
		{"detect-pattern", "a,b,c,a,b,b", "false,false,true,false,false,false"},
		{"detect-pattern", "b,c", "false,false"},
		{"induction", "a,b,a,c,b,a", "undefined,undefined,b,undefined,a,b"},
		{"parity", "1,0,1,1", "1,1,0,1"},
	}
	shown := map[string]bool{}
	for _, c := range cases {
		f, err := Parse(c.program)
		require.NoError(t, err)
		program, err := f.Program()
		require.NoError(t, err)
		d, err := f.Domain(nil, 0, false)
		require.NoError(t, err)
		input, err := text.ParseVocab(c.input)
		require.NoError(t, err)
		got, err := rasp.Eval(program, d, input)
		require.NoError(t, err)
		assert.Equal(t, c.want, joined(got), "%s(%s)", c.program, c.input)
		shown[c.program] = true
	}
	assert.Len(t, shown, len(Names()), "a case for each program")
}

func joined(values []rasp.Value) (out string) {
	for i, v := range values {
		if i > 0 {
			out += ","
		}
		out += v.String()
	}
	return out
}

func TestProgramsAreByName(t *testing.T) {
	assert.Equal(t, []string{"detect-pattern", "dyck-1", "histogram", "induction", "length", "most-frequent", "parity", "proportion", "reverse", "sort"}, Names())
	_, err := Source("revers")
	assert.ErrorContains(t, err, `reverse`)
	_, err = Parse("../programs")
	assert.Error(t, err)
}
