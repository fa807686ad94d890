package hub

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// The limits of what a server may say about a repository.
const (
	maxListing = 32 << 20
	maxFiles   = 100_000
)

// listing is the commit of a revision, and its files.
type listing struct {
	commit string
	files  []remoteFile
}

// remoteFile is a file as the server describes it.
type remoteFile struct {
	name string
	size int64  // -1 where it is not stated
	etag string // SHA-256, or SHA-1 as git computes it, in hex; empty where it is not stated
}

var etagPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// apiModel is the part that matters of the answer about a revision.
type apiModel struct {
	SHA      string    `json:"sha"`
	Siblings []apiFile `json:"siblings"`
}

// apiFile is a file in that answer. What large files say of themselves stands
// in a part of its own.
type apiFile struct {
	Name   string `json:"rfilename"`
	Size   *int64 `json:"size"`
	BlobID string `json:"blobId"`
	LFS    *struct {
		SHA256 string `json:"sha256"`
		OID    string `json:"oid"`
		Size   *int64 `json:"size"`
	} `json:"lfs"`
}

// readListing reads the answer about a revision.
func readListing(ctx context.Context, r io.Reader) (*listing, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxListing+1))
	if err != nil {
		return nil, &brokenError{err}
	}
	if len(data) > maxListing {
		return nil, fmt.Errorf("expected an answer of at most %d bytes, found more", maxListing)
	}
	text, err := jsonfile.Clean(ctx, data, jsonfile.Options{})
	if err != nil {
		return nil, fmt.Errorf("expected a JSON object, found %s: %w", excerpt(string(data)), err)
	}
	var m apiModel
	if err := jsonfile.Unmarshal(ctx, text, &m); err != nil {
		return nil, err
	}
	return m.listing()
}

func (m *apiModel) listing() (*listing, error) {
	l := &listing{commit: strings.ToLower(m.SHA)}
	if !commitPattern.MatchString(l.commit) {
		return nil, fmt.Errorf("field \"sha\": expected a commit of 40 hex digits, found %s", excerpt(m.SHA))
	}
	if len(m.Siblings) > maxFiles {
		return nil, fmt.Errorf("field \"siblings\": expected at most %d files, found %d", maxFiles, len(m.Siblings))
	}
	seen := map[string]bool{}
	for i, s := range m.Siblings {
		if !safeName(s.Name) {
			return nil, fmt.Errorf("field \"siblings[%d].rfilename\": expected a name inside the repository, found %s", i, excerpt(s.Name))
		}
		if seen[s.Name] {
			return nil, fmt.Errorf("field \"siblings[%d].rfilename\": expected a name not yet used, found %s", i, excerpt(s.Name))
		}
		seen[s.Name] = true
		f, err := s.file()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		l.files = append(l.files, f)
	}
	return l, nil
}

func (a *apiFile) file() (remoteFile, error) {
	f := remoteFile{name: a.Name, size: -1, etag: a.BlobID}
	size := a.Size
	if a.LFS != nil {
		f.etag = cmp.Or(a.LFS.SHA256, a.LFS.OID)
		if a.LFS.Size != nil {
			size = a.LFS.Size
		}
	}
	if size != nil {
		if f.size = *size; f.size < 0 {
			return f, fmt.Errorf("field \"size\": expected a number of at least 0, found %d", f.size)
		}
	}
	if f.etag = strings.ToLower(f.etag); f.etag != "" && !etagPattern.MatchString(f.etag) {
		return f, fmt.Errorf("expected a checksum of 40 or 64 hex digits, found %s", excerpt(f.etag))
	}
	return f, nil
}

// safeName accepts relative paths that stay where they are put, on every
// operating system.
func safeName(name string) bool {
	if name == "." || !fs.ValidPath(name) || strings.ContainsAny(name, `\:`) {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// names lists the files.
func (l *listing) names() []string {
	out := make([]string, len(l.files))
	for i, f := range l.files {
		out[i] = f.name
	}
	return out
}

// file returns a file that is in the list.
func (l *listing) file(name string) remoteFile {
	for _, f := range l.files {
		if f.name == name {
			return f
		}
	}
	return remoteFile{name: name, size: -1}
}

// excerpt quotes the beginning of a text.
func excerpt(text string) string {
	const most = 60
	if len(text) > most {
		return fmt.Sprintf("%q…", text[:most])
	}
	return fmt.Sprintf("%q", text)
}
