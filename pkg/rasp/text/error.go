package text

import (
	"fmt"

	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Pos is a place in a file, both numbers from 1; columns count runes.
type Pos struct{ Line, Column int }

// Error is what is wrong at a place of a file.
type Error struct {
	File string
	Pos
	Msg string
}

// Error writes the error as compilers do.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", oneline.Shown(e.File), e.Line, e.Column, e.Msg)
}

func errorAt(file string, at Pos, format string, args ...any) *Error {
	return &Error{file, at, fmt.Sprintf(format, args...)}
}
