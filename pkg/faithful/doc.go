// Package faithful says how much of a model's behaviour circuits keep, over their
// size, as the MIB benchmark measures it.
//
// Its steps:
//  1. scores of edges stand for circuits of several sizes (Options): of N edges
//     that can be chosen the best ⌊p·N⌋, by score or by its absolute value,
//     without those that lead nowhere;
//  2. each is measured (Measure on an experiment; Along with any function): the
//     metric's mean over the data first, then its place between the circuit
//     without edges and the model (Normalised);
//  3. the areas of that curve (Curve): CPR, CMD, and the mean of the points;
//  4. the curves of circuits are written as JSON and CSV with what decides them
//     (File), or as a row of MIB's leaderboard (Row). Below the package,
//     pkg/faithful/figure draws them.
//
// Faithfulness has no sign of its metric: of a loss it is 1 for the model and 0
// for the circuit without edges too, but only the logit difference is MIB's.
//
// It does not know where scores come from.
package faithful
