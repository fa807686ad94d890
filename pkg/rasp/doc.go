// Package rasp is RASP, a language of programs that a transformer can compute
// (Weiss et al. 2021, arXiv:2106.06981), in the dialect of Tracr (Lindner et al.
// 2023, arXiv:2301.05062): what programs are, and what they mean.
//
//  1. A Value stands at one position; an Expr is a sequence of values, one a
//     position: Tokens and Indices, and what Map, SequenceMap, Linear,
//     Aggregate, Width and Constant make of sequences;
//  2. a Selector says which positions each position looks at: Select compares
//     keys with queries, And, Or and Not combine;
//  3. an Expr is categorical, one of finitely many values, or numerical, a
//     number (Encoding), which decides how a transformer would hold it;
//  4. Check finds what no transformer could hold; Eval is the meaning of an
//     expression on an input, which package compile must reproduce.
//
// # Undefined values
//
// A value may be undefined, as where nothing is selected and no default is
// given. A function of an undefined value is undefined, and its own results may
// be. A selector never selects a pair of positions at one of which one of its
// keys or queries is undefined, under Not neither. A numerical sequence is
// always a number: what would be undefined is 0, as it is in a residual stream.
// The mean of several categorical values has a meaning only where they are
// equal; elsewhere Eval is an error.
//
// It knows no text (package text) and no transformer (package compile).
package rasp
