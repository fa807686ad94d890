package tensor

import (
	"errors"
	"fmt"
)

// ErrShape is what the package panics with, wrapped with the numbers, when
// the shapes it is handed do not fit together.
var ErrShape = errors.New("tensor: shape mismatch")

// ErrKernel is the error of ForceKernel for a name this machine has not.
var ErrKernel = errors.New("tensor: unknown kernel")

func shapeError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrShape}, args...)...)
}

// sameLen panics with ErrShape unless a and b are equal.
func sameLen(op string, a, b int) {
	if a != b {
		panic(shapeError("%s: lengths %d and %d", op, a, b))
	}
}
