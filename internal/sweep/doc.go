// Package sweep runs many discoveries and keeps what each found.
//
// The steps:
//
//  1. a Grid says what is varied; Plan makes of it a list of runs in which
//     nothing is left to be chosen, each named by the hash of everything that
//     decides its result (grid.go, planned.go);
//  2. the list may be written as a manifest, a run a line, and read on other
//     machines (manifest.go);
//  3. a Lab makes runs one after the other, and keeps what the next can share:
//     the model, the clean and the corrupted runs, an algorithm's scores
//     (lab.go, find.go);
//  4. a Folder has a file for each run, written whole (folder.go); a run that
//     has its file is not made again;
//  5. each run becomes a Row, the columns of which are listed in one place
//     (row.go), as CSV or JSON lines.
//
// What engines of many machines are told is in emit.go, the picture in package
// figure below this one. No result depends on which machine made it, in which
// order, or how often it was stopped.
package sweep
