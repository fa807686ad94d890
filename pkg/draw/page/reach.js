// reach.js: which edges lie on paths.
//
// What arrives at a head's q, k or v goes on only through the direct edge behind
// it, in graphs that have such edges.
// ---
export function createReach(data) {
  const into = data.nodes.map(() => []), outOf = data.nodes.map(() => []);
  const direct = new Map(); // by node and port, the direct edge
  data.edges.forEach((e, i) => {
    if (e.d) {
      direct.set(4 * e.r + e.p, i);
      return;
    }
    into[e.r].push(i);
    outOf[e.s].push(i);
  });
  const hasDirect = data.graph.definition === "acdc";

  // carries tells whether what an edge brings goes on in its receiver.
  function carries(i, present) {
    const e = data.edges[i];
    if (e.p < 0 || !hasDirect) return true;
    const d = direct.get(4 * e.r + e.p);
    return d !== undefined && present.has(d);
  }

  // closure collects the edges of all paths from a node on, in one direction.
  function closure(start, lists, next, present) {
    const edges = new Set(), seen = new Set([start]), open = [start];
    while (open.length > 0) {
      for (const i of lists[open.pop()]) {
        if (!present.has(i) || !carries(i, present)) continue;
        edges.add(i);
        const n = next(data.edges[i]);
        if (!seen.has(n)) {
          seen.add(n);
          open.push(n);
        }
      }
    }
    return { edges, nodes: seen };
  }
  const back = (n, present) => closure(n, into, e => e.s, present);
  const forth = (n, present) => closure(n, outOf, e => e.r, present);

  // through is what lies on paths through a node, or through an edge, from the
  // embedding and to the output.
  function through(what, present) {
    if (what.node !== undefined) {
      const a = back(what.node, present), b = forth(what.node, present);
      return { edges: new Set([...a.edges, ...b.edges]), nodes: new Set([...a.nodes, ...b.nodes]) };
    }
    const e = data.edges[what.edge];
    const a = back(e.s, present), b = forth(e.r, present);
    return { edges: new Set([...a.edges, ...b.edges, what.edge]), nodes: new Set([...a.nodes, ...b.nodes]) };
  }

  // between finds every path from one node to another: all their edges, how many
  // paths there are, and the first of them, as lists of edges.
  function between(from, to, present, most = 200) {
    const a = forth(from, present), b = back(to, present);
    const edges = new Set([...a.edges].filter(i => b.edges.has(i)));
    const counts = new Map([[to, 1]]);
    const paths = n => {
      if (!counts.has(n)) counts.set(n, outOf[n].reduce((sum, i) => edges.has(i) ? sum + paths(data.edges[i].r) : sum, 0));
      return counts.get(n);
    };
    const list = [];
    const walk = (n, path) => {
      if (list.length >= most) return;
      if (n === to) {
        list.push([...path]);
        return;
      }
      for (const i of outOf[n]) {
        if (edges.has(i)) walk(data.edges[i].r, [...path, i]);
      }
    };
    if (from !== to && edges.size > 0) walk(from, []);
    return { from, to, edges, list, total: from === to || edges.size === 0 ? 0 : paths(from) };
  }
  return { into, outOf, direct, carries, through, between, hasDirect };
}
