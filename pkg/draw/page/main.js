// main.js: puts the page together, and listens to pointer and keyboard.
// ---
import { el, byId } from "./dom.js";
import { plain } from "./text.js";
import { createState } from "./state.js";
import { createNames } from "./names.js";
import { createReach } from "./reach.js";
import { createLayout } from "./layout.js";
import { createGraph } from "./graph.js";
import { createZoom } from "./zoom.js";
import { createLegend } from "./legend.js";
import { createSearch } from "./search.js";
import { createDetails, createTip } from "./details.js";
import { createHeads } from "./heads.js";
import { createPrompts } from "./prompts.js";
import { createReplay } from "./replay.js";
import { createSettings, createTables } from "./settings.js";
import { createControls } from "./controls.js";
import { startLive } from "./live.js";

function start(data) {
  const state = createState(data), names = createNames(data), reach = createReach(data), layout = createLayout(data, state);
  const stage = byId("stage"), graph = createGraph(data, state, names, reach, layout);
  const zoom = createZoom(stage, byId("world"), state, graph.size);
  byId("title").textContent = plain(data.title);
  byId("title").title = data.lines.map(plain).join("\n");
  // actions are buttons that others add to the panel of a node or an edge.
  const ui = { actions: [], zoom, graph, names, reach };
  const center = i => graph.place(i) && zoom.center(graph.place(i));
  const details = createDetails(data, state, names, reach, graph, { head: createHeads(data, state), center, actions: what => ui.actions.flatMap(f => f(what)) });
  const replay = createReplay(data, state, names);
  const tabs = addPanels(state, [["node", details.panel], ["prompts", createPrompts(data, state).panel], ["replay", replay.panel],
    ...(data.tables?.length ? [["tables", createTables(data)]] : []), ["settings", createSettings(data)]]);
  graph.draw();
  const controls = createControls(data, state, graph, zoom);
  createLegend(data, state, graph);
  createTip(data, state, names, reach, graph);
  details.show();

  // go shows a node or an edge that was searched for.
  function go(what) {
    const place = i => graph.place(i);
    const ends = what.node !== undefined ? [what.node] : [data.edges[what.edge].s, data.edges[what.edge].r];
    if (ends.some(i => !place(i)) && data.grid) state.set("layout", "grid");
    state.set("pinned", what);
    state.set("panel", "node");
    const at = ends.map(place).filter(Boolean);
    if (at.length) zoom.center([at.reduce((s, p) => s + p[0], 0) / at.length, at.reduce((s, p) => s + p[1], 0) / at.length]);
  }
  const search = createSearch(data, state, names, go);
  ui.at = listenPointer(stage, state, graph, details);
  listenKeys(state, graph, zoom, search, controls, data);
  state.on("layout", zoom.fit);
  state.on("from", from => notice(from === null ? "" : `every path from ${names.node(from)}: click the node where they end`));
  new ResizeObserver(zoom.fit).observe(stage);
  Object.assign(ui, { tabs, notice });
  if (data.live) startLive(state, data, ui);
  return { state, ui };
}

// notice says something at the foot of the picture, "" nothing.
function notice(text) {
  byId("notice").hidden = text === "";
  byId("notice").textContent = text;
}

// addPanels shows one of some panels at a time.
function addPanels(state, list) {
  const tabs = byId("tabs"), panels = byId("panels"), all = [];
  function add(name, panel) {
    const tab = el("button", { type: "button", role: "tab", id: "tab-" + name, "aria-controls": "panel-" + name, onclick: () => state.set("panel", name) }, name);
    const holder = el("section", { role: "tabpanel", id: "panel-" + name, "aria-labelledby": "tab-" + name }, panel);
    all.push([name, tab, holder]);
    tabs.append(tab);
    panels.append(holder);
    show();
  }
  function show() {
    for (const [name, tab, holder] of all) {
      tab.setAttribute("aria-selected", name === state.get("panel"));
      holder.hidden = name !== state.get("panel");
    }
  }
  state.on("panel", show);
  for (const [name, panel] of list) add(name, panel);
  return { add };
}

function listenPointer(stage, state, graph, details) {
  const at = event => {
    if (event.target.closest("button, #legend")) return null;
    const r = stage.getBoundingClientRect(), { k, x, y } = state.get("zoom");
    return graph.at((event.clientX - r.left - x) / k, (event.clientY - r.top - y) / k, k, event.pointerType === "touch" ? 14 : 7);
  };
  const same = (a, b) => a?.node === b?.node && a?.edge === b?.edge;
  const hover = what => { if (!same(what, state.get("hovered"))) state.set("hovered", what); };
  stage.addEventListener("pointermove", event => {
    if (event.buttons === 0) hover(at(event));
    stage.classList.toggle("pointing", state.get("hovered") !== null);
  });
  stage.addEventListener("pointerleave", () => hover(null));
  stage.addEventListener("click", event => {
    if (event.target.closest("button")) return;
    const what = at(event);
    if (state.get("from") !== null && what?.node !== undefined && event.detail < 2) {
      if (what.node !== state.get("from")) details.answer(what.node);
      return;
    }
    if (event.detail > 1) return;
    state.set("paths", null);
    state.set("pinned", what && same(what, state.get("pinned")) && what.edge !== undefined ? null : what);
    if (what) state.set("panel", "node");
  });
  stage.addEventListener("dblclick", event => {
    const what = at(event);
    if (what?.node !== undefined) details.ask(what.node);
  });
  return at;
}

function listenKeys(state, graph, zoom, search, controls, data) {
  const least = document.getElementById("least");
  const nudge = by => {
    least.value = Number(least.value) + by;
    least.dispatchEvent(new Event("input"));
  };
  const keys = {
    "/": search.focus, "+": () => zoom.by(1.3), "=": () => zoom.by(1.3), "-": () => zoom.by(1 / 1.3), "0": zoom.fit,
    d: () => state.set("direct", !state.get("direct")), l: () => state.set("collapsed", !state.get("collapsed")),
    c: () => controls.cycle(controls.colors, "color"), "[": () => nudge(5), "]": () => nudge(-5),
    Escape() {
      for (const key of ["from", "paths", "hovered", "pinned"]) state.set(key, null);
    },
  };
  addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=search], select, textarea")) return;
    const node = event.target.closest("[data-node]");
    if (node && arrow(event, Number(node.dataset.node), state, graph, zoom)) return event.preventDefault();
    if (event.target.closest("input")) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// arrow goes from one node to the nearest one in a direction, and pins with Enter.
function arrow(event, from, state, graph, zoom) {
  if (event.key === "Enter" || event.key === " ") {
    state.set("pinned", { node: from });
    state.set("panel", "node");
    return true;
  }
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!direction) return false;
  const [x, y] = graph.place(from);
  let best = Infinity, next = null;
  for (const [i, g] of graph.nodes()) {
    const [cx, cy] = graph.place(i), along = (cx - x) * direction[0] + (cy - y) * direction[1];
    const across = Math.abs((cx - x) * direction[1]) + Math.abs((cy - y) * direction[0]);
    if (along > 4 && along + 2 * across < best) {
      best = along + 2 * across;
      next = [i, g];
    }
  }
  if (next) {
    next[1].focus({ preventScroll: true });
    zoom.center(graph.place(next[0]));
  }
  return true;
}

const pageData = JSON.parse(byId("data").textContent);
const page = start(pageData);
requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("shown")));
