// Package atomicfile writes output files whole or not at all: a temporary file
// in the same folder, flushed to the disk, then renamed. It knows nothing of
// what is written.
//
// A process that is killed leaves its temporary file behind. The next that
// writes the same file removes it (temp.go).
package atomicfile

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const bufferSize = 1 << 16

// WriteFile gives path the content that write produces. On an error, which
// names the path, an older file stays as it was and nothing else remains.
//
// A new file has mode 0644 less the umask; one that is replaced passes its
// permissions on, and must be writable itself. A symbolic link stays and its
// target is written. Hard links are cut. What exists and is no regular file,
// such as a named pipe or a device, cannot be replaced and is written to
// directly; so are the process's own streams, /dev/stdout and the like. The end
// of ctx ends also a wait for the reader of a pipe; write must heed it itself.
func WriteFile(ctx context.Context, path string, write func(io.Writer) error) error {
	if err := writeFile(ctx, path, write); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func writeFile(ctx context.Context, path string, write func(io.Writer) error) error {
	if path == "" {
		return errors.New("a file name expected, found none")
	}
	if stream := standardStream(path); stream != nil {
		return fill(stream, write)
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return errors.New("a file expected, found a directory")
	}
	if err == nil && !info.Mode().IsRegular() {
		return writeDirectly(ctx, path, write)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bare(err)
	}
	target, err := resolve(path)
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, "/proc/") { // a descriptor: /dev/fd/3
		return writeDirectly(ctx, path, write)
	}
	return replace(target, write)
}

// standardStream recognises the process's own streams. Opened anew they would
// have a position of their own, and overwrite what is printed there.
func standardStream(path string) *os.File {
	switch filepath.Clean(path) {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr
	}
	return nil
}

// resolve follows symbolic links to the file to be written, which need not
// exist. It stops at a link below /proc, which is no name but a descriptor.
func resolve(path string) (string, error) {
	const maxLinks = 40 // as Linux
	for range maxLinks {
		// Not filepath.Dir: it would resolve ".." before the links.
		folder, base := filepath.Split(path)
		folder, err := filepath.EvalSymlinks(cmp.Or(folder, "."))
		if err != nil {
			return "", fmt.Errorf("folder %s: %w", filepath.Dir(path), bare(err))
		}
		path = filepath.Join(folder, base)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err != nil {
			return "", bare(err)
		}
		if strings.HasPrefix(path, "/proc/") {
			return path, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", bare(err)
		}
		if !filepath.IsAbs(link) {
			link = folder + string(filepath.Separator) + link
		}
		path = link
	}
	return "", errors.New("too many symbolic links")
}

// replace writes a temporary file beside target and renames it.
func replace(target string, write func(io.Writer) error) error {
	old, err := existing(target)
	if err != nil {
		return err
	}
	temp, err := createTemp(target)
	if err != nil {
		return fmt.Errorf("folder %s: %w", filepath.Dir(target), bare(err))
	}
	defer temp.discard() // also if write panics
	if old != nil {
		if err := temp.Chmod(old.Mode().Perm()); err != nil {
			return bare(err)
		}
	}
	if err := fill(temp.File, write); err != nil {
		return err
	}
	// Some network file systems know no sync.
	if err := temp.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return bare(err)
	}
	return bare(temp.rename(target))
}

// existing describes the file to be replaced, nil if there is none. A file
// that its owner protected against writing is not to be replaced either.
func existing(target string) (fs.FileInfo, error) {
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	return info, bare(err)
}

// fill runs write on a buffered file.
func fill(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(nameless{f}, bufferSize)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// nameless takes the name of the temporary file, which says nothing to the
// user, out of write errors.
type nameless struct{ f *os.File }

func (n nameless) Write(p []byte) (int, error) {
	count, err := n.f.Write(p)
	return count, bare(err)
}

// bare returns the cause of an error that names a file.
func bare(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}
