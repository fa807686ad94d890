package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// shells lists what completion can be made for.
var shells = []string{"bash", "zsh", "fish", "powershell"}

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "print a completion script for a shell",
		Long: `Print a script that teaches a shell to complete commands, flags and their
values. Where it belongs:

  bash        ~/.local/share/bash-completion/completions/acdc
  zsh         _acdc in a folder of $fpath
  fish        ~/.config/fish/completions/acdc.fish
  powershell  acdc completion powershell | Out-String | Invoke-Expression`,
		Example:   `  acdc completion bash > acdc.bash`,
		ValidArgs: shells,
		Args:      oneArg("one of " + strings.Join(shells, ", ")),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.stdout)
			}
			return usagef("unknown shell %q: expected one of %s%s", args[0], strings.Join(shells, ", "), suggestion(args[0], shells))
		},
	}
}
