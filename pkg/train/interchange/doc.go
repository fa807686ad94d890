// Package interchange trains a transformer to compute what a compiled program
// computes, in the parts in which the program computes it: strict interchange
// intervention training (Gupta et al. 2024, arXiv:2407.14494, "InterpBench"; the
// interventions are those of Geiger et al. 2022).
//
// The steps:
//
//  1. a Spec names the program, and which head of the model each head of the
//     program's is; an MLP is the MLP of its layer. New compiles the program and
//     makes a Pair of the two;
//  2. heads and MLPs whose output the program's circuit has are the circuit's
//     nodes; all others of the model stand outside (node.go);
//  3. of a base input and a source of the same length three losses are taken
//     (gradient.go): the behaviour on the base; the interchange, in which one
//     node of the circuit has in the base's run what it has in the source's, in
//     the model and in the program alike, which must then give the same; and
//     the strict loss, in which nodes outside have what they have in the
//     source's run and nothing may come of it;
//  4. the gradient goes through both runs: what reaches an interchanged output in
//     the base's run goes on in the source's;
//  5. Measure counts answers on inputs that were kept from training (inputs.go),
//     and Marks says how good is good;
//  6. Circuit is the truth: an edge between two parts of the model is in it if it
//     is in the program's circuit between the parts that they stand for.
//
// An answer is what a position's logits say, the value with the largest or the
// number. Positions at which the program has no value do not count.
package interchange
