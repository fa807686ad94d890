package discover

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/seed-2c350065/acdc/internal/filelock"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Field is one of the things that make a run what it is: a checkpoint of a run
// that differs in one is refused.
type Field struct {
	Name, Value string
	Of          string `json:"-"` // what the value is a digest of, for errors, if it is one: the weights of model x
}

// expected says what a checkpoint should have, in words.
func (f Field) expected() string {
	if f.Of != "" {
		return f.Of
	}
	return oneline.Shorten(strconv.Quote(f.Value))
}

// found says what it has instead, by its own value.
func (f Field) found(value string) string {
	if f.Of != "" {
		return "another"
	}
	return oneline.Quote(value)
}

// Checkpoint is a file to which a run's records are appended, JSON on a line
// each, so that whatever kills the process, the lines before it stand. A line
// that was cut short is dropped when the file is opened again.
type Checkpoint struct {
	file   *os.File
	lock   *filelock.Lock
	name   string
	done   [][]byte
	anew   bool // the file held no more than a part of its first line
	synced time.Time
}

// ErrLocked is why a checkpoint cannot be opened now, and can later.
var ErrLocked = errors.New("another process is writing to it")

// checkpointFormat is the version of the file format.
const checkpointFormat = 2

// checkpointHead is the first line of the file.
type checkpointHead struct {
	Format int     `json:"acdc_checkpoint"`
	Run    []Field `json:"run"`
}

// OpenCheckpoint opens a run's checkpoint, or begins one if there is no file.
// A file that is no checkpoint, or one of another run, is left as it is, and
// the error says what differs.
func OpenCheckpoint(path string, run []Field) (*Checkpoint, error) {
	head, err := json.Marshal(checkpointHead{checkpointFormat, run})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, checkpointError(path, err)
	}
	c := &Checkpoint{file: f, name: path}
	if err := c.read(append(head, '\n'), run); err != nil {
		_ = c.release() // the first error says more
		return nil, err
	}
	return c, nil
}

// checkpointError is one line that names the file.
func checkpointError(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: checkpoint: %w", path, err)
}

// read takes what the file holds, and leaves it ready to be appended to.
func (c *Checkpoint) read(head []byte, run []Field) error {
	if info, err := c.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s: checkpoint: expected a regular file", c.name)
	}
	lock, ok, err := filelock.Try(c.name)
	if err != nil {
		return checkpointError(c.name, err)
	}
	if !ok {
		return fmt.Errorf("%s: checkpoint: %w", c.name, ErrLocked)
	}
	c.lock = lock
	r := bufio.NewReaderSize(c.file, maxHead)
	first, err := r.ReadSlice('\n')
	first = bytes.Clone(first)
	if errors.Is(err, bufio.ErrBufferFull) {
		return c.notOne()
	}
	if err == io.EOF && bytes.HasPrefix(head, first) { // new, or killed while it was begun
		c.anew = len(first) > 0
		return c.begin(head)
	}
	if err != nil && err != io.EOF {
		return checkpointError(c.name, err)
	}
	if err := c.check(first, run); err != nil {
		return err
	}
	good := int64(len(first))
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			break // what stands after the last whole line was cut short
		}
		if err != nil {
			return checkpointError(c.name, err)
		}
		if !json.Valid(line) {
			return fmt.Errorf("%s: checkpoint: damaged at byte %d: expected JSON", c.name, good)
		}
		c.done = append(c.done, bytes.TrimSuffix(line, []byte("\n")))
		good += int64(len(line))
	}
	return c.cut(good)
}

// begin writes the first line.
func (c *Checkpoint) begin(head []byte) error {
	if err := c.cut(0); err != nil {
		return err
	}
	return c.write(head)
}

// cut drops what stands after the first n bytes.
func (c *Checkpoint) cut(n int64) error {
	if err := c.file.Truncate(n); err != nil {
		return checkpointError(c.name, err)
	}
	if _, err := c.file.Seek(n, io.SeekStart); err != nil {
		return checkpointError(c.name, err)
	}
	return nil
}

// maxHead bounds the first line, in bytes. Its longest field is the data's name.
const maxHead = 1 << 20

// notOne is the error of a file that is something else.
func (c *Checkpoint) notOne() error {
	return fmt.Errorf("%s: not a checkpoint: it is left as it is", c.name)
}

// check compares the first line with the run.
func (c *Checkpoint) check(first []byte, run []Field) error {
	var h checkpointHead
	if err := jsonfile.Decode(context.Background(), c.name, first, &h); err != nil || h.Format == 0 {
		return c.notOne()
	}
	if h.Format != checkpointFormat {
		return fmt.Errorf("%s: checkpoint: expected format %d, found %d", c.name, checkpointFormat, h.Format)
	}
	for i := range max(len(h.Run), len(run)) {
		switch {
		case i >= len(h.Run):
			return fmt.Errorf("%s: checkpoint of another run: %s: expected %s, found none", c.name, run[i].Name, run[i].expected())
		case i >= len(run), h.Run[i].Name != run[i].Name:
			return fmt.Errorf("%s: checkpoint of another run: %s: found %s, which this run does not have", c.name, oneline.Shown(h.Run[i].Name), oneline.Quote(h.Run[i].Value))
		case h.Run[i].Value != run[i].Value:
			return fmt.Errorf("%s: checkpoint of another run: %s: expected %s, found %s", c.name, run[i].Name, run[i].expected(), run[i].found(h.Run[i].Value))
		}
	}
	return nil
}

// Anew reports whether the file held a beginning only, cut short, so that the run
// begins anew.
func (c *Checkpoint) Anew() bool { return c.anew }

// Progress is what the file held when it was opened, and appends to it.
func (c *Checkpoint) Progress() Progress { return Progress{Done: c.done, Save: c.Save} }

// Save appends a record, which must be JSON on one line.
func (c *Checkpoint) Save(record []byte) error {
	if !json.Valid(record) || bytes.ContainsRune(record, '\n') {
		panic(fmt.Sprintf("discover: Checkpoint.Save: not JSON on one line: %.80q", record))
	}
	return c.write(append(record[:len(record):len(record)], '\n'))
}

// syncEvery is how often the file is forced to the disk. A killed process
// loses nothing in between, only a machine that fails does.
const syncEvery = time.Second

func (c *Checkpoint) write(line []byte) error {
	if _, err := c.file.Write(line); err != nil {
		return checkpointError(c.name, err)
	}
	if now := time.Now(); now.Sub(c.synced) > syncEvery {
		c.synced = now
		if err := c.file.Sync(); err != nil {
			return checkpointError(c.name, err)
		}
	}
	return nil
}

// release gives the file back.
func (c *Checkpoint) release() error {
	err := c.file.Close()
	if c.lock != nil {
		err = errors.Join(err, c.lock.Close())
	}
	return err
}

// Close closes the file, which stays.
func (c *Checkpoint) Close() error {
	if err := c.file.Sync(); err != nil {
		_ = c.release() // the first error says more
		return checkpointError(c.name, err)
	}
	return c.release()
}
