// Package cli is the acdc command line. Each command stands in one file: its
// flags fill an options struct, and its run function does the work with it.
//
// The steps of every command:
//
//  1. flags are parsed and checked, each choice by the package that owns it;
//  2. output files are checked to be writable, before anything is computed;
//  3. model and data are opened (subject.go) and the work is done;
//  4. files are written whole or not at all, and standard output last
//     (output.go);
//  5. an error becomes one line on standard error and an exit code (errors.go).
//
// Standard output carries results only; progress, summaries and warnings go to
// standard error.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// app is one invocation of the program.
type app struct {
	args   []string
	stdin  io.Reader
	stdout *output
	stderr io.Writer

	// writing is held while output files are written, so that an interrupt
	// does not end the process halfway.
	writing sync.Mutex
}

// output remembers the first error of writing to it, which printing to a
// terminal or a pipe would otherwise lose.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("standard output: %w", bare(err))
	}
	return n, err
}

// Main runs the program on its arguments, without its own name, and returns
// its exit code. Interrupt and termination signals, and the end of ctx, stop it
// within a second.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	a := &app{args: args, stdin: stdin, stdout: &output{w: stdout}, stderr: stderr}
	cmd, err := a.execute(ctx)
	if a.stdout.err != nil {
		err = a.stdout.err
	}
	if err == nil {
		return codeDone
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	fmt.Fprintln(stderr, "acdc: "+message(cmd, err))
	return exitCode(err)
}

// grace is how long an interrupted command may take to stop by itself. What
// cannot be stopped, such as a matrix product, is abandoned.
const grace = 700 * time.Millisecond

// execute runs the command that the arguments name.
func (a *app) execute(ctx context.Context) (*cobra.Command, error) {
	type answer struct {
		cmd *cobra.Command
		err error
	}
	done := make(chan answer, 1)
	go func() {
		cmd, err := newRoot(a).ExecuteContextC(ctx)
		done <- answer{cmd, err}
	}()
	select {
	case r := <-done:
		return r.cmd, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return r.cmd, r.err
	case <-time.After(grace):
		a.writing.Lock() // and never unlocked: nothing may be written any more
		return nil, ctx.Err()
	}
}

// print writes text to standard output; an error is kept and reported by Main.
func (a *app) print(text string) { _, _ = io.WriteString(a.stdout, text) }
