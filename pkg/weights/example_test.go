package weights_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/seed-2c350065/acdc/pkg/task"
	"github.com/seed-2c350065/acdc/pkg/weights"
)

// Prompts that a program made become a data file: tokens, and which positions
// count.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "data.safetensors")
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	tensors := []weights.Tensor{
		weights.Int64s("clean", []int64{5, 9, 5, 7, 2, 7}, 2, 3),
		weights.Int64s("corrupt", []int64{5, 9, 4, 7, 2, 6}, 2, 3),
		weights.Mask("mask", []bool{false, false, true, false, false, true}, 2, 3),
	}
	if err := weights.Write(f, tensors, nil); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	data, err := task.Read(context.Background(), path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Clean, data.Corrupt[1], data.Mask[0])
	// Output: [[5 9 5] [7 2 7]] [7 2 6] [false false true]
}
