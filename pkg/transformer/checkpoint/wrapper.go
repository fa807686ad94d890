package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// PyTorch's wrappers put their own name into those of the tensors, in front of
// all of them or, where only parts were wrapped, in the middle.
var (
	inside  = []string{"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."}
	inFront = []string{"module.", "model.", "backbone."}
	// besides are tensors that may stand beside a wrapped model: its unembedding.
	besides = []string{"lm_head.weight", "embed_out.weight"}
)

// unwrapParts takes the names of wrappers that may stand anywhere out of those
// of the tensors.
func unwrapParts(src weights.Source) (weights.Source, error) {
	if !slices.ContainsFunc(src.Names(), func(name string) bool { return bare(name) != name }) {
		return src, nil
	}
	return weights.Rename(src, bare)
}

// unwrapAll takes the names of wrappers around the whole away, which all tensors
// begin with, but for an unembedding. If some have one and others not, doubt
// says so.
func unwrapAll(src weights.Source) (out weights.Source, doubt string, err error) {
	for out = src; ; {
		prefix, without := wrapper(out.Names())
		switch {
		case prefix == "":
			return out, doubt, nil
		case without != "":
			return out, fmt.Sprintf("expected all of them to begin with the wrapper's name %s, found %s without", oneline.Quote(prefix), oneline.Quote(without)), nil
		}
		if out, err = weights.Rename(out, func(name string) string { return strings.TrimPrefix(name, prefix) }); err != nil {
			return nil, "", err
		}
	}
}

// bare is a name without the wrappers that may stand anywhere in it.
func bare(name string) string {
	for _, w := range inside {
		for at := strings.Index(name, w); at >= 0; at = strings.Index(name, w) {
			if at > 0 && name[at-1] != '.' {
				break
			}
			name = name[:at] + name[at+len(w):]
		}
	}
	return name
}

// wrapper finds the name that tensors begin with, and a tensor that does not.
func wrapper(names []string) (prefix, without string) {
	for _, w := range inFront {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, w) }) {
			continue
		}
		for _, name := range names {
			if !strings.HasPrefix(name, w) && !slices.Contains(besides, name) {
				return w, name
			}
		}
		return w, ""
	}
	return "", ""
}
