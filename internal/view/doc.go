// Package view is a circuit under edit: the engine behind the page of acdc view,
// and the server that the page talks to.
//
// The steps:
//
//  1. Open holds a study's experiment with the circuit to begin with: a Session;
//  2. Session.Measure answers what a set of edges does: the metric, computed as
//     acdc run computes it and equal to the last digit, each example's, and the
//     likeliest tokens and attention patterns of chosen prompts. One set is
//     measured at a time, by full passes; whoever asked and left is forgotten;
//  3. Session.File is the same set as a circuit file, Session.Command the line
//     of acdc run that makes it of the circuit to begin with;
//  4. Serve offers all this on the loopback, behind a token, to the page and to
//     nobody else (guard.go).
//
// It keeps no edits: each question names its edges, so that undo, redo and a
// second page need nothing here. It knows no HTML: the page is package page.
package view
