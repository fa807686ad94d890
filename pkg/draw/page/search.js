// search.js: nodes and edges by their names in every dialect.
// ---
import { el, byId } from "./dom.js";
import { plain } from "./text.js";

const HITS = 12;

export function createSearch(data, state, names, go) {
  const input = byId("query"), list = byId("hits");
  const index = [];
  data.nodes.forEach((_, i) => {
    const seen = new Set();
    for (const { name, port } of names.all(i)) {
      if (seen.has(name)) continue;
      seen.add(name);
      index.push({ name, port, node: i, low: name.toLowerCase() });
    }
  });
  let hits = [], chosen = 0;

  // find lists what a text may mean: names that are it, begin with it, have it in
  // them; with an arrow, edges.
  function find(text) {
    const low = text.trim().toLowerCase();
    if (low === "") return [];
    const arrow = low.split(/\s*(?:->|→)\s*/);
    if (arrow.length === 2) return findEdges(arrow[0], arrow[1]);
    const rank = h => h.low === low ? 0 : h.low.startsWith(low) ? 1 : h.low.includes(low) ? 2 : 3;
    const found = index.map(h => ({ ...h, rank: rank(h) })).filter(h => h.rank < 3);
    found.sort((a, b) => a.rank - b.rank || Number(data.nodes[b.node].in) - Number(data.nodes[a.node].in) || a.name.length - b.name.length || a.node - b.node);
    const seen = new Set(), out = [];
    for (const h of found) {
      if (seen.has(h.node)) continue;
      seen.add(h.node);
      out.push({ what: { node: h.node }, text: h.name, note: h.low.includes(names.node(h.node).toLowerCase()) ? "" : names.node(h.node) });
    }
    return out;
  }
  function findEdges(from, to) {
    const nodes = text => new Map(index.filter(h => text === "" || h.low === text).map(h => [h.node + ":" + h.port, h]));
    const a = new Set([...nodes(from).values()].map(h => h.node)), b = nodes(to);
    const out = [];
    data.edges.forEach((e, i) => {
      if (e.d || !a.has(e.s) || !(b.has(e.r + ":" + e.p) || b.has(e.r + ":-1"))) return;
      if (!data.live && !state.get("present").has(i)) return;
      out.push({ what: { edge: i }, text: names.edge(e), note: "" });
    });
    return out;
  }

  function show() {
    hits = find(input.value).slice(0, HITS);
    chosen = 0;
    list.hidden = input.value.trim() === "";
    list.replaceChildren(...hits.map((h, k) => el("li", { role: "option", "aria-selected": k === chosen, onpointerdown: event => {
      event.preventDefault();
      take(k);
    } }, el("b", {}, plain(h.text)), h.note ? el("span", {}, " " + h.note) : null,
    h.what.node !== undefined && !data.nodes[h.what.node].in ? el("em", {}, " not in the circuit") : null)));
    if (hits.length === 0) list.append(el("li", { class: "none" }, "nothing of this name"));
  }
  function move(by) {
    if (hits.length === 0) return;
    chosen = (chosen + by + hits.length) % hits.length;
    [...list.children].forEach((li, k) => li.setAttribute("aria-selected", k === chosen));
  }
  function take(k) {
    if (!hits[k]) return;
    list.hidden = true;
    go(hits[k].what);
  }
  input.addEventListener("input", show);
  input.addEventListener("blur", () => { list.hidden = true; });
  input.addEventListener("keydown", event => {
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "Enter") take(chosen);
    else if (event.key === "Escape") {
      input.value = "";
      list.hidden = true;
      input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { find, focus: () => input.focus() };
}
