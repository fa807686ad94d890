// settings.js: everything that made the result, and how to cite it.
// ---
import { el, button, foreign } from "./dom.js";
import { plain } from "./text.js";

export function createSettings(data) {
  const rows = data.settings.flatMap(s => [el("dt", {}, plain(s.name)), el("dd", {}, foreign(plain(s.value)))]);
  const lacks = data.lacks?.length ? [el("h3", {}, "What this page has not"), el("ul", {}, data.lacks.map(l => el("li", {}, plain(l))))] : [];
  const text = data.citation;
  const copy = button("copy", "copy the citation", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(citation);
    }
  });
  const citation = el("pre", {}, text);
  return el("div", {}, el("h2", {}, "Settings"), el("dl", { class: "settings" }, rows), ...lacks, el("h3", {}, "Citation"), citation, el("p", { class: "actions" }, copy));
}

// createTables shows the tables that a command added.
export function createTables(data) {
  return el("div", {}, (data.tables ?? []).flatMap(t => [el("h2", {}, plain(t.title)), el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, t.rows[0].map(c => el("th", { scope: "col" }, foreign(plain(c)))))),
    el("tbody", {}, t.rows.slice(1).map(r => el("tr", {}, r.map((c, k) => el(k === 0 ? "th" : "td", {}, foreign(plain(c)))))))))]));
}
