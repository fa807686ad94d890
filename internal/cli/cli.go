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
	"syscall"
)

// app is one invocation of the program.
type app struct {
	args   []string
	stdin  io.Reader
	stdout *output
	stderr io.Writer
}

// output remembers the first error of writing to it, which printing to a
// terminal or a pipe would otherwise lose.
type output struct {
	w   io.Writer
	raw io.Writer // what is written to in the end
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
// its exit code. A signal to stop, and the end of ctx, stop it within a second:
// whatever takes long ends with ctx, and is waited for.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal(ctx, stopSignals()...)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if wasClosed(stdout) {
		stdout = closedStream{}
	}
	a := &app{args: args, stdin: stdin, stdout: &output{w: awaited{ctx, stdout}, raw: stdout}, stderr: stderr}
	cmd, err := newRoot(a).ExecuteContextC(ctx)
	if a.stdout.err != nil {
		err = a.stdout.err
	}
	if err == nil {
		return codeDone
	}
	if ctx.Err() != nil {
		err = ended(ctx, cmd)
	}
	fmt.Fprintln(stderr, "acdc: "+message(cmd, err))
	return exitCode(err)
}

// signalError is the cause of a context's end by a signal.
type signalError struct{ os.Signal }

func (e *signalError) Error() string { return e.String() }

// untilSignal is a context that ends with a signal, its cause, after which
// signals do what they usually do once stop was called.
func untilSignal(ctx context.Context, signals ...os.Signal) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	came := make(chan os.Signal, 1)
	signal.Notify(came, signals...)
	go func() {
		select {
		case s := <-came:
			cancel(&signalError{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(came)
		cancel(nil)
	}
}

// stopSignals are those that stop a command: an interrupt, a request to
// terminate, and the loss of the terminal, unless nohup had it ignored.
func stopSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} { // which nohup and background scripts ignore
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// print writes text to standard output; an error is kept and reported by Main.
func (a *app) print(text string) { _, _ = io.WriteString(a.stdout, text) }
