package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/seed-2c350065/acdc/pkg/ablate"
)

func newPredict(run func(context.Context, *runOptions) error) *cobra.Command {
	o := &runOptions{format: reportText}
	o.threads = runtime.GOMAXPROCS(0)
	cmd := &cobra.Command{
		Use:     "predict (--model MODEL | --circuit CIRCUIT.json) --prompt TEXT...",
		Short:   "see which tokens a model or a circuit predicts",
		Long:    promptLong,
		Example: promptExample,
		Args:    noArgs("prompt"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.prompts) == 0 {
				return usagef("expected --prompt TEXT, found none")
			}
			if err := o.checkPrompts(); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.textOptions.flags(cmd)
	o.circuitFlags(cmd)
	fs := cmd.Flags()
	choice(cmd, &o.format, "format", string(o.format), "of what is printed", texts(reportFormats), oneOf("format", reportFormats))
	choice(cmd, &o.spec.Ablation, "ablation", "", "what cut edges carry, default the circuit's", texts(ablate.Ablations()), ablate.Parse)
	typed(fs, &o.spec.Seed, "seed", "", "N", "of the permutation of positions, default the circuit's", parseSeedFlag)
	bosFlags(cmd, &o.spec)
	typed(fs, &o.threads, "threads", fmt.Sprint(o.threads), "N", "how many cores to use; does not change the result", parseCount(maxThreads))
	modelFlags(cmd, &o.spec)
	fs.SortFlags = false
	return cmd
}
