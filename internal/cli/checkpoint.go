package cli

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// openCheckpoint opens the file of --checkpoint, or returns nil without one.
func (o *discoverOptions) openCheckpoint(ctx context.Context, in *study.Study, c patch.Config, e *patch.Experiment, f *circuit.File) (*discover.Checkpoint, error) {
	if o.checkpoint == "" {
		return nil, nil
	}
	weights, prompts, err := in.Digests(ctx)
	if err != nil {
		return nil, err
	}
	options, err := optionFields(f.Options)
	if err != nil {
		return nil, err
	}
	return discover.OpenCheckpoint(o.checkpoint, append([]discover.Field{
		{Name: "version", Value: versionText()},
		{Name: "processor", Value: tensor.Arithmetic()},
		{Name: "model", Value: weights, Of: "the weights of " + in.Model.Name},
		{Name: "data", Value: prompts, Of: "the prompts of " + in.Where()},
		{Name: "algorithm", Value: f.Algorithm},
		{Name: "definition", Value: string(e.Graph().Config().Definition)},
		{Name: "split-embed", Value: strconv.FormatBool(e.Graph().Config().SplitEmbed)},
		{Name: "metric", Value: f.Metric},
		{Name: "ablation", Value: f.Ablation},
		{Name: "threshold", Value: strconv.FormatFloat(f.Threshold, 'g', -1, 64)},
		{Name: "abs", Value: strconv.FormatBool(f.AbsoluteValue)},
		{Name: "order", Value: f.Order},
		{Name: "seed", Value: strconv.FormatUint(in.Spec.RandomSeed(), 10)},
		{Name: "batch", Value: strconv.Itoa(c.Batch)}, // what the work adds up to depends on it
	}, options...))
}

// optionFields are an algorithm's own options, one by one.
func optionFields(options json.RawMessage) ([]discover.Field, error) {
	if options == nil {
		return nil, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(options, &values); err != nil {
		return nil, err
	}
	var out []discover.Field
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, discover.Field{Name: name, Value: string(values[name])})
	}
	return out, nil
}
