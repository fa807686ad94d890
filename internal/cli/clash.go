package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// place is a file of a run, as errors name it.
type place struct {
	role string // the flag, or what the file is for
	path string
}

// clash refuses outputs that are the same file as an input or as another
// output, by whatever name: writing one would replace the other.
func clash(outputs, inputs []place) error {
	for i, out := range outputs {
		for _, in := range inputs {
			if sameFile(out.path, in.path) {
				return usagef("%s %s: expected a file that the run does not read, found %s %s", out.role, out.path, in.role, in.path)
			}
		}
		for _, other := range outputs[:i] {
			if sameFile(out.path, other.path) {
				return usagef("%s %s: expected a file of its own, found it after %s too", out.role, out.path, other.role)
			}
		}
	}
	return nil
}

// sameFile reports whether two paths lead to one file, also through links. Pipes
// and devices hold nothing that could be replaced, and are nobody's.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return infoA.Mode().IsRegular() && os.SameFile(infoA, infoB)
	}
	return errA != nil && errB != nil && target(a) == target(b)
}

// target is the absolute path of a file that is not there yet, links in the
// path to it followed.
func target(path string) string {
	const maxLinks = 40 // as Linux
	for range maxLinks {
		link, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	folder, base := filepath.Split(path)
	if whole, err := filepath.Abs(folder); err == nil {
		folder = whole
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	return filepath.Join(folder, base)
}

// places lists the files of a flag that may be repeated or absent; standard
// input and output, named -, are none.
func places(role string, paths ...string) []place {
	var out []place
	for _, p := range paths {
		if p != "" && p != "-" {
			out = append(out, place{role, p})
		}
	}
	return out
}

// inputs lists the files that a Spec's study is read from, those of the model
// once it is open.
func inputs(s study.Spec, m *zoo.Model) []place {
	out := places("--data", study.DataFile(s.Data)...)
	if m == nil {
		return append(out, places("--model", s.Model)...)
	}
	return append(out, places("the model's", m.Files()...)...)
}

// places lists the files that a discovery writes.
func (o *discoverOptions) places() []place {
	return append(places("-o", o.files...), slices.Concat(places("--trace", o.trace), places("--track", o.tracks...), places("--checkpoint", o.checkpoint))...)
}

// clash is [clash] for an invocation whose standard output may be a file too.
func (a *app) clash(outputs, inputs []place) error {
	if err := clash(outputs, inputs); err != nil {
		return err
	}
	return clash(stream("standard output", a.stdout.raw), inputs)
}

// circuitPlace is the file that a circuit is read from, be it as standard input.
func (a *app) circuitPlace(path string) []place {
	if path == "-" {
		return stream("standard input", a.stdin)
	}
	return places("the circuit", path)
}

// stream is the file behind one of the process's streams, if there is one.
func stream(role string, s any) []place {
	if f, ok := s.(*os.File); ok {
		return places(role, f.Name())
	}
	return nil
}
