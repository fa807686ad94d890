package hub

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/fileerror"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Cache is a folder in the layout of the Hugging Face libraries.
type Cache struct {
	Dir string
}

// NotFoundError says what was looked for in the cache, and where.
type NotFoundError struct {
	Name     string   // as it was asked for
	Revision string   // main unless another was asked for
	Looked   []string // the repositories' folders, in the order of looking
	Found    string   // what there is instead, empty if nothing
}

// Error is one line.
func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("model %s at revision %s: not in the Hugging Face cache: looked in %s", e.Name, e.Revision, strings.Join(e.Looked, " and "))
	if e.Found != "" {
		text += ": " + e.Found
	}
	return text
}

// folder is where a repository's files lie.
func (c *Cache) folder(repo string) string {
	return filepath.Join(c.Dir, "models--"+strings.ReplaceAll(repo, "/", "--"))
}

// Find returns the snapshot folder of a model: config.json and weights that are
// whole. The name is a short one or a repository's; the revision a branch, a
// tag or a commit, empty for main. What is not there is a *NotFoundError, a
// name that cannot be is a *NameError.
func (c *Cache) Find(ctx context.Context, name, revision string) (dir string, err error) {
	m, err := Resolve(name)
	if err != nil {
		return "", err
	}
	return c.find(ctx, m, revision, func(names []string) error {
		_, err := choose(names, false)
		return err
	})
}

// FindTokenizer returns the snapshot folder with the tokenizer of a model,
// which is that of another repository for some; its revision is then main.
func (c *Cache) FindTokenizer(ctx context.Context, name, revision string) (dir string, err error) {
	m, err := Resolve(name)
	if err != nil {
		return "", err
	}
	if m.Tokenizer != "" {
		if m, err = Resolve(m.Tokenizer); err != nil {
			return "", err
		}
		revision = ""
	}
	return c.find(ctx, m, revision, func(names []string) error {
		_, err := choose(names, true)
		return err
	})
}

func (c *Cache) find(ctx context.Context, m Model, revision string, whole func(names []string) error) (string, error) {
	revision, err := checkRevision(revision)
	if err != nil {
		return "", err
	}
	missing := &NotFoundError{Name: m.Name, Revision: revision}
	for _, repo := range m.Repos {
		folder := c.folder(repo)
		missing.Looked = append(missing.Looked, folder)
		if _, err := os.Stat(folder); err != nil {
			continue
		}
		dir, err := snapshot(ctx, folder, revision)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err == nil {
			var names []string
			if names, err = filesIn(dir); err == nil {
				if err = whole(names); err == nil {
					return dir, nil
				}
				err = fmt.Errorf("%s: %w%s", dir, err, broken(dir))
			}
		}
		if missing.Found == "" {
			missing.Found = err.Error()
		}
	}
	return "", missing
}

const maxRef = 256

// snapshot finds the folder of a revision.
func snapshot(ctx context.Context, folder, revision string) (string, error) {
	commit := revision
	if !commitPattern.MatchString(revision) {
		ref := filepath.Join(folder, "refs", filepath.FromSlash(revision))
		text, err := jsonfile.ReadRegular(ctx, ref, "a commit", maxRef)
		if err != nil {
			return "", fmt.Errorf("%w%s", err, others(folder))
		}
		if commit = strings.TrimSpace(string(text)); !commitPattern.MatchString(commit) {
			return "", fmt.Errorf("%s: expected a commit of 40 hex digits, found %s", ref, oneline.Quote(commit))
		}
	}
	dir := filepath.Join(folder, "snapshots", commit)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("%s: no such folder%s", dir, others(folder))
	}
	return dir, nil
}

// others says which snapshots there are.
func others(folder string) string {
	entries, _ := os.ReadDir(filepath.Join(folder, "snapshots")) // none without a folder
	var commits []string
	for _, e := range entries {
		if commitPattern.MatchString(e.Name()) {
			commits = append(commits, e.Name())
		}
	}
	switch n := len(commits); {
	case n == 0:
		return ""
	case n > 3:
		return fmt.Sprintf("; there are %d other snapshots, such as %s", n, commits[0])
	}
	return "; there is snapshot " + strings.Join(commits, ", ")
}

// broken says which links in a snapshot lead to no file, as when blobs were
// deleted or a download was not finished.
func broken(dir string) string {
	entries, _ := os.ReadDir(dir) // read before
	var links []string
	for _, e := range entries {
		if text := fileerror.Broken(filepath.Join(dir, e.Name())); text != "" {
			links = append(links, e.Name()+" is "+text)
		}
	}
	const most = 3
	if more := len(links) - most; more > 0 {
		links = append(links[:most], fmt.Sprintf("%d more such links", more))
	}
	if len(links) == 0 {
		return ""
	}
	return "; " + strings.Join(links, "; ")
}

// filesIn lists the regular files in a folder, also those that links lead to.
// Links to nothing are left out.
func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, named(dir, err)
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0 && sizeOf(filepath.Join(dir, e.Name())) >= 0 {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}
