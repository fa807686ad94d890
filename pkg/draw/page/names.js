// names.js: what nodes and edges are called, in every dialect of the field.
//
// data.names has, by kind of node, the patterns of the dialects: circuit files
// (0), TransformerLens (1), pictures (2), DOT (3), Edge-Pruning (4). The kinds are
// those of Go's package circuit.
// ---
export const KIND = { input: 0, embed: 1, posEmbed: 2, head: 3, mlp: 4, qInput: 5, q: 8, mlpIn: 11, output: 12 };
export const LETTERS = ["q", "k", "v"];
const SHORT = 0, HOOKS = 1;

export function createNames(data) {
  const write = (kind, dialect, n) => {
    const layer = kind === KIND.output ? data.graph.n_layers - 1 : n.layer;
    return data.names[kind][dialect].replace("L", layer).replace("H", n.head);
  };
  // kinds are those of a node and of its inputs.
  const kinds = n => n.kind === KIND.head ? [3, 5, 6, 7, 8, 9, 10] : n.kind === KIND.mlp ? [4, 11] : [n.kind];
  const node = i => write(data.nodes[i].kind, SHORT, data.nodes[i]);
  const hook = i => write(data.nodes[i].kind, HOOKS, data.nodes[i]);
  const port = (i, p) => p < 0 ? node(i) : node(i) + "<" + LETTERS[p] + ">";

  // edge is its name as in circuit files and on the command line.
  const edge = e => e.d ? port(e.r, e.p) : node(e.s) + "->" + port(e.r, e.p);
  // spoken is the same for people.
  const spoken = e => e.d ? "direct edge of " + port(e.r, e.p) : node(e.s) + " → " + port(e.r, e.p);

  // all lists every name of a node with the port that it is of, -1 for none.
  const all = i => kinds(data.nodes[i]).flatMap(kind => data.names[kind].flatMap((pattern, dialect) => pattern === "" ? [] : [{
    name: write(kind, dialect, data.nodes[i]),
    port: kind >= KIND.qInput && kind < KIND.mlpIn ? (kind - KIND.qInput) % 3 : -1,
  }]));
  return { node, hook, port, edge, spoken, all };
}
