package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/jsonfile"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

func newTasks(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tasks",
		Short: "list the tasks",
		Long: `List the tasks, each with the model, metric, threshold, ablation and number of
examples it is used with unless told otherwise. A model that acdc models does
not list is downloaded by acdc pull; until then the task runs on the builtin
model that was trained on it, and says so.`,
		Example: `  acdc tasks
  acdc tasks --json`,
		Args: noArgs(""),
		RunE: func(*cobra.Command, []string) error { return a.tasks(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// taskInfo is a task as JSON.
type taskInfo struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Model       string  `json:"model"`
	Builtin     string  `json:"builtin,omitempty"` // stands in for the model
	Metric      string  `json:"metric"`
	Threshold   float64 `json:"threshold"`
	Ablation    string  `json:"ablation"`
	Examples    int     `json:"examples"`
}

func (a *app) tasks(asJSON bool) error {
	var list []taskInfo
	rows := [][]string{{"TASK", "MODEL", "METRIC", "THRESHOLD", "ABLATION", "EXAMPLES", "DESCRIPTION"}}
	for _, t := range task.All() {
		list = append(list, taskInfo{t.Name, t.Description, t.Model, t.Builtin, t.Metric, t.Threshold, t.Ablation, t.Examples})
		rows = append(rows, []string{t.Name, t.Model, t.Metric, fmt.Sprint(t.Threshold), t.Ablation, fmt.Sprint(t.Examples), t.Description})
	}
	if asJSON {
		return a.printJSON(list)
	}
	a.print(table(rows, columns(a.stdout)))
	return nil
}

func newModels(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "models",
		Short: "list the models that need no files",
		Long: `List the models that --model takes by name. It also takes a folder with
config.json and weights as Hugging Face or TransformerLens write them, a file of
weights (.safetensors, .bin, .pt, .pth, .npz) with its configuration beside it,
and the name of a model in the Hugging Face cache (see acdc pull).`,
		Example: `  acdc models
  acdc models --json`,
		Args: noArgs(""),
		RunE: func(*cobra.Command, []string) error { return a.models(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// modelInfo is a model as JSON.
type modelInfo struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (a *app) models(asJSON bool) error {
	var list []modelInfo
	rows := [][]string{{"MODEL", "DESCRIPTION"}}
	for _, m := range append(zoo.All(), zoo.Families()...) {
		list = append(list, modelInfo{m.Name, m.Description})
		rows = append(rows, []string{m.Name, m.Description})
	}
	if asJSON {
		return a.printJSON(list)
	}
	a.print(table(rows, columns(a.stdout)) + "\n" + hanging("", "A seed other than 0 follows an @: random:gpt2@7.", columns(a.stdout)))
	return nil
}

// printJSON prints indented JSON.
func (a *app) printJSON(x any) error {
	text, err := jsonfile.Encode(x, " ")
	if err != nil {
		return err
	}
	a.print(string(text))
	return nil
}
