package cli

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "say which version this is",
		Example: `  acdc version`,
		Args:    noArgs(""),
		RunE: func(*cobra.Command, []string) error {
			a.print(versionText() + "\n")
			return nil
		},
	}
}

// versionText names the version as the Go tool recorded it.
func versionText() string {
	version := "(devel)"
	revision, modified := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && len(s.Value) >= 12:
				revision = " " + s.Value[:12]
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = " modified"
			}
		}
	}
	return fmt.Sprintf("acdc %s%s%s %s %s/%s", version, revision, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// programText names the program so that two that compute other numbers have
// other names: its version, and where that says nothing the program's own hash.
func programText() string {
	version := versionText()
	if !strings.Contains(version, "(devel)") && !strings.Contains(version, "modified") {
		return version
	}
	path, err := os.Executable()
	if err != nil {
		return version
	}
	f, err := os.Open(path)
	if err != nil {
		return version
	}
	defer f.Close() // read only
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return version
	}
	return fmt.Sprintf("%s %.6x", version, h.Sum(nil))
}
