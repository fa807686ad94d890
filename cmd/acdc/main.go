// Command acdc finds circuits in transformers. Package cli is what it does.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/seed-2c350065/acdc/internal/cli"
	"github.com/seed-2c350065/acdc/pkg/draw/render"
)

func main() {
	if render.IsChild() { // of another acdc, which has something to draw
		if err := render.ServeChild(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "acdc:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
