// Package stability says how far a circuit depends on the examples, and on the
// seed, that it was found with.
//
// The steps:
//
//  1. Find runs an algorithm on an experiment, and again on its examples drawn with
//     replacement, as many as there are (the bootstrap), and gives a circuit and
//     scores for each drawing;
//  2. New sums up drawings, of one experiment or of several seeds: for each edge
//     how often it was found and in what range its effect lies, and how alike the
//     circuits are;
//  3. a Result is written as JSON that is read again, and as CSV.
//
// The drawings share whatever they can (Shares). A method that has scores of single
// examples scores once, and each drawing is a mean of these. ACDC runs anew, on the
// same clean and corrupted run, under a metric that counts each example as often
// as it was drawn. Only masks that are learned, scores without examples' scores and
// ACDC behind a screen have the runs made anew, of the examples drawn.
//
// # What is measured
//
// An edge's frequency is the share of the circuits that have it. Its effect is its
// score; the interval is the percentile interval of the scores of the drawings
// (Efron 1979): from the (1−c)/2 to the (1+c)/2 quantile at confidence c, of those
// drawings in which the edge was scored. The Jaccard index of two circuits is the
// number of edges that both have over that of those that either has, 1 for two
// empty ones; its mean is over all pairs.
package stability
