// Package draw makes the picture of a circuit as DOT text.
//
// It knows a circuit (package circuit) and how its parts look; it does not know
// Graphviz. Laying the text out and turning it into SVG, PNG or PDF is
// package render, which is apart because linking Graphviz costs every process some 25
// milliseconds before main. The text is plain DOT that any Graphviz reads.
//
// The steps:
//  1. gather the nodes that the kept edges touch, and fold a head's q, k and v
//     into tabs on its box, an MLP's input into the MLP (picture.go);
//  2. where wanted, draw the heads of a layer or the nodes of a group as one box,
//     with one arrow for all edges between two (collapse.go), and keep the
//     strongest edges alone (limit.go);
//  3. sort them into rows: the embedding at the top, for each layer its heads
//     and below them its MLP, the output at the bottom, so that every arrow
//     points down as in the figures of Conmy et al. 2023;
//  4. give each edge a width and an opacity from the size of its effect and a
//     colour from its sign or from what it ends in (style.go);
//  5. write legend and caption (legend.go, caption.go), rows and edges (dot.go)
//     in a fixed order.
//
// The same circuit gives the same bytes.
package draw
