// Package atomicfile writes output files whole or not at all: a temporary file
// in the same folder, flushed to the disk, then renamed. It knows nothing of
// what is written.
package atomicfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
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
// directly; so are the process's own streams, /dev/stdout and the like.
func WriteFile(path string, write func(io.Writer) error) error {
	if err := writeFile(path, write); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
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
		return writeDirectly(path, write)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bare(err)
	}
	target, err := resolve(path)
	if err != nil {
		return err
	}
	if strings.HasPrefix(target, "/proc/") { // a descriptor: /dev/fd/3
		return writeDirectly(path, write)
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

// writeDirectly appends to what cannot be replaced.
func writeDirectly(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return bare(err)
	}
	if err := fill(f, write); err != nil {
		f.Close()
		return err
	}
	return bare(f.Close())
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
	renamed := false
	defer func() { // also if write panics
		if !renamed {
			temp.Close()
			os.Remove(temp.Name())
		}
	}()
	if old != nil {
		if err := temp.Chmod(old.Mode().Perm()); err != nil {
			return bare(err)
		}
	}
	if err := fill(temp, write); err != nil {
		return err
	}
	// Some network file systems know no sync.
	if err := temp.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return bare(err)
	}
	if err := temp.Close(); err != nil {
		return bare(err)
	}
	if err := os.Rename(temp.Name(), target); err != nil {
		return bare(err)
	}
	renamed = true
	return nil
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

// createTemp makes a hidden file beside target. os.CreateTemp would make it
// private, and the umask cannot be asked for safely.
func createTemp(target string) (*os.File, error) {
	folder, base := filepath.Split(target)
	base = strings.ToValidUTF8(base[:min(len(base), 200)], "")
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s.%s.%08x.tmp", folder, base, rand.Uint32())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		return f, err
	}
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
