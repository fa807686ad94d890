// Package pagedata makes what a page (package page) shows of a model: what its
// runs predict, where its heads look, what they add to the answer, and how the
// search went.
//
// The steps:
//
//  1. Runs makes the three runs on the first prompts, and the metric of every
//     example;
//  2. a Trace hears of every test of a search, and packs them;
//  3. Settings says everything that made a circuit file.
//
// A page stays below MostBytes: patterns, which take the most, get what room is
// left.
package pagedata
