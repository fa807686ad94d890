// Package tensor holds shaped float32 arrays and the operations a
// transformer's inference needs on them: matrix products, layer norm,
// softmax, activations. It knows no model.
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
// Shapes that do not fit together panic with an error that wraps ErrShape.
package tensor
