package tensor_test

import (
	"fmt"

	"github.com/seed-2c350065/acdc/pkg/tensor"
)

// A constant right-hand side is packed once and used for many products.
func ExampleMatMul() {
	weights := tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3) // [K,N]
	packed := tensor.Pack(weights.Matrix())
	x := tensor.From([]float32{1, 10}, 1, 2) // [M,K]
	y := tensor.New(1, 3)                    // [M,N]
	tensor.MatMul(y.Matrix(), x.Matrix(), packed)
	fmt.Println(y.Data)
	// Output: [41 52 63]
}
