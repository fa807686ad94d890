package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/internal/sweep"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// The exit codes.
const (
	codeDone        = 0
	codeFailed      = 1
	codeUsage       = 2
	codeAgain       = 75 // EX_TEMPFAIL: what stands in the way may go
	codeInterrupted = 130
	codeTerminated  = 143 // as of a process that SIGTERM ended, of commands that an engine restarts
)

// terminatedError is the end of a command by SIGTERM that an engine will start
// again.
type terminatedError struct{ error }

func (e *terminatedError) Unwrap() error { return e.error }

// ended is the error of a command whose context ended.
func ended(ctx context.Context, cmd *cobra.Command) error {
	var by *signalError
	if cmd != nil && strings.HasPrefix(cmd.CommandPath()+" ", "acdc sweep ") && errors.As(context.Cause(ctx), &by) && by.Signal == syscall.SIGTERM {
		return &terminatedError{ctx.Err()}
	}
	return ctx.Err()
}

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// isUsage reports whether an error is the user's way to call the program.
func isUsage(err error) bool {
	var usage *usageError
	var spec *study.UsageError
	var name *zoo.NameError
	var repository *hub.NameError
	var grid *sweep.UsageError
	return errors.As(err, &grid) || errors.As(err, &usage) || errors.As(err, &spec) || errors.As(err, &name) || errors.As(err, &repository)
}

// exitCode is the only place that maps errors to exit codes.
func exitCode(err error) int {
	var later *againError
	var ended *terminatedError
	var changed *sweep.ChangedError
	switch {
	case err == nil:
		return codeDone
	case errors.As(err, &ended):
		return codeTerminated
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return codeInterrupted
	case errors.As(err, &later):
		return codeAgain
	case isUsage(err), errors.As(err, &changed): // neither gets better by trying again
		return codeUsage
	}
	return codeFailed
}

// longest bounds an error's text, in characters.
const longest = 1500

// message is an error as one line; after wrong usage it says where help is.
func message(cmd *cobra.Command, err error) string {
	if code := exitCode(err); code == codeInterrupted || code == codeTerminated {
		return "interrupted"
	}
	text := oneline.Middle(oneline.Plain(strings.Join(strings.Fields(err.Error()), " ")), longest)
	if isUsage(err) && cmd != nil {
		text += " (see " + cmd.CommandPath() + " --help)"
	}
	return text
}

// bare returns the cause of an error that names a file.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
