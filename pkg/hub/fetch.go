package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seed-2c350065/acdc/internal/filelock"
)

// fetch brings one file into the snapshot folder.
func (p *pull) fetch(ctx context.Context, f remoteFile) error {
	pieces := append(strings.Split(p.repo, "/"), "resolve", p.commit)
	address := p.address(append(pieces, strings.Split(f.name, "/")...)...)
	tell := func(err error, d time.Duration) {
		p.report(Event{Kind: Retrying, File: f.name, Size: f.size, Sum: p.sum, Wait: d, Err: err})
	}
	if f.etag == "" || f.size < 0 {
		known := max(0, f.size)
		if err := p.retry(ctx, tell, func() (bool, error) { return false, p.describe(ctx, address, &f) }); err != nil {
			return err
		}
		p.all += max(0, f.size) - known
	}
	pointer, blob := filepath.Join(p.snapshot(), filepath.FromSlash(f.name)), filepath.Join(p.folder, "blobs", f.etag)
	if !whole(pointer, f) {
		present, err := p.fetchBlob(ctx, tell, address, blob, f)
		if err == nil {
			err = p.point(ctx, pointer, blob)
		}
		if err != nil {
			return err
		}
		if !present {
			p.done(Finished, f, pointer)
			return nil
		}
	}
	p.done(Present, f, pointer)
	return nil
}

// whole reports whether a file is there. Its name vouches for its content,
// since a file gets it only after its checksum was found right.
func whole(path string, f remoteFile) bool {
	size := sizeOf(path)
	return size >= 0 && (f.size < 0 || size == f.size)
}

func (p *pull) done(kind Kind, f remoteFile, path string) {
	size := sizeOf(path)
	p.event(kind, f, size)
	p.sum += size
	p.out.Files = append(p.out.Files, File{p.repo, f.name, size, kind == Present})
}

// fetchBlob downloads a file's content, unless it is there or another process
// brings it.
func (p *pull) fetchBlob(ctx context.Context, tell func(error, time.Duration), address, blob string, f remoteFile) (present bool, err error) {
	if whole(blob, f) {
		return true, nil
	}
	if err := os.MkdirAll(filepath.Dir(blob), 0o777); err != nil {
		return false, named(filepath.Dir(blob), err)
	}
	lock, err := p.lock(ctx, f)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	if whole(blob, f) {
		return true, nil
	}
	partial := blob + ".incomplete"
	if err := p.retry(ctx, tell, func() (bool, error) { return p.transfer(ctx, address, partial, f) }); err != nil {
		return false, err
	}
	p.event(Checking, f, max(0, sizeOf(partial)))
	if err := verify(ctx, partial, f); err != nil {
		return false, err
	}
	return false, named(blob, os.Rename(partial, blob))
}

const lockPause = 100 * time.Millisecond

// lock waits until no other process downloads the file, and locks it as the
// Python libraries do.
func (p *pull) lock(ctx context.Context, f remoteFile) (*filelock.Lock, error) {
	path := filepath.Join(p.Cache, ".locks", filepath.Base(p.folder), f.etag+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, named(filepath.Dir(path), err)
	}
	for told := false; ; told = true {
		lock, ok, err := filelock.Try(path)
		if ok {
			return lock, nil
		}
		if err == nil {
			if !told {
				p.event(Waiting, f, 0)
			}
			err = wait(ctx, lockPause)
		}
		if err != nil {
			return nil, named(path, err)
		}
	}
}

// transfer asks for what is missing of a file. It reports whether there is more
// of it than before.
func (p *pull) transfer(ctx context.Context, address, partial string, f remoteFile) (achieved bool, err error) {
	out, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return false, named(partial, err)
	}
	defer out.Close()
	before, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return false, named(partial, err)
	}
	if before == f.size {
		return true, nil
	}
	if f.size >= 0 && before > f.size {
		before = 0
	}
	after, err := p.receive(ctx, address, out, before, f)
	if closing := out.Close(); err == nil {
		err = named(partial, closing)
	}
	return after > before, err
}

