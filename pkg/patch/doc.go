// Package patch runs a model under a circuit: the edges that are present carry
// the current run's values, those that are cut the corrupted run's.
//
// The steps:
//
//  1. Bind takes a model, clean and corrupt prompts, a metric and an Ablation,
//     and runs the model twice: the clean run and the corrupted run, whose
//     activations it keeps;
//  2. Experiment.Plain evaluates a mask by one full forward pass with a hook at
//     every receiver: the declared reference, slow and simple;
//  3. State evaluates the same incrementally: State.Begin plans what a cut at
//     one receiver can reach through the edges that are present, and Turn.Cut
//     computes only that.
//
// With on the current run's activations and co the corrupted run's, the input
// of a receiver r that reads the residual stream is
//
//	input(r) = co_input(r) + Σ over present edges s→r of (on[s] − co[s]),
//
// and the queries, keys or values of a head are computed from their input if
// the direct edge is present, else they are the corrupted run's (Conmy et al.
// 2023, Algorithm 1; the reference implementation's sender and receiver hooks).
//
// The package does not know which edges to try: that is package discover.
package patch
