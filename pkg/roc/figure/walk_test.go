package figure

import (
	"io"
	"testing"

	"github.com/seed-2c350065/acdc/internal/misuse"
)

// Nothing that is used wrongly ends in a panic that does not say so.
func TestEveryMisuse(t *testing.T) {
	misuse.Walk(t, misuse.Package{
		Types:     []any{Figure{}},
		Fresh:     []func() any{func() any { return sample() }, func() any { f := sample(); f.Curves = f.Curves[2:]; return f }},
		Funcs:     []any{Formats},
		Arguments: []any{io.Discard, SVG, PNG, Format("gif")},
	})
}