// receive appends to the first n bytes of a file, or begins anew where the
// server does. It returns how many there are then.
func (p *pull) receive(ctx context.Context, address string, out *os.File, n int64, f remoteFile) (int64, error) {
	ctx, watch := p.watch(ctx)
	defer watch.stop()
	header := http.Header{}
	if n > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", n))
	}
	r, err := p.send(ctx, http.MethodGet, address, header)
	if err != nil {
		return n, err
	}
	defer r.Body.Close()
	n, err = p.accept(r, n, f)
	if err != nil && !errors.Is(err, errNoMore) {
		return n, err
	}
	if err := rewind(out, n); err != nil {
		return n, named(out.Name(), err)
	}
	if err == nil {
		n, err = p.store(watch.reader(r.Body), out, n, f)
	}
	if err == nil {
		err = named(out.Name(), out.Sync())
	}
	var broken *brokenError
	if errors.As(err, &broken) {
		err = fmt.Errorf("%s: %s: %w", f.name, r.host, watch.explain(err))
	}
	return n, err
}

// rewind makes a file end at n.
func rewind(f *os.File, n int64) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err == nil && end != n {
		err = f.Truncate(n)
	}
	if err == nil {
		_, err = f.Seek(n, io.SeekStart)
	}
	return err
}

// errNoMore is a server's answer to a range that begins behind the end: what
// was here before was of another file.
var errNoMore = errors.New("the server has no such range; beginning anew")

// accept checks an answer against what was asked for, and returns the place in
// the file at which its content begins.
func (p *pull) accept(r *reply, n int64, f remoteFile) (int64, error) {
	n, err := place(r, n, f)
	if err != nil {
		return n, err
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return n, fmt.Errorf("%s: expected the file itself, found it encoded as %s by %s", f.name, excerpt(encoding), r.host)
	}
	if r.commit != "" && r.commit != p.commit {
		return n, fmt.Errorf("%s: expected it of commit %s, found %s", f.name, p.commit, excerpt(r.commit))
	}
	if r.etag != "" && etagPattern.MatchString(r.etag) && len(r.etag) == len(f.etag) && r.etag != f.etag {
		return n, fmt.Errorf("%s: expected checksum %s as listed, found %s", f.name, f.etag, r.etag)
	}
	if r.StatusCode == http.StatusOK && r.ContentLength >= 0 && f.size >= 0 && r.ContentLength != f.size {
		return n, fmt.Errorf("%s: expected %d bytes, found %d announced by %s", f.name, f.size, r.ContentLength, r.host)
	}
	return n, nil
}

// place is where in the file an answer's content begins.
func place(r *reply, n int64, f remoteFile) (int64, error) {
	switch r.StatusCode {
	case http.StatusOK:
		return 0, nil
	case http.StatusPartialContent:
		span := r.Header.Get("Content-Range")
		start, total, ok := contentRange(span)
		if !ok || start != n || f.size >= 0 && total >= 0 && total != f.size {
			return n, fmt.Errorf("%s: expected the bytes from %d of %d, found %s from %s", f.name, n, f.size, excerpt(span), r.host)
		}
		return n, nil
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, &brokenError{errNoMore}
	}
	return n, newStatusError(r)
}

// contentRange reads "bytes 5-9/10"; the total is -1 where it is not known.
func contentRange(text string) (start, total int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	span, all, ok2 := strings.Cut(text, "/")
	from, _, ok3 := strings.Cut(span, "-")
	start, err := strconv.ParseInt(from, 10, 64)
	total, err2 := strconv.ParseInt(all, 10, 64)
	if all == "*" {
		total, err2 = -1, nil
	}
	return start, total, ok && ok2 && ok3 && err == nil && err2 == nil && start >= 0 && total >= -1
}

// pieceSize is how much is written, or checked, between two looks at ctx.
const pieceSize = 256 << 10

// store writes what arrives, and refuses more than the file has.
func (p *pull) store(body io.Reader, out *os.File, n int64, f remoteFile) (int64, error) {
	piece := make([]byte, pieceSize)
	for {
		got, err := body.Read(piece)
		if f.size >= 0 && n+int64(got) > f.size {
			_ = out.Truncate(0) // none of it is to be trusted
			return 0, fmt.Errorf("%s: expected %d bytes, found more", f.name, f.size)
		}
		if _, err := out.Write(piece[:got]); err != nil {
			return n, fmt.Errorf("%w, after %d of %d bytes", named(out.Name(), err), n, f.size)
		}
		p.out.Received += int64(got)
		if n += int64(got); got > 0 {
			p.event(Advanced, f, n)
		}
		if errors.Is(err, io.EOF) && (f.size < 0 || n == f.size) {
			return n, nil
		}
		if err != nil {
			return n, &brokenError{err}
		}
	}
}
