package atomicfile

import (
	"context"
	"io"
	"os"
	"path/filepath"
)

// File is one of the files of a folder.
type File struct {
	Name  string
	Write func(io.Writer) error
}

// Bytes is a file with so much in it.
func Bytes(name string, data []byte) File {
	return File{name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
}

// WriteFolder writes files to a folder, which is made if it is not there, one
// after the other, each as WriteFile does.
func WriteFolder(ctx context.Context, dir string, files []File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := WriteFile(ctx, filepath.Join(dir, f.Name), f.Write); err != nil {
			return err
		}
	}
	return nil
}
