// Package roc says how well circuits agree with a circuit that is known to be
// the true one: true and false positive rates of edges and of nodes over the
// thresholds of a method, and the areas under such curves.
//
// It knows
//  1. what is counted (Options, Count), and a true circuit to count against
//     (Truth);
//  2. the curve of a method (Curve): from circuits that were found
//     (Truth.FromCircuits), or from scores of edges, at every threshold that
//     makes a difference or at chosen ones (Truth.FromScores);
//  3. the areas: the one of Conmy et al. 2023 (Pessimistic), the usual one
//     (Trapezoid), InterpBench's as the MIB benchmark computes it (InterpBench,
//     Truth.Greedy);
//  4. the files: JSON that is read again (File), and CSV (WritePoints,
//     WriteAreas). The picture is package figure, apart because it links a
//     library for plots.
//
// It does not know how a circuit is found.
//
// # What is positive
//
// An edge is positive where a circuit has it, and truly so where the true
// circuit has it too. Placeholder edges, which no mask numbers, are counted on
// request only: one is there, as in the reference's true circuits and after its
// runs, where an edge leaves the head or MLP that it leads to.
//
// A node is positive where it touches a present edge that lies on a path: a
// chain of present edges, and placeholder edges, from an embedding to the
// output. What is one part of a model is one node: an MLP's input and output
// are the MLP, the residual input of a head's queries and these queries are
// the head's q, the same for its k and v; the head's output is a node of its
// own, and so are each embedding and the output. So all graph definitions have
// the same nodes. The reference counts otherwise (ReferenceNodes).
package roc
