// state.js: what the page shows at the moment, in one place that all modules share.
//
// The data are those of the element "data"; package page says what is in them
// (data.go). An edge is known by its place in data.edges, a node by its place in
// data.nodes.
//
// createState(data) makes the state:
//
//   get(key), set(key, value)   read and change a value
//   on(key, f)                  call f(value, old) after each change of it; returns
//                               a function that ends that
//   edit({cut, add})            make edges (lists of places) absent and present, as one
//                               step that can be undone; sets "present"
//   undo(), redo()              go back and forth between edits; they return whether
//                               there was anything to do
//   canUndo(), canRedo()
//   restart(present)            begin anew with other edges, and no edits
//
// The keys:
//
//   present    Set of the edges that are present; never changed in place
//   effects    by edge its effect, NaN for none
//   measured   numbers of the circuit as shown: {metric, full, circuit, corrupted}
//   hovered    {node} or {edge} under the pointer, or null
//   pinned     the same, clicked
//   from       node from which paths are asked for, or null
//   paths      {from, to, edges: Set, list} that are asked for, or null
//   least      size of effect below which edges are dimmed, 0 for none
//   circuit    place in data.circuits of the one that is shown, or -1
//   color      "kind", "sign" or "part": what the colour of an edge means
//   direct     whether direct edges are drawn
//   collapsed  whether the heads of a layer are one box
//   layout     "drawn" (Graphviz's) or "grid"
//   theme      "auto", "light" or "dark"
//   panel      name of the panel that is shown
//   prompt     place in data.runs.prompts of the chosen prompt
//   step       test of the trace that is shown, or -1 for the circuit
//   film       what the replay shows: {cut: Set of places, kept: Set, tested: {s, r,
//              p, d}}, or null for the circuit
//   zoom       {k, x, y} of the picture
//   editing    whether a click on an edge cuts or restores it
//   answered   what the engine said of the edges that are present, see live.js; null
//              without one and while it computes
//
// live.js, where there is one, listens to "present", asks its engine, and sets
// "measured".
// ---
export function createState(data) {
  const kept = new Set();
  data.edges.forEach((e, i) => { if (e.k) kept.add(i); });
  const values = {
    present: kept,
    effects: Float64Array.from(data.edges, e => (e.e ?? NaN)),
    measured: data.measured ?? null,
    hovered: null, pinned: null, from: null, paths: null,
    least: 0, circuit: -1,
    color: data.parts ? "part" : "kind",
    direct: false, collapsed: false,
    layout: data.drawn && !data.live ? "drawn" : "grid",
    theme: "auto", panel: "node", prompt: 0, step: -1, film: null,
    zoom: { k: 1, x: 0, y: 0 },
    editing: Boolean(data.live), answered: null,
  };
  const listeners = new Map();
  let past = [], future = [];

  function set(key, value) {
    if (!(key in values)) throw new Error("no such key of the state: " + key);
    const old = values[key];
    if (old === value) return;
    values[key] = value;
    for (const f of [...(listeners.get(key) ?? [])]) f(value, old);
  }
  function on(key, f) {
    if (!(key in values)) throw new Error("no such key of the state: " + key);
    if (!listeners.has(key)) listeners.set(key, new Set());
    listeners.get(key).add(f);
    return () => listeners.get(key).delete(f);
  }
  function edit({ cut = [], add = [] }) {
    const next = new Set(values.present);
    for (const i of cut) next.delete(i);
    for (const i of add) next.add(i);
    if (next.size === values.present.size && [...next].every(i => values.present.has(i))) return false;
    past.push(values.present);
    future = [];
    set("present", next);
    return true;
  }
  function step(from, to) {
    if (from.length === 0) return false;
    to.push(values.present);
    set("present", from.pop());
    return true;
  }
  return {
    get: key => values[key], set, on, edit,
    undo: () => step(past, future), redo: () => step(future, past),
    canUndo: () => past.length > 0, canRedo: () => future.length > 0,
    restart(present) { past = []; future = []; set("present", present); },
  };
}
