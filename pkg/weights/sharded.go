package weights

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
)

// Sharded is a checkpoint of several files, listed by an index: a JSON object
// whose field weight_map says in which file each tensor lies. Its methods may
// be called from several goroutines at once, except Close.
type Sharded struct {
	name  string
	names []string          // sorted
	where map[string]*File  // by tensor
	lacks map[string]string // by tensor that the index lists, the shard that has none of this name
	files []*File
}

// openSharded opens all files of an index. A file that it lists must lie beside
// it. A tensor that is not where the index says is an error when it is asked
// for: indexes list tied tensors, which nobody saved twice and nobody needs.
// Tensors that a file has beyond are not listed by Names.
func openSharded(ctx context.Context, path string, index []byte) (*Sharded, error) {
	weightMap, err := parseIndex(ctx, index)
	if err != nil {
		return nil, failed(ctx, path, err)
	}
	s := &Sharded{name: path, where: map[string]*File{}, lacks: map[string]string{}}
	opened := map[string]*File{}
	for _, name := range slices.Sorted(maps.Keys(weightMap)) {
		shard := weightMap[name]
		f, ok := opened[shard]
		if !ok {
			if f, err = OpenFile(ctx, filepath.Join(filepath.Dir(path), shard)); err != nil {
				_ = s.Close() // the first error says more
				return nil, failed(ctx, path, fmt.Errorf("weight_map: tensor %s: %w", oneline.Quote(name), err))
			}
			opened[shard] = f
			s.files = append(s.files, f)
		}
		if !f.Has(name) {
			s.lacks[name] = shard
			continue
		}
		s.names, s.where[name] = append(s.names, name), f
	}
	return s, nil
}

// maxIndex bounds an index of shards, in bytes: one of all names that a header
// may have.
const maxIndex = 32 << 20

// parseIndex returns the weight_map of an index, with the names of the files
// checked. Other fields, such as the total size, are skipped.
func parseIndex(ctx context.Context, text []byte) (map[string]string, error) {
	text, err := jsonfile.Clean(ctx, text, jsonfile.Options{})
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	var index struct {
		Files map[string]*string `json:"weight_map"` // null is no name
	}
	if err := jsonfile.Unmarshal(ctx, text, &index); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if len(index.Files) == 0 {
		return nil, errors.New("index: field \"weight_map\" with tensors expected, found none")
	}
	return shards(index.Files)
}

// shards checks the names of files that tensors are said to be in.
func shards(files map[string]*string) (map[string]string, error) {
	if len(files) > maxKeys {
		return nil, fmt.Errorf("weight_map: at most %d names expected, found %d", maxKeys, len(files))
	}
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		found := "null"
		if shard := files[name]; shard != nil {
			out[name], found = *shard, oneline.Quote(*shard)
		}
		if shard := out[name]; shard == "" || shard == "." || shard == ".." || strings.ContainsAny(shard, `/\:`) || strings.ContainsRune(shard, 0) {
			return nil, fmt.Errorf("weight_map: tensor %s: the name of a file in the same folder expected, found %s", oneline.Quote(name), found)
		}
	}
	return out, nil
}

// Close closes all files.
func (s *Sharded) Close() error {
	errs := make([]error, len(s.files))
	for i, f := range s.files {
		errs[i] = f.Close()
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Name returns the path of the index.
func (s *Sharded) Name() string { return s.name }

// Files returns the paths of the index and of the files that it lists.
func (s *Sharded) Files() []string {
	paths := []string{s.name}
	for _, f := range s.files {
		paths = append(paths, f.Files()...)
	}
	return paths
}

// Names returns the names of all tensors of the index that are there, sorted.
func (s *Sharded) Names() []string { return slices.Clone(s.names) }

// Has tells whether there is a tensor of this name, in the index and in its
// file.
func (s *Sharded) Has(name string) bool { return s.where[name] != nil }

// Shape returns the shape of the tensor of this name.
func (s *Sharded) Shape(name string) ([]int, bool) {
	f, ok := s.where[name]
	if !ok {
		return nil, false
	}
	return f.Shape(name)
}

// Float32Shape is [File.Float32Shape] of the file that holds the tensor.
func (s *Sharded) Float32Shape(ctx context.Context, name string, shape ...int) ([]float32, error) {
	if shard, ok := s.lacks[name]; ok {
		return nil, fmt.Errorf("%s: weight_map: tensor %s: expected in %s, found none of this name there", s.name, oneline.Quote(name), oneline.Quote(shard))
	}
	f, ok := s.where[name]
	if !ok {
		return nil, missing(s.name, name)
	}
	return f.Float32Shape(ctx, name, shape...)
}
