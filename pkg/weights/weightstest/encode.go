package weightstest

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/seed-2c350065/acdc/pkg/weights"
)

// tensors encodes arrays in one type, sorted by name.
func tensors(arrays map[string]weights.Array, d weights.DType) ([]weights.Tensor, error) {
	var out []weights.Tensor
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		data, err := weights.Encode(arrays[name].Values, d)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		out = append(out, weights.Tensor{Name: name, DType: d, Shape: arrays[name].Shape, Data: data})
	}
	return out, nil
}

// Safetensors writes a safetensors file of arrays in one type.
func Safetensors(w io.Writer, arrays map[string]weights.Array, d weights.DType) error {
	list, err := tensors(arrays, d)
	if err != nil {
		return err
	}
	return weights.Write(w, list, nil)
}
