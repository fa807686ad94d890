// heads.js: what a head does on a prompt: where it looks, and what it adds to the
// logit of the answer.
// ---
import { el } from "./dom.js";
import { number } from "./text.js";
import { unpackPatterns } from "./unpack.js";
import { createPattern } from "./pattern.js";
import { promptChoice, RUNS } from "./prompts.js";

export function createHeads(data, state) {
  const runs = data.runs;
  if (!runs) return () => [];
  const patterns = runs.patterns ? unpackPatterns(runs.patterns) : null;
  let run = 0, shown = [];
  // isEdited tells whether the circuit is, or may be, another than the page has.
  const isEdited = () => Boolean(data.live) && state.get("answered")?.edited !== false;

  function contribution(i) {
    const row = runs.heads.indexOf(i);
    if (row < 0) return [];
    const at = state.get("prompt"), values = RUNS.map((_, r) => r === 1 && isEdited() ? null : runs.prompts[at].direct[r][row]);
    const mean = RUNS.map((_, r) => r === 1 && isEdited() ? null : runs.prompts.reduce((sum, p) => sum + p.direct[r][row], 0) / runs.prompts.length);
    return [el("h3", {}, "direct contribution"), el("p", { class: "note" }, runs.answer),
      el("table", {}, el("thead", {}, el("tr", {}, el("th", {}), ...RUNS.map(r => el("th", { scope: "col" }, r)))), el("tbody", {},
        el("tr", {}, el("th", { scope: "row" }, "this prompt"), values.map(x => el("td", {}, number(x)))),
        el("tr", {}, el("th", { scope: "row" }, `mean of ${runs.prompts.length}`), mean.map(x => el("td", {}, number(x))))))];
  }

  function attention(i) {
    const head = runs.patterns ? runs.patterns.heads.indexOf(i) : -1;
    if (!patterns) return [];
    if (head < 0) return [el("h3", {}, "attention"), el("p", { class: "note" }, "The page has the patterns of the circuit's heads only.")];
    const at = state.get("prompt"), out = [el("h3", {}, "attention")];
    if (at >= runs.patterns.size.length) return [...out, el("p", { class: "note" }, `The page has the patterns of the first ${runs.patterns.size.length} prompts only.`), promptChoice(data, state)];
    const prompt = runs.prompts[at], holder = el("div", {});
    const show = () => {
      const tokens = run === 2 && prompt.corrupt ? prompt.corrupt : prompt.clean;
      const answered = state.get("answered");
      const p = run === 1 && isEdited() ? answered?.prompt === at && answered.pattern(i) : patterns(at, run, head);
      if (!p) {
        shown = [];
        holder.replaceChildren(el("p", { class: "note" }, data.live.patterns ? "measuring …" : "The prompts are too long for patterns of edited circuits."));
      } else {
        shown = [createPattern(p, tokens, RUNS[run])];
        holder.replaceChildren(shown[0].element, p.size < tokens.length ? el("p", { class: "note" }, `Of ${tokens.length} tokens: ${p.from} to ${p.from + p.size - 1}.`) : "");
      }
      chosen.forEach((b, k) => b.setAttribute("aria-pressed", k === run));
    };
    const chosen = RUNS.map((name, k) => el("button", { type: "button", onclick: () => {
      run = k;
      show();
    } }, name));
    show();
    return [...out, promptChoice(data, state), el("p", { class: "choice" }, chosen), holder];
  }
  const redraw = () => shown.forEach(s => s.draw());
  state.on("theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return i => [...attention(i), ...contribution(i)];
}
