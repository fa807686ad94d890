// Package patch runs a model under gates: the edges that are present carry the
// current run's values, those that are cut the corrupted run's.
//
// The steps:
//
//  1. Bind takes a model, clean and corrupt prompts, a metric and an ablation,
//     makes the two runs (package ablate) and measures them, batch by batch;
//  2. Pass evaluates gates by one full forward pass with a hook at every
//     receiver; Experiment.Plain measures it: the declared reference, slow and
//     simple, for gates anywhere from 0 to 1;
//  3. a Readout turns final residual streams into the metric's values.
//
// Conmy et al. 2023, Algorithm 1; the reference implementation's sender and
// receiver hooks. Masks are evaluated faster by package incremental, which is
// held to this one. Neither knows which edges to try: that is package discover.
package patch
