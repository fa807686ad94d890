// Package tensor holds shaped float32 arrays and the operations that a
// transformer needs on them: matrix products, layer norm, softmax, activations,
// and the way backward through each. It knows no model.
//
// Results do not depend on the number of threads, on how rows are split over
// calls or on which other rows share a call; the AVX-512 and AVX2 kernels
// give the same bits, and arm64's NEON the same matrix products. The portable
// kernels add in the same order, but without fused multiply-add, and so may
// differ in the last bits.
//
// A matrix product has a constant right-hand side in the common case: Pack
// it once, then MatMul. Attention is one head of one example; MulNT and MulNN
// are its products, where both sides are new.
//
// Backward, of y = a·b with b constant, ∂/∂a is a product with b packed by
// PackTransposed, and ∂/∂b is added up by MulTNAdd.
//
// Shapes that do not fit together panic with an error that wraps ErrShape.
package tensor
