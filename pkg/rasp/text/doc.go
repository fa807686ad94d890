// Package text is the syntax of RASP programs: files that end in .rasp.
//
//  1. Parse reads a file to a File, a tree that String writes again;
//  2. File.Program makes a program of package rasp of it, and File.Domain what
//     it runs on.
//
// A program that reverses its input is
//
//	vocab 1, 2, 3
//	max_len 5
//	let length = width(select(tokens, tokens, true))
//	let left = sequence_map((n, i) -> n - i, length, indices)
//	let opposite = map(x -> x - 1, left)
//	return aggregate(select(indices, opposite, ==), tokens)
//
// # The language
//
// A file says, in any order and each at most once, what the program runs on
// unless told otherwise: vocab (strings in quotes, numbers, true and false),
// max_len, causal. Then come let bindings, and return says the output. Line ends
// mean nothing; # begins a comment.
//
// Sequences are
//
//	tokens, indices
//	constant(value)
//	map(x -> ..., sequence)
//	sequence_map((x, y) -> ..., sequence, sequence)
//	linear(number, sequence, number, sequence)
//	aggregate(selector, sequence), aggregate(selector, sequence, default)
//	width(selector)
//	numerical(map, sequence_map or constant)
//
// and selectors are
//
//	select(keys, queries, predicate)
//	selector and selector, selector or selector, not selector
//
// with a predicate ==, !=, <, <=, >, >= (of the key and the query, in this
// order), true, false or (key, query) -> ... Functions are expressions of their
// arguments: + - * / %, comparisons, and, or, not, if ... then ... else ...,
// abs(x), floor(x), min(x, y), max(x, y), numbers, strings, true, false,
// undefined. What is computed of an undefined value is undefined, and so is a
// division by zero; a predicate that is undefined selects nothing.
//
// Equal expressions are one sequence, which is computed once.
package text
