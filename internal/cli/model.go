package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/internal/study"
	"github.com/seed-2c350065/acdc/pkg/hub"
	"github.com/seed-2c350065/acdc/pkg/transformer/checkpoint"
	"github.com/seed-2c350065/acdc/pkg/zoo"
)

// modelHelp is what --model takes.
const modelHelp = "a name that acdc models lists, a folder or a file of weights, or a Hugging Face name in the local cache"

// modelFlags are the flags that say which model is opened and what is done to its
// weights.
func modelFlags(cmd *cobra.Command, m *study.Spec) {
	fs := cmd.Flags()
	typed(fs, &m.Model, "model", "", "MODEL", modelHelp, parseText("a name, a folder or a file"))
	models := names(append(zoo.All(), zoo.Families()[:2]...), func(e zoo.Entry) string { return e.Name })
	models = append(models, names(hub.Aliases(), modelName)...)
	_ = cmd.RegisterFlagCompletionFunc("model", cobra.FixedCompletions(models, cobra.ShellCompDirectiveDefault))
	fs.Var(&noProcessing{spec: m}, "no-processing", "take the weights as the checkpoint has them")
	fs.Lookup("no-processing").NoOptDefVal = "true"
	for _, s := range []struct {
		name, does string
		into       **bool
	}{
		{"fold-ln", "fold the norms' weights into the layers behind them", &m.Processing.FoldLN},
		{"center-writing-weights", "take the mean out of what is written to the residual stream", &m.Processing.CenterWritingWeights},
		{"center-unembed", "take the mean over the vocabulary out of the unembedding", &m.Processing.CenterUnembed},
		{"fold-value-biases", "move the values' biases into that of the output", &m.Processing.FoldValueBiases},
	} {
		typed(fs, s.into, s.name, "", "BOOL", s.does+", default as TransformerLens does for a pretrained model", parseSwitch)
		fs.Lookup(s.name).NoOptDefVal = "true"
	}
	typed(fs, &m.Reset, "reset-weights", "", "SEED", "shuffle heads and neurons, as a control in which there is no circuit; none leaves them",
		func(text string) (*uint64, error) {
			if m.NoReset = text == "none"; m.NoReset {
				return nil, nil
			}
			return parseSeedFlag(text)
		})
}

// parseSwitch reads yes or no.
func parseSwitch(s string) (*bool, error) {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return nil, fmt.Errorf("expected true or false, found %q", s)
	}
	return &on, nil
}

// parseSeedFlag reads a seed that may be left out.
func parseSeedFlag(text string) (*uint64, error) {
	seed, err := parseSeed(text)
	return &seed, err
}

// noProcessing is the switch that turns off what no other switch turns on.
type noProcessing struct {
	spec *study.Spec
	on   bool
}

func (n *noProcessing) Set(s string) error {
	on, err := parseSwitch(s)
	if err != nil {
		return err
	}
	if n.on = *on; n.on {
		n.spec.Processing = n.spec.Processing.Over(checkpoint.NoProcessing())
	}
	return nil
}

func (n *noProcessing) String() string { return strconv.FormatBool(n.on) }
func (n *noProcessing) Type() string   { return "bool" }
func (n *noProcessing) explains()      {}
