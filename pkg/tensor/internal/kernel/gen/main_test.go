package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate fails when the generated files are not what the generator
// writes.
func TestUpToDate(t *testing.T) {
	files := generate()
	if len(files) != 7 {
		t.Errorf("%d files, want 7", len(files))
	}
	for name, text := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ReplaceAll(string(got), "\r\n", "\n") != text {
			t.Errorf("%s is not what the generator writes; run go generate", name)
		}
	}
}
