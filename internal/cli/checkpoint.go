package cli

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"

	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/patch"
	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// openCheckpoint opens the file of --checkpoint, or returns nil without one.
func (o *discoverOptions) openCheckpoint(in *opened, e *patch.Experiment) (*discover.Checkpoint, error) {
	if o.checkpoint == "" {
		return nil, nil
	}
	data, err := json.Marshal(in.data)
	if err != nil {
		return nil, err
	}
	return discover.OpenCheckpoint(o.checkpoint, []discover.Field{
		{Name: "version", Value: versionText()},
		{Name: "processor", Value: arithmetic()},
		{Name: "model", Value: in.model.Hash(o.threads)},
		{Name: "data", Value: fmt.Sprintf("%x", sha256.Sum256(data))},
		{Name: "algorithm", Value: o.algorithm.Name()},
		{Name: "definition", Value: fmt.Sprintf("%+v", e.Graph().Config())},
		{Name: "metric", Value: string(o.metric)},
		{Name: "ablation", Value: string(o.ablation)},
		{Name: "threshold", Value: strconv.FormatFloat(o.threshold, 'g', -1, 64)},
		{Name: "abs", Value: strconv.FormatBool(o.absolute)},
		{Name: "order", Value: string(o.order)},
		{Name: "seed", Value: strconv.FormatUint(o.seed, 10)},
		{Name: "batch", Value: strconv.Itoa(o.batch)}, // what the work adds up to depends on it
	})
}

// arithmetic names what rounding depends on: the fast kernels of one processor
// family give the same bits, the portable one others.
func arithmetic() string {
	if tensor.KernelName() == "portable" {
		return runtime.GOARCH + " portable"
	}
	return runtime.GOARCH
}
