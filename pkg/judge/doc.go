// Package judge says how good a circuit is: what it explains, what it misses,
// what of it is needed, and whether chance would do as well.
//
// The steps:
//
//  1. Measure takes one metric of four runs, example by example: the full model,
//     the circuit, the complement and the corrupted run (measure.go);
//  2. Judge asks one experiment for completeness (complete.go) and minimality
//     (minimal.go) as Wang et al. 2022 define them, and for the hypothesis tests
//     of Shi et al. 2024 (hypotheses.go, independence.go), whose null
//     distributions are of random circuits (random.go) and of permutations;
//  3. a File is all of it with what it came from, as JSON that is read again and
//     as CSV; its picture is package figure, apart because it links a library for
//     plots.
//
// It does not know how a circuit is found, nor what models and tasks are called.
//
// # Notation
//
// M is the full model, C the circuit, ∅ the corrupted run, m the experiment's
// metric, which is the less the better, s = −m of one example its score. C \ K is
// the circuit without the nodes K: every edge that leaves one is cut, so that
// others hear what the corrupted run has there; M \ K likewise. M \ C, the
// complement, has the edges that the circuit has not, and all direct edges, which
// are part of their heads.
//
//	faithfulness     f(C) = (m(C) − m(∅)) / (m(M) − m(∅)), 1 of M, 0 of ∅
//	incompleteness   |m(M \ K) − m(C \ K)| for sets K of the circuit's nodes
//	minimality       m(C \ v) − m(C), and the most of |m(C \ (K ∪ v)) − m(C \ K)|
//	                 over sets K without v, for each edge or node v of C
//	distance         d(A, B) = mean over examples of (s(A) − s(B))²
package judge
