// legend.js: what colours and marks mean.
// ---
import { el, byId, foreign } from "./dom.js";
import { number, plain } from "./text.js";

export function createLegend(data, state, graph) {
  const at = byId("legend");
  const entry = (c, text) => el("span", {}, el("i", { class: "line " + c }), text);
  function show() {
    const color = state.get("color"), entries = [];
    if (color === "kind") entries.push(["q", "queries"], ["k", "keys"], ["v", "values"], ["mlp", "MLP"], ["out", "output"]);
    if (color === "sign") entries.push(["plus", "raises the metric when cut"], ["minus", "lowers it"], ["none", "no effect known"]);
    const used = new Set([...state.get("present")].map(graph.colorOf));
    const list = entries.filter(([c]) => used.has(c)).map(([c, text]) => entry(c, text));
    if (color === "part") (data.parts ?? []).forEach((p, i) => list.push(entry("part" + i, foreign(plain(p)))));
    if (data.edges.some(e => e.i)) list.push(entry("idle", "carries nothing"));
    for (const g of data.groups ?? []) {
      const box = el("i", { class: "box" });
      box.style.backgroundColor = g.color;
      list.push(el("span", {}, box, foreign(plain(g.name))));
    }
    const { least, most } = graph.scale();
    if (most > 0) list.push(el("span", { class: "range" }, least === most ? "all effects " + number(most) : "width: |effect| " + number(least) + " to " + number(most)));
    at.replaceChildren(...list);
  }
  for (const key of ["color", "effects", "present", "answered"]) state.on(key, show);
  show();
}
