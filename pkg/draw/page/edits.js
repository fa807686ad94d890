// edits.js: ways to edit the edges, of a page with an engine behind it.
// ---
import { KIND } from "./names.js";

// createEdits makes edits of data. Each is one step of the state, which can be
// undone.
export function createEdits(data, state) {
  const first = state.get("present");
  const touching = wanted => data.edges.map((_, i) => i).filter(i => wanted(data.nodes[data.edges[i].s]) || wanted(data.nodes[data.edges[i].r]));
  const ofNode = i => touching(n => n === data.nodes[i]);
  const hasLayer = n => n.kind === KIND.head || n.kind === KIND.mlp;
  const ofLayer = l => touching(n => hasLayer(n) && n.layer === l);
  const all = () => data.edges.map((_, i) => i);
  const cut = list => state.edit({ cut: list }), add = list => state.edit({ add: list });

  // toggle cuts an edge that is present, and restores one that is not.
  function toggle(i) {
    return state.get("present").has(i) ? cut([i]) : add([i]);
  }
  // back makes the edges those to begin with.
  function back() {
    return state.edit({ cut: all().filter(i => !first.has(i)), add: [...first] });
  }
  // changes are the places of edges that were cut and added since the beginning.
  function changes() {
    const present = state.get("present");
    return { cut: [...first].filter(i => !present.has(i)), add: [...present].filter(i => !first.has(i)) };
  }
  return {
    toggle, back, changes,
    cutNode: i => cut(ofNode(i)), restoreNode: i => add(ofNode(i)),
    cutLayer: l => cut(ofLayer(l)), restoreLayer: l => add(ofLayer(l)), restoreAll: () => add(all()),
    isFirst: () => {
      const c = changes();
      return c.cut.length + c.add.length === 0;
    },
  };
}

// actionsOf are buttons for what is pinned, as [text, title, act].
export function actionsOf(edits, data, state, names, what) {
  if (what.edge !== undefined) {
    const here = state.get("present").has(what.edge);
    return [[here ? "cut this edge" : "restore this edge", "x", () => edits.toggle(what.edge)]];
  }
  const kind = data.nodes[what.node].kind;
  const word = kind === KIND.head ? "head" : kind === KIND.mlp ? "MLP" : kind === KIND.output ? "output" : "embedding";
  return [
    [`cut this ${word}`, "cut every edge that begins or ends here (x)", () => edits.cutNode(what.node)],
    [`restore this ${word}`, "every edge of the model that begins or ends here", () => edits.restoreNode(what.node)],
  ];
}
