package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// program is the package whose binary is told of.
const program = "github.com/seed-2c350065/acdc/cmd/acdc"

// platforms are those that make portable and .ci/run build for.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64"}

// linked is a package of the program as the go command tells of it.
type linked struct {
	ImportPath string
	Standard   bool
	EmbedFiles []string
	Module     *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// packages lists the packages that are linked into the program, on any of the
// platforms.
func packages() ([]linked, error) {
	found := map[string]linked{}
	for _, platform := range platforms {
		system, arch, _ := strings.Cut(platform, "/")
		cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,EmbedFiles,Module", program)
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("go list: %s", bytes.TrimSpace(exit.Stderr))
		}
		if err != nil {
			return nil, err
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var p linked
			if err := dec.Decode(&p); err == io.EOF {
				break
			} else if err != nil {
				return nil, fmt.Errorf("go list: %w", err)
			}
			found[p.ImportPath] = p
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b linked) int { return strings.Compare(a.ImportPath, b.ImportPath) }), nil
}

// modules makes a part of each module that the packages come from, by name.
func modules(packages []linked) ([]part, error) {
	found := map[string]part{}
	for _, p := range packages {
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		m := p.Module
		if _, ok := found[m.Path]; ok {
			continue
		}
		licence, text, err := licenceOf(m.Dir)
		if err != nil {
			return nil, err
		}
		p := part{name: m.Path, version: m.Version, licence: licence, from: home(m.Path), text: text}
		if licence == "FTL" {
			p.note = "under the FreeType License or the GPL; the FreeType License is taken."
		}
		found[m.Path] = p
	}
	return slices.SortedFunc(maps.Values(found), func(a, b part) int { return strings.Compare(a.name, b.name) }), nil
}

// home is where a module is developed.
func home(module string) string {
	if name, ok := strings.CutPrefix(module, "golang.org/x/"); ok {
		module = "github.com/golang/" + name
	}
	if parts := strings.Split(module, "/"); parts[0] == "github.com" {
		module = strings.Join(parts[:3], "/")
	}
	return "https://" + module
}
