package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/atomicfile"
	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/oneline"
	"github.com/seed-2c350065/acdc/pkg/tensor"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// The metadata of a training checkpoint.
const (
	stateFormat     = "acdc_training" // version of the file
	stateRecipe     = "recipe"
	stateStep       = "step"       // steps done
	stateArithmetic = "arithmetic" // whose rounding the numbers have
	stateMeasures   = "measures"   // by step
	stateVersion    = "2"
)

// Names of tensors of a training checkpoint.
const stateHistory = "history" // the bits of float64s: of every step its loss and the norm of its gradient

// SaveState writes weights, moments and the number of steps to a file, whole or
// not at all. Two processes that write the same file at once write states of
// one run, either of which is right.
func (r *Run) SaveState(ctx context.Context, path string) error {
	n := len(r.weights.flat)
	list := []weights.Tensor{
		weights.Float32s("weights", r.weights.flat, n),
		weights.Float32s("first_moment", r.adam.first, n),
		weights.Float32s("second_moment", r.adam.second, n),
	}
	numbers, measures := make([]int64, 0, 2*r.done), map[int][]Measure{}
	for _, e := range r.history {
		numbers = append(numbers, int64(math.Float64bits(e.Loss)), int64(math.Float64bits(e.Norm)))
		if e.Measures != nil {
			measures[e.Step] = e.Measures
		}
	}
	if r.done > 0 {
		list = append(list, weights.Int64s(stateHistory, numbers, r.done, 2))
	}
	measured, err := json.Marshal(measures)
	if err != nil {
		return fmt.Errorf("%s: measures: %w", path, err)
	}
	return atomicfile.WriteFile(ctx, path, func(w io.Writer) error {
		return weights.Write(w, list, map[string]string{stateFormat: stateVersion, stateRecipe: string(r.recipe.text()),
			stateStep: strconv.Itoa(r.done), stateArithmetic: tensor.Arithmetic(), stateMeasures: string(measured)})
	})
}

// LoadState goes on where a run of the same recipe saved its state. A file that
// is not there leaves the run at its beginning; one of another run is an error
// that says what differs.
func (r *Run) LoadState(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: checkpoint: expected a regular file", path)
	}
	if info.Size() == 0 { // made and not written yet
		return nil
	}
	f, err := weights.Open(ctx, path)
	if err != nil {
		return err
	}
	defer f.Close() // read only: nothing can be lost
	if err := r.readState(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (r *Run) readState(ctx context.Context, f *weights.File) error {
	meta := f.Metadata()
	if meta[stateFormat] == "" {
		return errors.New("not a checkpoint of a training: it is left as it is")
	}
	if v := meta[stateFormat]; v != stateVersion {
		return fmt.Errorf("checkpoint: expected format %s, found %s", stateVersion, oneline.Quote(v))
	}
	if err := sameRecipe(r.recipe.text(), []byte(meta[stateRecipe])); err != nil {
		return err
	}
	if a := meta[stateArithmetic]; a != tensor.Arithmetic() {
		return fmt.Errorf("checkpoint of another run: arithmetic: expected %q, found %s", tensor.Arithmetic(), oneline.Quote(a))
	}
	step, err := strconv.Atoi(meta[stateStep])
	if err != nil || step < 0 || step > r.recipe.Steps {
		return fmt.Errorf("checkpoint: step: expected a whole number from 0 to %d, found %s", r.recipe.Steps, oneline.Quote(meta[stateStep]))
	}
	into := map[string][]float32{"weights": r.weights.flat, "first_moment": r.adam.first, "second_moment": r.adam.second}
	read := map[string][]float32{}
	for _, name := range slices.Sorted(maps.Keys(into)) {
		values, err := f.Float32Shape(ctx, name, len(into[name]))
		if err != nil {
			return err
		}
		if i, bad := tensor.HasNonFinite(values); bad {
			return fmt.Errorf("tensor %q: expected finite numbers, found %v at index %d", name, values[i], i)
		}
		read[name] = values
	}
	history, err := r.readHistory(ctx, f, step)
	if err != nil {
		return err
	}
	for name, values := range read {
		copy(into[name], values)
	}
	r.model.Repack()
	r.done, r.history = step, history
	return nil
}

// readHistory reads what was seen of the steps that a checkpoint has.
func (r *Run) readHistory(ctx context.Context, f *weights.File, steps int) ([]Event, error) {
	if steps == 0 {
		return nil, nil
	}
	numbers, shape, err := f.Ints(ctx, stateHistory)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(shape, []int{steps, 2}) {
		return nil, fmt.Errorf("tensor %q: expected shape [%d 2], found %v", stateHistory, steps, shape)
	}
	var measures map[int][]Measure
	if err := jsonfile.Unmarshal(ctx, []byte(f.Metadata()[stateMeasures]), &measures); err != nil {
		return nil, fmt.Errorf("checkpoint: measures: %w", err)
	}
	out := make([]Event, steps)
	for i := range out {
		number := func(k int) float64 { return math.Float64frombits(uint64(int64(numbers[2*i+k]))) }
		out[i] = Event{Step: i + 1, Steps: r.recipe.Steps, Loss: number(0), Rate: r.adam.rate(i, r.recipe.Steps), Norm: number(1), Measures: measures[i+1]}
		if x := out[i].Loss + out[i].Norm; math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("tensor %q: expected finite numbers, found %v and %v of step %d", stateHistory, out[i].Loss, out[i].Norm, i+1)
		}
	}
	return out, nil
}

// sameRecipe compares two recipes by their fields.
func sameRecipe(want, got []byte) error {
	var a, b map[string]json.RawMessage
	if err := json.Unmarshal(want, &a); err != nil {
		return err
	}
	if json.Unmarshal(got, &b) != nil {
		return errors.New("checkpoint: recipe: expected JSON")
	}
	names := slices.Sorted(maps.Keys(a))
	for name := range b {
		if a[name] == nil {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if x, y := compact(a[name]), compact(b[name]); x != y {
			return fmt.Errorf("checkpoint of another run: %s: expected %s, found %s", oneline.Shorten(name), oneline.Shorten(x), oneline.Shorten(y))
		}
	}
	return nil
}

// compact is a value on one line.
func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return "none"
	}
	return b.String()
}
