package render

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed-2c350065/acdc/pkg/draw/render/internal/cachedir"
)

// child is a process of this very program that lays pictures out. It is asked
// over its standard input and answers over its standard output; a message is
// one byte, its length in eight, and its text. It ends when its input does,
// which a parent that dies closes, however it dies.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
	err *head
}

// The first byte of a message.
const (
	msgDOT   = 'D' // to the child: DOT text
	msgSVG   = 'S' // the child's answer: the picture
	msgError = 'E' // the child's answer: why there is none
)

// maxMessage is far more than any picture takes, in bytes.
const maxMessage = 1 << 30

// startChild starts a process that draws.
func startChild() (*child, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(path), err: &head{}}
	c.cmd.Args = os.Args[:1]
	c.cmd.Env = append(os.Environ(), cachedir.ParentVar+"="+strconv.Itoa(os.Getpid()))
	c.cmd.Stderr = c.err
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	return c, nil
}

// executable is this program's file. On Linux that is the very file that runs,
// even if another was put in its place since.
func executable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); runtime.GOOS == "linux" && err == nil {
		return self, nil
	}
	return os.Executable()
}

// ask has the child lay out DOT text. When ctx ends, or if the child does not
// answer as it should, the child is ended.
func (c *child) ask(ctx context.Context, dot []byte) (svg []byte, isAlive bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	err = writeMessage(c.in, msgDOT, dot)
	var kind byte
	var text []byte
	if err == nil {
		kind, text, err = readMessage(c.out)
	}
	isStopped := !stop()
	switch {
	case isStopped:
		err = ctx.Err()
	case err == nil && kind == msgSVG:
		return text, true, nil
	case err == nil && kind == msgError:
		return nil, true, errors.New(string(text))
	}
	c.end()
	if !isStopped {
		err = fmt.Errorf("graphviz: the process that draws ended: %s", c.reason(err))
	}
	return nil, false, err
}

// end ends the child and waits until it is gone.
func (c *child) end() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.cmd.Wait()         // what it says is told by ask
}

// reason is the first line that the child said, or how it ended.
func (c *child) reason(err error) string {
	if line, _, _ := strings.Cut(c.err.String(), "\n"); line != "" {
		return line
	}
	return fmt.Sprintf("%v (%v)", c.cmd.ProcessState, err)
}

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	const limit = 4096
	h.Buffer.Write(p[:min(len(p), max(0, limit-h.Len()))])
	return len(p), nil
}

// IsChild reports whether this process is one that another of this program
// started to draw. Its main function then calls ServeChild and nothing else.
func IsChild() bool { return cachedir.IsChild() }

// ServeChild draws for the parent until it closes r, or is gone. Graphviz may
// be drawing even then: the process is to end.
func ServeChild(r io.Reader, w io.Writer) error {
	// Graphviz keeps one thread; the end of r must be seen meanwhile. A garbage
	// collection would wait for it, and everything else for the collection: the
	// code that WebAssembly is compiled to cannot be interrupted.
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))
	debug.SetGCPercent(-1)
	runtime.GC()                     // ends one that was under way
	requests := make(chan []byte, 1) // the parent waits for each answer
	defer close(requests)
	go func() {
		for dot := range requests {
			kind := byte(msgSVG)
			text, err := graphvizSVG(dot)
			if err != nil {
				kind, text = msgError, []byte(err.Error())
			}
			_ = writeMessage(w, kind, text) // a parent that is gone closes r
			runtime.GC()
		}
	}()
	for {
		kind, dot, err := readMessage(r)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		if kind != msgDOT {
			return fmt.Errorf("standard input: expected a message %q, found %q", msgDOT, kind)
		}
		requests <- dot
	}
}

func writeMessage(w io.Writer, kind byte, text []byte) error {
	header := binary.LittleEndian.AppendUint64([]byte{kind}, uint64(len(text)))
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err := w.Write(text)
	return err
}

// readMessage returns io.EOF only where no message begins.
func readMessage(r io.Reader) (kind byte, text []byte, err error) {
	var header [9]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint64(header[1:])
	if n > maxMessage {
		return 0, nil, fmt.Errorf("a message of at most %d bytes expected, found %d", maxMessage, n)
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return header[0], b.Bytes(), nil
}
