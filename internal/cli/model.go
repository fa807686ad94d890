package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// modelFlags say which model is opened and what is done to its weights: flags
// that several commands share.
type modelFlags struct {
	model        string
	noProcessing bool
	processing   checkpoint.Switches
	reset        *uint64
	keepWeights  bool // --reset-weights none
	threads      int  // of commands that have --threads; 0 for one a core
}

// modelHelp is what --model takes.
const modelHelp = "a name that acdc models lists, a folder or a file of weights, or a Hugging Face name in the local cache"

func (m *modelFlags) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	typed(fs, &m.model, "model", "", "MODEL", modelHelp, parseText("a name, a folder or a file"))
	models := names(append(zoo.All(), zoo.Families()[:2]...), func(e zoo.Entry) string { return e.Name })
	models = append(models, names(hub.Aliases(), modelName)...)
	_ = cmd.RegisterFlagCompletionFunc("model", cobra.FixedCompletions(models, cobra.ShellCompDirectiveDefault))
	fs.BoolVar(&m.noProcessing, "no-processing", false, "take the weights as the checkpoint has them")
	for _, s := range []struct {
		name, does string
		into       **bool
	}{
		{"fold-ln", "fold the norms' weights into the layers behind them", &m.processing.FoldLN},
		{"center-writing-weights", "take the mean out of what is written to the residual stream", &m.processing.CenterWritingWeights},
		{"center-unembed", "take the mean over the vocabulary out of the unembedding", &m.processing.CenterUnembed},
		{"fold-value-biases", "move the values' biases into that of the output", &m.processing.FoldValueBiases},
	} {
		typed(fs, s.into, s.name, "", "BOOL", s.does+", default as TransformerLens does for a pretrained model", parseSwitch)
		fs.Lookup(s.name).NoOptDefVal = "true"
	}
	typed(fs, &m.reset, "reset-weights", "", "SEED", "shuffle heads and neurons, as a control in which there is no circuit; none leaves them", m.parseReset)
}

// parseSwitch reads yes or no.
func parseSwitch(s string) (*bool, error) {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return nil, fmt.Errorf("expected true or false, found %q", s)
	}
	return &on, nil
}

// parseReset reads a seed, or none.
func (m *modelFlags) parseReset(text string) (*uint64, error) {
	if m.keepWeights = text == "none"; m.keepWeights {
		return nil, nil
	}
	seed, err := parseSeed(text)
	return &seed, err
}

// options are those of the model's opening.
func (m *modelFlags) options() zoo.Options {
	o := zoo.Options{Processing: m.processing, Reset: m.reset, Threads: m.threads}
	if m.noProcessing {
		o.Processing = m.processing.Over(checkpoint.NoProcessing())
	}
	return o
}

// openModel opens the model. What is missing in the Hugging Face cache is an
// error that says how to get it and what can be done without.
func (m *modelFlags) openModel() (*zoo.Model, error) {
	model, err := zoo.OpenWith(m.model, m.options())
	return model, missingModel(m.model, err)
}

// missingModel adds to a *hub.NotFoundError what to do.
func missingModel(name string, err error) error {
	var absent *hub.NotFoundError
	if !errors.As(err, &absent) {
		return err
	}
	var ready []string
	for _, t := range task.All() {
		if slices.ContainsFunc(zoo.All(), func(e zoo.Entry) bool { return e.Name == t.Model }) {
			ready = append(ready, t.Name)
		}
	}
	return fmt.Errorf("%w; download it with \"acdc pull %s\", or name a folder with --model; tasks that need no download: %s",
		err, name, strings.Join(ready, ", "))
}

// takeProcessing asks for what was done to the weights of a saved circuit's
// model, but for what flags say.
func (m *modelFlags) takeProcessing(done []string, reset *uint64) error {
	if m.reset == nil && !m.keepWeights {
		m.reset = reset
	}
	if done == nil || m.noProcessing {
		return nil
	}
	recorded, yes := checkpoint.NoProcessing(), true
	for _, name := range done {
		into, err := recorded.Step(name)
		if err != nil {
			return fmt.Errorf("field \"processing\": %w", err)
		}
		*into = &yes
	}
	m.processing = m.processing.Over(recorded)
	return nil
}
