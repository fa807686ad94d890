// Package circuit is the computational graph of a transformer without any
// tensor: its nodes, its edges, and which of them a circuit keeps.
//
// It knows
//  1. the nodes (Node), small comparable values, and their names in the dialects
//     of the field (Dialect): the short one of the MIB and EAP-IG formats
//     ("a1.h5"), TransformerLens' ("blocks.1.attn.hook_result[:, :, 5]"), that of
//     pictures ("a1.5") and others;
//  2. the edges between them (Edge), and the graph definitions that say which
//     edges exist: a Template is those of one model shape (Config), a Graph the
//     template over spans of positions, of which there is one today;
//  3. circuits: a Mask says which edges are present, Gates how much of each,
//     Scores what each is worth, all flat slices by edge number; and which edges
//     of a circuit carry nothing (Graph.Idle, Graph.Prune);
//  4. files (Format): the JSON of this project (File), that of MIB and EAP-IG, and
//     lists of edges; what all of them must keep to (Inspect);
//  5. what a circuit is in another graph of the same model (Graph.Project), and
//     what it loses there (Lost).
//
// It does not know what a node computes, nor how an edge is cut: that is
// package patch.
//
// # Edge numbering
//
// Receivers are numbered in the order of computation, and the senders that a
// receiver can hear are always a prefix of the list of senders. The edges of a
// receiver therefore form one contiguous run of numbers (Graph.Incoming), with
// the senders in the order of computation. Placeholder edges (q, k, v to their
// head; an MLP's input to its output) are part of every circuit in which their
// ends are; they are never tested nor counted, and have no number.
package circuit
