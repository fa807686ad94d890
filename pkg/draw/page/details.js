// details.js: the panel of the node or edge that is pinned, and what is written
// beside the pointer.
// ---
import { el, byId, button } from "./dom.js";
import { number, plain, count } from "./text.js";
import { KIND } from "./names.js";

const SHOWN = 200;

export function createDetails(data, state, names, reach, graph, parts) {
  const panel = el("div", {});
  const effect = i => state.get("effects")[i];
  const bySize = (a, b) => (Math.abs(effect(b)) || 0) - (Math.abs(effect(a)) || 0) || a - b;

  // edgeList lists edges as buttons, the strongest first.
  function edgeList(title, list) {
    list.sort(bySize);
    const most = Math.max(...list.map(i => Math.abs(effect(i)) || 0), 0);
    const row = i => {
      const bar = el("i", { class: effect(i) < 0 ? "bar minus" : "bar" });
      bar.style.width = most > 0 && effect(i) ? Math.max(1, 100 * Math.abs(effect(i)) / most) + "%" : "0";
      return el("li", { class: graph.isDim(i) ? "dim" : "" }, el("button", { type: "button", "data-edge": i, onclick: () => state.set("pinned", { edge: i }),
        onmouseenter: () => state.set("hovered", { edge: i }), onmouseleave: () => state.set("hovered", null) },
      el("span", {}, names.spoken(data.edges[i])), el("span", { class: "value" }, number(effect(i))), bar));
    };
    const shown = list.slice(0, SHOWN).map(row);
    if (list.length > SHOWN) shown.push(el("li", { class: "note" }, `and ${list.length - SHOWN} weaker ones`));
    return [el("h3", {}, `${title} (${list.length})`), list.length ? el("ul", { class: "edges" }, shown) : el("p", { class: "note" }, "none")];
  }

  function ofNode(i) {
    const present = state.get("present"), n = data.nodes[i];
    const incoming = reach.into[i].filter(k => present.has(k)), outgoing = reach.outOf[i].filter(k => present.has(k));
    const directs = [0, 1, 2].map(p => reach.direct.get(4 * i + p)).filter(d => d !== undefined && present.has(d));
    const out = [el("h2", {}, names.node(i)), el("p", { class: "note" }, names.hook(i), n.group !== undefined ? " · " + plain(data.groups[n.group].name) : "")];
    out.push(el("p", { class: "actions" }, button("paths from here", "then click the node where they are to end", () => ask(i)),
      button("show", "bring it to the middle", () => parts.center(i)), ...parts.actions({ node: i })));
    if (n.kind === KIND.head) out.push(...parts.head(i));
    if (n.kind !== KIND.output) out.push(...edgeList("outgoing", outgoing));
    if (n.kind > KIND.posEmbed) out.push(...edgeList("incoming", incoming));
    if (directs.length > 0) out.push(...edgeList("direct edges", directs));
    return out;
  }
  function ofEdge(i) {
    const e = data.edges[i], rows = [["sender", names.hook(e.s)], ["receiver", names.hook(e.r) + (e.p >= 0 ? ", " + ["queries", "keys", "values"][e.p] : "")],
      ["effect", number(effect(i))], ["number in the graph", String(e.n)]];
    if (e.t !== undefined && data.parts) rows.push(["part of", plain(data.parts[e.t])]);
    if (e.i) rows.push(["idle", "it carries nothing: nothing reaches its sender, or nothing reads its receiver"]);
    if (!state.get("present").has(i)) rows.push(["cut", "it is not in the circuit that is shown"]);
    const to = k => button(names.node(k), "the node", () => state.set("pinned", { node: k }));
    return [el("h2", {}, names.spoken(e)), el("dl", {}, rows.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])),
      el("p", { class: "actions" }, e.s === e.r ? to(e.s) : [to(e.s), to(e.r)], ...parts.actions({ edge: i }))];
  }
  function ofPaths(asked) {
    const chain = path => path.map(i => names.node(data.edges[i].s)).concat(names.port(asked.to, -1)).join(" → ");
    const list = asked.list.map(path => ({ path, weakest: Math.min(...path.map(i => Math.abs(effect(i)))) }));
    list.sort((a, b) => (b.weakest || 0) - (a.weakest || 0));
    return [el("h2", {}, `every path from ${names.node(asked.from)} to ${names.node(asked.to)}`),
      el("p", {}, `${count(asked.total, "path")} of ${count(asked.edges.size, "edge")}.`, asked.total > asked.list.length ? ` The first ${asked.list.length} found are listed.` : "",
        asked.total > 0 ? " Beside each: its weakest effect." : ""),
      el("p", { class: "actions" }, button("close", "back to the node", () => state.set("paths", null))),
      el("ol", { class: "paths" }, list.map(({ path, weakest }) => el("li", {}, chain(path), " ", el("span", { class: "value" }, number(weakest)))))];
  }
  function ofNothing() {
    return [el("h2", {}, "Nodes and edges"), el("p", {}, "Point at a node or an edge to see its numbers, and its paths to the embedding and to the output. Click to pin it."),
      el("p", {}, "Double click a node, then click another one, for every path between them."),
      el("dl", { class: "keys" }, [["/", "find a name"], ["Tab, arrows", "from node to node"], ["Enter", "pin"], ["Esc", "let go"], ["+ − 0", "zoom, fit"], ["d", "direct edges"], ["l", "heads as layers"], ["c", "colours"], ["[ ]", "fewer or more edges"]]
        .flatMap(([k, v]) => [el("dt", {}, el("kbd", {}, k)), el("dd", {}, v)])),
      ...edgeList("strongest edges", [...state.get("present")].filter(i => !data.edges[i].d).sort(bySize).slice(0, 20))];
  }

  // ask begins a question for paths from a node.
  function ask(i) {
    state.set("paths", null);
    state.set("from", i);
  }
  // answer ends it.
  function answer(i) {
    const from = state.get("from");
    state.set("from", null);
    let paths = reach.between(from, i, state.get("present"));
    if (paths.total === 0) {
      const other = reach.between(i, from, state.get("present"));
      if (other.total > 0) paths = other; // asked upwards
    }
    state.set("paths", paths);
    state.set("panel", "node");
  }

  function show() {
    const asked = state.get("paths"), pinned = state.get("pinned");
    panel.replaceChildren(...(asked ? ofPaths(asked) : !pinned ? ofNothing() : pinned.node !== undefined ? ofNode(pinned.node) : ofEdge(pinned.edge)));
  }
  for (const key of ["pinned", "paths", "present", "effects", "prompt", "answered"]) state.on(key, show);
  state.on("least", () => panel.querySelectorAll("[data-edge]").forEach(b => b.parentNode.classList.toggle("dim", graph.isDim(Number(b.dataset.edge)))));
  state.on("present", () => state.set("paths", null));
  return { panel, show, ask, answer };
}

