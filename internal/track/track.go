// Package track says how masks that are learned, and models that are trained,
// came to what they are: a row for every step, with one list of columns for
// both.
package track

import (
	"encoding/json"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/internal/tablefile"
	"github.com/seed-2c350065/acdc/pkg/circuit"
	"github.com/seed-2c350065/acdc/pkg/discover"
	"github.com/seed-2c350065/acdc/pkg/train"
)

// Step is a step of a run. Its fields are the columns: their names are the json
// tags, what they mean the about tags. What does not apply is empty in CSV and
// null in JSON. Nothing in it depends on the machine's speed or on where the run
// was stopped and continued.
type Step struct {
	Model     string `json:"model" about:"its name; of a training, the recipe or the program that it is made of"`
	Task      string `json:"task" about:"its name, empty where the data are given without, and of a training"`
	Data      string `json:"data" about:"the file of prompts, empty where the task makes them"`
	Seed      uint64 `json:"seed" about:"of everything that is random"`
	Algorithm string `json:"algorithm" about:"its name, or train"`
	Options   string `json:"options" about:"the algorithm's own options, as JSON"`
	Metric    string `json:"metric" about:"its name; empty of a training"`
	Ablation  string `json:"ablation" about:"what cut edges carry; empty of a training"`

	Step     int      `json:"step" about:"from 1"`
	Steps    int      `json:"steps" about:"of the whole run"`
	Loss     *float64 `json:"loss" about:"what is minimised: the metric and what open masks cost; of a training, that of the step's batch, in nats a token"`
	Gated    *float64 `json:"metric_gated" about:"the metric under the masks that the step drew"`
	Sparsity *float64 `json:"sparsity" about:"the share of edges that these masks close"`
	Rate     *float64 `json:"learning_rate" about:"of the step"`
	Norm     *float64 `json:"gradient_norm" about:"of a training, before it is clipped"`
	Measures string   `json:"measures" about:"of a training, twenty times in all: what the model can do on prompts that it is not trained on, as JSON"`
}

// Columns lists the columns in their order.
func Columns() []tablefile.Column { return tablefile.Of[Step]() }

// Learned are the steps of masks that were learned by a run.
func Learned(run circuit.Run, steps []discover.Learned) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = Step{Model: run.Model, Task: run.Task, Data: run.Data, Seed: run.Seed, Algorithm: run.Algorithm, Options: string(run.Options),
			Metric: run.Metric, Ablation: run.Ablation, Step: s.Step, Steps: s.Steps,
			Loss: jsonfile.Finite(s.Loss), Gated: jsonfile.Finite(s.Metric), Sparsity: jsonfile.Finite(s.Sparsity), Rate: jsonfile.Finite(s.Rate)}
	}
	return out
}

// Trained are the steps of a training of what is called name.
func Trained(name string, seed uint64, events []train.Event) ([]Step, error) {
	out := make([]Step, len(events))
	for i, e := range events {
		out[i] = Step{Model: name, Seed: seed, Algorithm: "train", Step: e.Step, Steps: e.Steps, Loss: jsonfile.Finite(e.Loss), Rate: jsonfile.Finite(e.Rate), Norm: jsonfile.Finite(e.Norm)}
		if e.Measures != nil {
			text, err := json.Marshal(e.Measures)
			if err != nil {
				return nil, err
			}
			out[i].Measures = string(text)
		}
	}
	return out, nil
}
