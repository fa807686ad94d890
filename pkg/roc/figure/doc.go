// Package figure draws curves of true over false positive rates (package roc)
// as SVG, PNG or PDF: a panel for edges and one for nodes, in each a curve for every
// method, and below it a legend with the areas.
//
// The steps:
//  1. each curve becomes the stairs below which the reference's area lies, with
//     a mark at every circuit where there are few (stairs.go);
//  2. each method gets a colour, a dash and a mark of internal/plotstyle;
//  3. panel and legend are drawn (figure.go, legend.go) with gonum's plot.
//
// The package stands apart because that library adds some 7 MB to a program. It
// knows no file: it writes to what it is given. The same curves give the same
// bytes.
package figure
