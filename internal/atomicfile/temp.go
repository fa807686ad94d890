package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-2c350065/acdc/internal/filelock"
)

// tempFile is a temporary file beside the one it will replace. It is locked as
// long as it is written to, which tells it from what a killed process left.
type tempFile struct {
	*os.File
	lock      *filelock.Lock
	isRenamed bool
}

// The name of a temporary file is that of its target between these, and a
// random number of so many hexadecimal digits.
const (
	tempStart  = "."
	tempEnd    = ".tmp"
	tempDigits = 8
)

// tempPrefix is the folder of target, and what the names of its temporary files
// begin with.
func tempPrefix(target string) (folder, prefix string) {
	const longest = 200 // of 255 that a name may have, in bytes
	folder, base := filepath.Split(target)
	return folder, tempStart + strings.ToValidUTF8(base[:min(len(base), longest)], "") + "."
}

// createTemp makes a hidden file beside target, and removes those that killed
// processes left there. os.CreateTemp would make it private, and the umask
// cannot be asked for safely.
func createTemp(target string) (*tempFile, error) {
	folder, prefix := tempPrefix(target)
	removeLeftovers(folder, prefix)
	for try := 0; ; try++ {
		name := fmt.Sprintf("%s%s%0*x%s", folder, prefix, tempDigits, rand.Uint32(), tempEnd)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) && try < 100 {
			continue
		}
		if err != nil {
			return nil, err
		}
		t := &tempFile{File: f}
		if t.claim() {
			return t, nil
		}
		_ = f.Close() // another process took it for a leftover
	}
}

// claim locks the file. It reports false if the file is, or is being, removed;
// without a lock it goes on, and nobody removes what cannot be locked.
func (t *tempFile) claim() bool {
	if !canLock {
		return true
	}
	lock, ok, err := filelock.Try(t.Name())
	if err != nil {
		return true
	}
	if !ok {
		return false
	}
	t.lock = lock
	ours, err := t.Stat()
	if err != nil {
		return true
	}
	there, err := os.Stat(t.Name())
	if err == nil && os.SameFile(ours, there) {
		return true
	}
	_ = os.Remove(t.Name()) // locking made it anew
	_ = lock.Close()
	return false
}

// rename closes the file and puts it in the place of target.
func (t *tempFile) rename(target string) error {
	if err := t.Close(); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), target); err != nil {
		return err
	}
	t.isRenamed = true
	t.unlock()
	return nil
}

// discard removes the file, unless it was renamed.
func (t *tempFile) discard() error {
	if t.isRenamed {
		return nil
	}
	_ = t.Close() // it may be closed
	err := os.Remove(t.Name())
	t.unlock()
	return err
}

func (t *tempFile) unlock() {
	if t.lock != nil {
		_ = t.lock.Close() // the process gives it back in any case
		t.lock = nil
	}
}

// removeLeftovers removes the temporary files of a target that nobody writes.
func removeLeftovers(folder, prefix string) {
	if !canLock {
		return
	}
	entries, _ := os.ReadDir(cmp.Or(folder, ".")) // a folder that cannot be read keeps them
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemp(e.Name(), prefix) {
			continue
		}
		lock, ok, err := filelock.Try(folder + e.Name())
		if err != nil || !ok {
			continue
		}
		if lock.Excludes() {
			_ = os.Remove(folder + e.Name()) // it may belong to someone else
		}
		_ = lock.Close()
	}
}

// isTemp reports whether a name is one that createTemp makes.
func isTemp(name, prefix string) bool {
	name, isPrefixed := strings.CutPrefix(name, prefix)
	number, isEnded := strings.CutSuffix(name, tempEnd)
	return isPrefixed && isEnded && len(number) == tempDigits && strings.Trim(number, "0123456789abcdef") == ""
}
