// layout.js: where nodes are, and which way edges take.
// ---
import { KIND } from "./names.js";

export const NODE = { width: 56, head: 32, port: 12, plain: 22 }; // as in grid.go

export function createLayout(data, state) {
  const collapsedAt = new Map();

  function base() {
    return state.get("layout") === "drawn" && data.drawn ? data.drawn : data.grid;
  }
  // place is the centre of a node, or null where it is not shown.
  function place(i) {
    const n = data.nodes[i];
    if (state.get("collapsed") && n.kind === KIND.head) return layer(n.layer);
    return base().at[i];
  }
  // layer is the centre of the box that stands for all heads of a layer.
  function layer(l) {
    const key = state.get("layout") + l;
    if (!collapsedAt.has(key)) {
      const at = data.nodes.map((n, i) => n.kind === KIND.head && n.layer === l ? base().at[i] : null).filter(Boolean);
      const x = at.map(p => p[0]);
      collapsedAt.set(key, at.length ? [(Math.min(...x) + Math.max(...x)) / 2, at[0][1]] : null);
    }
    return collapsedAt.get(key);
  }
  function height(i) {
    return data.nodes[i].kind === KIND.head && !state.get("collapsed") ? NODE.head : NODE.plain;
  }
  function portX(at, p) {
    return at[0] + (p < 0 || state.get("collapsed") ? 0 : (p - 1) * NODE.width / 3);
  }
  // curve is the path of an edge, as SVG's "d", or null where an end is missing.
  function curve(e) {
    const from = place(e.s), to = place(e.r);
    if (!from || !to) return null;
    if (e.d) {
      const x = portX(to, e.p), y = to[1] - NODE.head / 2 + NODE.port;
      return state.get("collapsed") ? null : `M${x},${y - 9}C${x},${y - 6} ${x},${y - 3} ${x},${y}`;
    }
    if (e.c && state.get("layout") === "drawn" && !state.get("collapsed")) return e.c;
    const x0 = from[0], y0 = from[1] + height(e.s) / 2, x1 = portX(to, e.p), y1 = to[1] - height(e.r) / 2;
    const dy = y1 - y0;
    if (Math.abs(x1 - x0) < 8 && dy > 90) { // do not run through what stands between
      const bow = 26 + Math.min(90, dy / 12);
      return `M${x0},${y0}C${x0 + bow},${y0 + dy * 0.25} ${x1 + bow},${y1 - dy * 0.25} ${x1},${y1}`;
    }
    const pull = Math.max(14, Math.min(80, dy * 0.4));
    return `M${x0},${y0}C${x0},${y0 + pull} ${x1},${y1 - pull} ${x1},${y1}`;
  }
  // points are places along a curve, close enough to find it with a pointer.
  function points(d) {
    const n = d.match(/-?\d+(?:\.\d+)?/g).map(Number), out = [];
    for (let i = 0; i + 7 < n.length; i += 6) {
      const length = Math.abs(n[i + 6] - n[i]) + Math.abs(n[i + 7] - n[i + 1]);
      const steps = Math.max(2, Math.min(24, Math.round(length / 12)));
      for (let k = 0; k <= steps; k++) {
        const t = k / steps, u = 1 - t;
        for (const c of [0, 1]) {
          out.push(u * u * u * n[i + c] + 3 * u * u * t * n[i + 2 + c] + 3 * u * t * t * n[i + 4 + c] + t * t * t * n[i + 6 + c]);
        }
      }
    }
    return Float32Array.from(out);
  }
  return { base, place, layer, height, portX, curve, points };
}
