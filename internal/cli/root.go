package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot makes the tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "acdc",
		Short: "find circuits in transformers",
		Long: `acdc finds the circuit of a behaviour in a GPT-style transformer: the few
connections between attention heads, MLPs, embeddings and output that suffice
for it (Automatic Circuit DisCovery, Conmy et al. 2023).`,
		Example: `  acdc discover --task induction -o circuit.svg
  acdc tasks`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetUsageFunc(usage)
	root.SetHelpFunc(help)
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(a.flagError)
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		newDiscover(a, a.discover), newRun(a, a.run), newPredict(a.predict), newRender(a, a.render), newView(a, a.view), newInfo(a), newModels(a), newTasks(a),
		newData(a), newPull(a, a.pull), newTrain(a.train), newCompile(a.compile), newROC(a.roc), newEvaluate(a.evaluate), newCurve(a.curve), newStability(a.stability), newSweep(a), newReference(a, a.reference),
		newCompare(a.compare), newConvert(a, a.convert),
		newCompletion(a), newVersion(a))
	root.SetHelpCommand(newHelp())
	return root
}

// Commands returns the tree of commands for documentation; running it prints
// nothing.
func Commands() *cobra.Command {
	return newRoot(&app{stdin: strings.NewReader(""), stdout: &output{w: io.Discard}, stderr: io.Discard})
}

// newHelp replaces the help command of cobra, which does not fail on an
// unknown topic.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command]",
		Short:   "say how a command is used",
		Example: `  acdc help discover`,
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), strings.Join(args, " "))
			}
			topic.InitDefaultHelpFlag()
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	}
}

func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("unknown command %q%s", name, suggestion(name, names))
}

// noArgs refuses what stands on the command line without a flag.
func noArgs(flag string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if flag != "" && !cmd.Flags().Changed(flag) {
			hint = fmt.Sprintf("; did you mean --%s %s?", flag, args[0])
		}
		return usagef("unexpected argument %q%s", args[0], hint)
	}
}

// flagError rewrites the errors of the flag parser.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	if !cmd.HasParent() { // acdc discovr --task x: the command is wrong, not the flag
		if len(a.args) > 0 && !strings.HasPrefix(a.args[0], "-") {
			return unknownCommand(cmd, a.args[0])
		}
	}
	var invalid *pflag.InvalidValueError
	var missing *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &invalid):
		return usagef("--%s: %w", invalid.GetFlag().Name, reason(invalid))
	case errors.As(err, &bare):
		return usagef("--%s: expected a value, found none", bare.GetFlag().Name)
	case errors.As(err, &missing):
		return unknownFlag(cmd, missing)
	}
	return &usageError{err}
}

// unknownFlag suggests another, also for -task, which is read as -t, -a, ….
func unknownFlag(cmd *cobra.Command, missing *pflag.NotExistError) error {
	var long []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { long = append(long, f.Name) })
	if short := missing.GetSpecifiedShortnames(); short != "" {
		hint := ""
		if len(short) > 1 {
			hint = flagSuggestion(short, long)
		}
		return usagef("unknown flag -%s%s", missing.GetSpecifiedName(), hint)
	}
	return usagef("unknown flag --%s%s", missing.GetSpecifiedName(), flagSuggestion(missing.GetSpecifiedName(), long))
}

// flagSuggestion is suggestion for flags, whose dashes make no name closer.
func flagSuggestion(name string, flags []string) string {
	hint, found := strings.CutPrefix(suggestion(name, flags), "; did you mean ")
	if !found {
		return ""
	}
	return "; did you mean --" + hint
}

// reason is why a value was refused; for those flags that the parser itself
// reads, it would be the words of package strconv.
func reason(invalid *pflag.InvalidValueError) error {
	if _, ok := invalid.GetFlag().Value.(interface{ explains() }); ok {
		return invalid.Unwrap()
	}
	return fmt.Errorf("expected true or false, found %q", invalid.GetValue()) // only switches are read by the parser
}
