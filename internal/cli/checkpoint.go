package cli

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
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
	data, err := json.Marshal(in.Data)
	if err != nil {
		return nil, err
	}
	model, err := in.Model.Hash(ctx, o.threads)
	if err != nil {
		return nil, err
	}
	return discover.OpenCheckpoint(o.checkpoint, []discover.Field{
		{Name: "version", Value: versionText()},
		{Name: "processor", Value: tensor.Arithmetic()},
		{Name: "model", Value: model},
		{Name: "data", Value: fmt.Sprintf("%x", sha256.Sum256(data))},
		{Name: "algorithm", Value: f.Algorithm},
		{Name: "definition", Value: fmt.Sprintf("%+v", e.Graph().Config())},
		{Name: "metric", Value: f.Metric},
		{Name: "ablation", Value: f.Ablation},
		{Name: "threshold", Value: strconv.FormatFloat(f.Threshold, 'g', -1, 64)},
		{Name: "abs", Value: strconv.FormatBool(f.AbsoluteValue)},
		{Name: "order", Value: f.Order},
		{Name: "options", Value: string(f.Options)},
		{Name: "seed", Value: strconv.FormatUint(in.Spec.RandomSeed(), 10)},
		{Name: "batch", Value: strconv.Itoa(c.Batch)}, // what the work adds up to depends on it
	})
}
