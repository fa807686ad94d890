// Package incremental evaluates masks at the cost of what a cut reaches.
//
// The steps:
//
//  1. New makes the State of a mask of one batch: every value that is not the
//     clean run's is computed from the corrupted run up;
//  2. State.Begin opens the Turn of a receiver and plans what a cut of one of
//     its edges can reach through the edges that are present;
//  3. Turn.Try computes only that, for several cuts at a time and only at the
//     rows that are read; Turn.Accept keeps some of them cut;
//  4. Turn.End computes anew what the removed edges reached.
//
// It knows masks and senders that add to the residual stream; gates and
// everything else is package patch, to which it is held: a state of a mask is
// its plain pass but for rounding.
package incremental
