// Command acdc finds circuits in transformers. Package cli is what it does.
package main

import (
	"context"
	"os"

	"github.com/seed-2c350065/acdc/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
