// Package page writes a circuit as one interactive HTML file: it needs no
// network, no server and no other file.
//
// It knows a circuit (package circuit) and what a page shows; it knows neither a
// model, nor prompts, nor Graphviz. Who has a model fills Runs; who has Graphviz
// gives Place a function that lays DOT text out.
//
// The steps:
//
//  1. New makes of a circuit the nodes and edges of a Data (circuit.go), and
//     places every node on a grid of layers and heads (grid.go);
//  2. Data.Place moves the nodes of a small circuit to where Graphviz would
//     draw them, with the curves of its edges (layout.go);
//  3. the caller adds what else is known: Runs, Trace, Circuits, Settings;
//  4. Write joins the modules to one script (script.go), and writes that, the
//     style and the data as one file (write.go).
//
// # The data
//
// Data is written as JSON into an element of type application/json, with < > and
// & escaped, so that no text can leave it; the modules only ever set it as text
// of an element or an attribute that is no address and no code. The file's
// Content-Security-Policy allows one script and one style, by their hashes, and
// no connection; with Live, connections to where the page came from.
//
// Nodes are the parts of the graph, all of them: embedding, heads, MLPs, output.
// Edges are those of the circuit, or of several, with Live all of the graph. An
// edge is known by its place in Edges; Edge.Number is its number in the graph.
//
// # The state
//
// The modules (*.js, plain ECMAScript modules that import each other; see
// Modules) share one state, made by state.js, whose head says all its keys:
//
//	state.get("present")          the Set of places in data.edges that are present
//	state.edit({cut, add})        changes it, by lists of places, and remembers how
//	state.undo(), state.redo()    go back and forth
//	state.on("present", f)        calls f(new, old) after every change
//	state.set("measured", m)      shows other numbers of the circuit: see Measured
//
// A server that measures edits adds a module live.js that exports
// startLive(state, data, ui), lists it in Modules before main.js, and is called
// there if data.live is there. Nothing edits the set of edges without it.
package page
