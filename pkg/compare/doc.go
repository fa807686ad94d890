// Package compare says how alike circuits are: which edges and nodes they share,
// and whether their scores agree.
//
// Its steps:
//  1. circuits are told in the finest graph that all of them have (Common), with
//     what each loses;
//  2. of every two, edges and nodes are counted (Sets): those of both, and of one
//     alone; a node is a head, an MLP, an embedding or the output that an edge of
//     the circuit begins or ends in;
//  3. scores are compared by rank (Spearman, Kendall), over the edges that both
//     circuits keep, and over all that both have scores of.
//
// It does not know where circuits come from, nor how they are drawn.
package compare
