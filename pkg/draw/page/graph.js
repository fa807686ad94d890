// graph.js: the picture. Edges lie in one layer, what is lit in a second one,
// nodes in a third, so that lighting paths does not paint the edges again.
// ---
import { svg, el, byId } from "./dom.js";
import { KIND, LETTERS } from "./names.js";
import { NODE } from "./layout.js";
import { createScale, colorClass } from "./scale.js";
import { plain } from "./text.js";

export function createGraph(data, state, names, reach, layout) {
  const world = byId("world"), stage = byId("stage");
  const layers = Object.fromEntries(["edges", "lit", "nodes"].map(name => [name, svg("svg", { id: name, "aria-hidden": name !== "nodes" })]));
  world.append(...Object.values(layers).map(s => el("div", { class: "layer " + s.id }, s)));
  const rows = svg("g", { class: "rows" }), nodeGroup = svg("g");
  layers.nodes.append(rows, nodeGroup);

  const paths = new Map(); // by edge, its element
  let drawn = [];          // edges that are drawn: {i, d, points, box}
  let shownNodes = new Map(), scale = createScale(state.get("effects"), state.get("present"));

  const kindOf = i => data.nodes[i].kind === KIND.mlp ? "mlp" : data.nodes[i].kind === KIND.output ? "out" : "none";
  const classOf = i => colorClass(data.edges[i], state.get("effects")[i], state.get("color"), kindOf(data.edges[i].r));

  // isVisible tells whether an edge is drawn at all.
  function isVisible(i) {
    const e = data.edges[i], film = state.get("film");
    if (e.d && (!state.get("direct") || state.get("collapsed"))) return false;
    if (film) return !film.cut.has(i);
    return state.get("present").has(i) || Boolean(data.live) && Boolean(e.k);
  }
  // isDim tells whether the slider leaves it out.
  function isDim(i) {
    const effect = state.get("effects")[i];
    return Math.abs(effect) < state.get("least");
  }
  function edgeClass(i) {
    const film = state.get("film");
    let c = "edge " + classOf(i);
    if (film && !film.kept.has(i)) c += " untested";
    if (!film && isDim(i)) c += " dim";
    if (!film && !state.get("present").has(i)) c += " cut";
    return c;
  }

  // draw places everything anew.
  function draw() {
    const present = state.get("present"), effects = state.get("effects");
    scale = createScale(effects, present);
    const base = layout.base();
    for (const s of Object.values(layers)) {
      s.setAttribute("width", base.width);
      s.setAttribute("height", base.height);
    }
    drawEdges(effects, present.size);
    drawNodes();
    rows.replaceChildren(...base.rows.map(r => svg("text", { x: -8, y: r.y + 4, "text-anchor": "end" }, r.label)));
    light();
  }

  function drawEdges(effects, n) {
    drawn = [];
    const fragment = document.createDocumentFragment();
    const order = data.edges.map((_, i) => i).filter(isVisible).sort((a, b) => size(effects[a]) - size(effects[b]));
    const keep = new Set(), merged = new Set();
    for (const i of order) {
      const e = data.edges[i];
      const d = layout.curve(e);
      if (!d || state.get("collapsed") && merged.has(d)) continue;
      merged.add(d);
      keep.add(i);
      if (!paths.has(i)) paths.set(i, svg("path"));
      const p = paths.get(i);
      p.setAttribute("d", d);
      p.setAttribute("stroke-width", e.i ? 0.9 : scale.width(effects[i]).toFixed(2));
      p.setAttribute("stroke-opacity", e.i ? 0.8 : scale.opacity(effects[i], n).toFixed(2));
      p.setAttribute("class", edgeClass(i));
      fragment.append(p);
      drawn.push({ i, d, points: null, box: null });
    }
    for (const i of [...paths.keys()]) if (!keep.has(i)) paths.delete(i);
    layers.edges.replaceChildren(fragment);
  }
  const size = x => Number.isNaN(x) ? 0 : Math.abs(x);

  // restyle is draw where nothing moves.
  function restyle() {
    for (const { i } of drawn) {
      const c = edgeClass(i), p = paths.get(i);
      if (p.getAttribute("class") !== c) p.setAttribute("class", c);
    }
    for (const [i, g] of shownNodes) g.setAttribute("class", nodeClass(i));
    light();
  }

  function isShown(i) {
    const n = data.nodes[i];
    if (!layout.place(i)) return false;
    return n.in || Boolean(data.live) || state.get("film") !== null || used.has(i);
  }
  let used = new Set();
  function nodeClass(i) {
    const n = data.nodes[i];
    const kind = ["ends", "ends", "ends", "head", "mlp"][n.kind] ?? "ends";
    return "node " + kind + (used.has(i) || kind === "ends" ? "" : " unused") + (n.group !== undefined ? " grouped" : "");
  }

  // gatherUsed finds the nodes at which the edges that are left begin and end, and
  // returns the ports.
  function gatherUsed() {
    used = new Set();
    const ports = new Set();
    for (const i of state.get("present")) {
      const e = data.edges[i];
      if (state.get("film")?.cut.has(i) || isDim(i)) continue;
      used.add(e.s).add(e.r);
      if (e.p >= 0 && !e.d) ports.add(4 * e.r + e.p);
    }
    return ports;
  }

  function drawNodes() {
    const ports = gatherUsed();
    shownNodes = new Map();
    const done = new Set();
    data.nodes.forEach((n, i) => {
      if (!isShown(i)) return;
      if (state.get("collapsed") && n.kind === KIND.head) {
        if (done.has(n.layer)) return;
        done.add(n.layer);
      }
      const g = nodeElement(i, ports);
      shownNodes.set(i, g);
    });
    nodeGroup.replaceChildren(...shownNodes.values());
  }

  function nodeElement(i, ports) {
    const n = data.nodes[i], [x, y] = layout.place(i), h = layout.height(i), isLayer = state.get("collapsed") && n.kind === KIND.head;
    const w = isLayer ? NODE.width + 30 : NODE.width;
    const label = isLayer ? "heads of " + n.layer : plain(names.node(i).replace(".h", "."));
    const g = svg("g", { class: nodeClass(i), transform: `translate(${x},${y})`, tabindex: 0, role: "button", "data-node": i,
      "aria-label": isLayer ? "heads of layer " + n.layer : names.node(i) });
    if (n.group !== undefined && !isLayer) g.style.setProperty("--group", data.groups[n.group].color);
    const top = h === NODE.head ? NODE.port : 0;
    g.append(svg("rect", { class: "box", x: -w / 2, y: -h / 2 + top, width: w, height: h - top, rx: 3 }));
    if (h === NODE.head) LETTERS.forEach((letter, p) => {
      const d = reach.direct.get(4 * i + p);
      const cut = reach.hasDirect && (d === undefined || !state.get("present").has(d));
      const up = state.get("direct") ? 9 : 0;
      g.append(svg("g", { class: "port " + letter + (ports.has(4 * i + p) ? "" : " empty") + (cut ? " closed" : ""), transform: `translate(${(p - 1) * w / 3},${-up})` },
        svg("rect", { x: -w / 6, y: -h / 2, width: w / 3, height: NODE.port }), svg("text", { y: -h / 2 + 9 }, letter)));
    });
    g.append(svg("text", { class: "name", y: (top + 8) / 2 }, label));
    g.addEventListener("focus", () => state.set("hovered", { node: i }));
    g.addEventListener("blur", () => state.set("hovered", null));
    return g;
  }

  // light shows what is hovered, pinned or asked for above the rest.
  function light() {
    const what = state.get("hovered") ?? state.get("pinned"), asked = state.get("paths"), present = state.get("present");
    let lit = null;
    if (asked) lit = { edges: asked.edges, nodes: new Set([asked.from, asked.to, ...[...asked.edges].flatMap(i => [data.edges[i].s, data.edges[i].r])]) };
    else if (what && !(what.edge !== undefined && !present.has(what.edge))) lit = reach.through(what, present);
    else if (what) lit = { edges: new Set([what.edge]), nodes: new Set([data.edges[what.edge].s, data.edges[what.edge].r]) };
    const tested = state.get("film")?.tested;
    stage.classList.toggle("lighting", Boolean(lit));
    const groups = new Map();
    if (lit) for (const { i, d } of drawn) {
      if (!lit.edges.has(i) || isDim(i)) continue;
      const width = Math.max(1.2, scale.width(state.get("effects")[i]));
      const key = classOf(i) + " " + (what?.edge === i ? "itself" : "") + "|" + Math.round(width);
      groups.set(key, (groups.get(key) ?? "") + d);
    }
    const elements = [...groups].map(([key, d]) => {
      const [c, width] = key.split("|");
      return svg("path", { d, class: "edge " + c, "stroke-width": c.endsWith("itself") ? Number(width) + 2 : width });
    });
    if (tested) {
      const d = layout.curve(tested);
      if (d) elements.push(svg("path", { d, class: "edge tested", "stroke-width": 3 }));
    }
    layers.lit.replaceChildren(...elements);
    const pinned = state.get("pinned");
    for (const [i, g] of shownNodes) {
      g.classList.toggle("faint", Boolean(lit) && !lit.nodes.has(i) && !state.get("collapsed"));
      g.classList.toggle("itself", what?.node === i || pinned?.node === i);
      g.classList.toggle("asked", state.get("from") === i || asked?.from === i || asked?.to === i);
    }
  }

  // at finds what is at a place of the picture: a node, or the nearest edge that is
  // not farther than some pixels.
  function at(x, y, k, near = 7) {
    for (const i of shownNodes.keys()) {
      const [cx, cy] = layout.place(i);
      if (Math.abs(x - cx) <= NODE.width / 2 && Math.abs(y - cy) <= layout.height(i) / 2) return { node: i };
    }
    let best = near / k, found = null;
    for (const edge of drawn) {
      if (!edge.points) measure(edge);
      const [x0, y0, x1, y1] = edge.box;
      if (x < x0 - best || x > x1 + best || y < y0 - best || y > y1 + best) continue;
      const p = edge.points;
      for (let j = 0; j + 3 < p.length; j += 2) {
        const distance = toSegment(x, y, p[j], p[j + 1], p[j + 2], p[j + 3]);
        if (distance < best) {
          best = distance;
          found = { edge: edge.i };
        }
      }
    }
    return found;
  }
  function measure(edge) {
    edge.points = layout.points(edge.d);
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let j = 0; j < edge.points.length; j += 2) {
      box[0] = Math.min(box[0], edge.points[j]);
      box[1] = Math.min(box[1], edge.points[j + 1]);
      box[2] = Math.max(box[2], edge.points[j]);
      box[3] = Math.max(box[3], edge.points[j + 1]);
    }
    edge.box = box;
  }

  for (const key of ["present", "effects", "layout", "collapsed", "direct", "circuit", "film"]) state.on(key, draw);
  state.on("color", restyle);
  state.on("least", () => {
    const ports = gatherUsed();
    for (const [i, g] of shownNodes) g.querySelectorAll(".port").forEach((port, p) => port.classList.toggle("empty", !ports.has(4 * i + p)));
    restyle();
  });
  for (const key of ["hovered", "pinned", "paths", "from"]) state.on(key, light);
  return {
    draw, at, isDim, carriers: () => used,
    size: () => layout.base(), place: i => layout.place(i), nodes: () => shownNodes,
    scale: () => scale, colorOf: classOf,
  };
}

// toSegment is the distance of a place from a line between two others.
function toSegment(x, y, x0, y0, x1, y1) {
  const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length));
  return Math.hypot(x - x0 - t * dx, y - y0 - t * dy);
}
