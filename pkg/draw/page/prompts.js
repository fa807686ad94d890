// prompts.js: the panel of prompts: tokens with what differs, what each run
// predicts, and the metric of every example.
// ---
import { el, sortable, foreign } from "./dom.js";
import { number, percent, token, plain } from "./text.js";

export const RUNS = ["full model", "circuit", "corrupted"];

// promptChoice chooses the prompt.
export function promptChoice(data, state) {
  const choice = el("select", { "aria-label": "prompt", onchange: event => state.set("prompt", Number(event.target.value)) },
    data.runs.prompts.map((p, i) => el("option", { value: i, selected: i === state.get("prompt") }, `${i + 1}: ${p.clean.slice(-8).map(token).join("")}`)));
  return el("label", { class: "prompt-choice" }, "prompt ", choice);
}

export function createPrompts(data, state) {
  const runs = data.runs, panel = el("div", {});
  if (!runs) {
    panel.append(el("p", {}, "This page has no prompts."), ...data.lacks?.map(l => el("p", { class: "note" }, plain(l))) ?? []);
    return { panel };
  }

  function tokens(list, other, p, name) {
    const differs = new Set(p.differ), counted = new Set(p.counted ?? []);
    return el("p", { class: "tokens" }, el("b", {}, name), list.map((t, i) => {
      const c = ["token", differs.has(i) ? "differs" : "", counted.has(i) || i === p.at ? "counted" : ""].filter(Boolean).join(" ");
      const title = `${i}: token ${t.id}` + (differs.has(i) && other ? `, ${plain(other[i].text)} in the other` : "") + (i === p.at ? ", what follows it is predicted" : "");
      return el("span", { class: c, title }, foreign(token(t)));
    }));
  }
  function predictions(p) {
    const right = new Set((p.right ?? []).map(t => t.id)), wrong = new Set((p.wrong ?? []).map(t => t.id));
    const mark = id => right.has(id) ? "right" : wrong.has(id) ? "wrong" : "";
    const answered = state.get("answered"), isNow = answered?.prompt === state.get("prompt") && answered.at;
    const lists = p.predictions.map((list, k) => k === 1 && isNow ? answered.at.predictions : list);
    const column = (list, k) => el("div", {}, el("h4", {}, RUNS[k]), el("ol", { class: "predictions" }, list.map(x => {
      const bar = el("i", { class: "bar" });
      bar.style.width = 100 * x.p + "%";
      return el("li", { class: mark(x.id), title: `token ${x.id}, logit ${number(x.l)}` }, foreign(token(x)), el("span", { class: "value" }, percent(x.p)), bar);
    })));
    return el("div", { class: "columns" }, lists.map(column));
  }
  function answers(p) {
    const list = (name, tokens) => tokens && tokens.length ? el("p", { class: "note" }, name + ": ", tokens.slice(0, 20).map(t => el("span", { class: "token " + name }, foreign(token(t)))), tokens.length > 20 ? ` and ${tokens.length - 20} more` : "") : "";
    return [list("right", p.right), list("wrong", p.wrong)];
  }
  function examples() {
    const value = x => ({ text: number(x), value: x });
    const now = state.get("answered")?.answer.examples;
    const rows = runs.examples.map((e, i) => {
      const m = now ? [e.m[0], now[i], e.m[2]] : e.m;
      return [{ text: String(i + 1), value: i }, ...m.map(value), value(m[1] === null || m[0] === null ? null : m[1] - m[0])];
    });
    return sortable(["example", ...RUNS, "circuit − full"], rows, (tr, i) => {
      if (i >= runs.prompts.length) return;
      tr.classList.add("link");
      if (i === state.get("prompt")) tr.classList.add("chosen");
      tr.addEventListener("click", () => state.set("prompt", i));
    });
  }
  let table = examples();
  const holder = el("div", {});
  function show() {
    const p = runs.prompts[state.get("prompt")];
    holder.replaceChildren(promptChoice(data, state), tokens(p.clean, p.corrupt, p, "clean"), ...(p.corrupt ? [tokens(p.corrupt, p.clean, p, "corrupt")] : []),
      ...answers(p), el("h3", {}, `predicted behind token ${p.at}`), predictions(p));
    table.querySelectorAll("tbody tr").forEach(tr => tr.classList.toggle("chosen", Number(tr.firstChild.textContent) === state.get("prompt") + 1));
  }
  const less = [];
  if (runs.prompts.length < runs.total) less.push(`The page has the first ${runs.prompts.length} of ${runs.total} prompts`);
  if (runs.examples.length < runs.total) less.push(`and the metric of the first ${runs.examples.length}`);
  panel.append(el("h2", {}, "Prompts"), holder, el("h3", {}, plain(runs.metric) + " by example"), less.length ? el("p", { class: "note" }, less.join(" ") + ".") : "", el("div", { class: "scroll" }, table));
  state.on("prompt", show);
  state.on("answered", answered => {
    if (!answered) return;
    const old = table;
    table = examples();
    old.replaceWith(table);
    show();
  });
  show();
  return { panel };
}
