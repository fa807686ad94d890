package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
)

// verify compares a file with its checksum: SHA-256 of the content, or SHA-1 as
// git names its objects, of "blob <size>\x00" and the content. A file that is
// wrong is removed.
func verify(ctx context.Context, path string, f remoteFile) error {
	kind := "SHA-256"
	if len(f.etag) == 2*sha1.Size {
		kind = "git SHA-1"
	}
	found, err := checksum(ctx, path, kind == "SHA-256")
	if err != nil || found == f.etag {
		return err
	}
	text := fmt.Sprintf("%s: expected %s %s, found %s", f.name, kind, f.etag, found)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("%s; remove %s, which could not be removed: %w", text, path, bare(err))
	}
	return fmt.Errorf("%s: what arrived is removed", text)
}

func checksum(ctx context.Context, path string, content bool) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", named(path, err)
	}
	defer f.Close()
	var h hash.Hash
	if content {
		h = sha256.New()
	} else {
		info, err := f.Stat()
		if err != nil {
			return "", named(path, err)
		}
		h = sha1.New()
		fmt.Fprintf(h, "blob %d\x00", info.Size())
	}
	piece := make([]byte, pieceSize)
	for {
		n, err := f.Read(piece)
		h.Write(piece[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", named(path, err)
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}

// point makes the name of a file in the snapshot folder lead to its content:
// by a relative link, as the Python libraries do, else by a hard link, else by
// a copy.
func (p *pull) point(ctx context.Context, pointer, blob string) error {
	target, err := filepath.Rel(filepath.Dir(pointer), blob)
	if err != nil {
		return fmt.Errorf("%s: %w", pointer, err)
	}
	symlink := p.link
	if symlink == nil {
		symlink = os.Symlink
	}
	return replaceWith(pointer, func(temporary string) error {
		if symlink(target, temporary) == nil || os.Link(blob, temporary) == nil {
			return nil
		}
		return copyFile(ctx, temporary, blob)
	})
}

func copyFile(ctx context.Context, to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, jsonfile.Until(ctx, in))
	if closing := out.Close(); err == nil {
		err = closing
	}
	return err
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
