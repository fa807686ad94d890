// Package ablate runs a model twice: on the clean prompts, and as an Ablation
// corrupts it.
//
// The steps:
//
//  1. Bind checks that model, graph and data fit, and takes the means of mean
//     ablation;
//  2. Runs.Batches hands out the examples some at a time, each Batch with the
//     activations of both runs, so that memory is bounded by a batch;
//  3. a Sender says where the values of a node that writes to the residual
//     stream lie in a run.
//
// It does not know metrics, and patches nothing: that is package patch.
package ablate