// createTip makes what is written beside the pointer.
export function createTip(data, state, names, reach, graph) {
  const tip = byId("tip"), stage = byId("stage");
  const text = what => {
    const present = state.get("present"), effects = state.get("effects");
    if (what.edge !== undefined) return [names.spoken(data.edges[what.edge]), "effect " + number(effects[what.edge]) + (data.edges[what.edge].i ? ", carries nothing" : "") + (present.has(what.edge) ? "" : ", cut")];
    const sum = list => list.filter(i => present.has(i));
    const incoming = sum(reach.into[what.node]), outgoing = sum(reach.outOf[what.node]);
    const g = data.nodes[what.node].group;
    return [names.node(what.node) + (g !== undefined ? " · " + plain(data.groups[g].name) : ""), `${incoming.length} in, ${outgoing.length} out`,
      outgoing.length ? "strongest " + number(outgoing.reduce((m, i) => Math.abs(effects[i]) > Math.abs(m) ? effects[i] : m, 0)) : ""];
  };
  let last = [0, 0];
  stage.addEventListener("pointermove", event => {
    const r = stage.getBoundingClientRect();
    last = [event.clientX - r.left, event.clientY - r.top];
    place();
  });
  function place() {
    const w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = Math.max(4, Math.min(last[0] + 14, stage.clientWidth - w - 6)) + "px";
    tip.style.top = (last[1] + 16 + h > stage.clientHeight ? Math.max(4, last[1] - h - 10) : last[1] + 16) + "px";
  }
  state.on("hovered", what => {
    tip.hidden = !what;
    if (!what) return;
    tip.replaceChildren(...text(what).filter(Boolean).map(line => el("div", {}, line)));
    const focused = document.activeElement?.closest("[data-node]");
    if (focused && what.node === Number(focused.dataset.node)) { // by keyboard
      const { k, x, y } = state.get("zoom"), at = graph.place(what.node);
      last = [at[0] * k + x + 30 * k, at[1] * k + y];
    }
    place();
  });
}
