// Package train fits small transformers to made-up data, or makes them compute
// what a program computes (package interchange).
//
// The steps:
//
//  1. a Recipe says everything that decides the weights: the model's
//     configuration, the data, the optimiser, the number of steps, the seed;
//  2. a step's batch is a function of the recipe's seed and the step's number
//     alone (corpus.go), so that a run that goes on elsewhere needs no state of a
//     random number generator;
//  3. the batch is cut into chunks of examples of a fixed size; each chunk's
//     gradient is computed by one goroutine, and they are added up in a tree of
//     a fixed shape (gradient.go): the bits do not depend on the number of
//     threads;
//  4. the gradient is clipped by its norm, and AdamW moves the weights
//     (adamw.go);
//  5. State saves weights, both moments and the step's number, from which the
//     same run goes on to the same bytes (state.go);
//  6. Result.Save writes the model in TransformerLens' layout with its recipe
//     (save.go), and Measure says what it can do on prompts that it was not
//     trained on (measure.go).
package train
