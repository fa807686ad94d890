// live.js: the page of acdc view. Edits of the state go to the engine; its answers
// come back as "measured" and "answered".
//
// data.live says what the engine offers: {save, patterns}: the files that save
// writes, and whether prompts are short enough for patterns.
//
// "answered" is what the engine said of the edges that are present:
//
//   edited        whether they are others than those to begin with
//   answer        the engine's Answer (package view)
//   prompt, at    the prompt that was asked for, and what comes of it: {predictions:
//                 [{id, text, p, l}]}
//   pattern(i)    the attention pattern of node i on it, as of unpackPatterns, or null
//
// It is null while the engine computes.
// ---
import { el, byId, button, foreign } from "./dom.js";
import { plain, count } from "./text.js";
import { KIND } from "./names.js";
import { createEdits, actionsOf } from "./edits.js";
import { createEngine, spoken } from "./engine.js";

export function startLive(state, data, ui) {
  const edits = createEdits(data, state), engine = createEngine();
  const panel = createEditPanel(data, state, ui, edits, engine);
  ui.tabs.add("edit", panel.element);
  ui.actions.push(what => actionsOf(edits, data, state, ui.names, what).map(([text, title, act]) => button(text, title, act, { class: "edit" })));

  // ask asks for the edges that are present, on the prompt that is shown, and for
  // the pattern of the head that is pinned.
  function ask() {
    const pinned = state.get("pinned"), prompt = state.get("prompt");
    const isHead = pinned?.node !== undefined && data.nodes[pinned.node].kind === KIND.head;
    const heads = data.live.patterns && isHead ? [ui.names.node(pinned.node)] : [];
    state.set("answered", null);
    const edges = [...state.get("present")].map(i => data.edges[i].n);
    engine.ask({ edges, prompts: data.runs?.prompts.length ? [prompt] : [], heads }, a => answered(a, prompt), panel.failed);
  }
  function answered(a, prompt) {
    const idle = new Set(a.idle);
    let changed = false;
    for (const e of data.edges) {
      if (Boolean(e.i) === idle.has(e.n)) continue;
      e.i = idle.has(e.n);
      changed = true;
    }
    const p = a.prompts?.[0];
    state.set("measured", { metric: a.metric, full: a.full, circuit: a.value, corrupted: a.corrupted });
    state.set("answered", {
      edited: !edits.isFirst(), answer: a, prompt,
      at: p ? { predictions: p.predictions.map(x => ({ id: x.id, text: x.text, p: x.probability, l: x.logit })) } : null,
      pattern: i => patternOf(p?.patterns?.find(x => x.head === ui.names.node(i))),
    });
    if (changed) ui.graph.draw();
  }
  state.on("present", ask);
  state.on("prompt", ask);
  state.on("pinned", what => {
    if (what?.node !== undefined && data.nodes[what.node].kind === KIND.head && !edits.isFirst()) ask();
  });
  addEventListener("pagehide", engine.leave);
  listen(state, ui, edits);
  ask();
  return { edits };
}

// patternOf reads a pattern as pattern.js draws it.
function patternOf(p) {
  return p ? { size: p.weights.length, from: 0, at: (row, column) => p.weights[row][column] } : null;
}

// listen edits by pointer and keyboard.
function listen(state, ui, edits) {
  byId("stage").addEventListener("click", event => {
    if (event.detail > 1 || !state.get("editing") || state.get("film")) return;
    const what = ui.at(event);
    if (what?.edge === undefined) return;
    edits.toggle(what.edge);
    state.set("pinned", what);
  });
  addEventListener("keydown", event => {
    if (event.target.closest("input[type=search], select, textarea") || event.altKey) return;
    const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
    if (control && key === "z") event.shiftKey ? state.redo() : state.undo();
    else if (control && key === "y") state.redo();
    else if (!control && key === "u") state.undo();
    else if (!control && key === "e") state.set("editing", !state.get("editing"));
    else if (!control && key === "x" && state.get("pinned")) {
      const what = state.get("pinned");
      what.edge !== undefined ? edits.toggle(what.edge) : edits.cutNode(what.node);
    } else return;
    event.preventDefault();
  });
}

// createEditPanel is the panel of edits: numbers to the last digit, undo, layers,
// the file and the command line.
function createEditPanel(data, state, ui, edits, engine) {
  const table = el("table", { id: "numbers" }), changed = el("div", { id: "changes" }), said = el("p", { id: "said", class: "note", role: "status" });
  const command = el("pre", { id: "command", tabindex: 0, "aria-label": "command line" });
  const undo = button("↶ undo", "u, or Ctrl and z", state.undo, { id: "undo" }), redo = button("↷ redo", "Ctrl and y", state.redo, { id: "redo" });
  const back = button("as found", "back to the circuit to begin with, which can be undone", edits.back, { id: "back" });
  const click = button("click cuts", "whether a click on an edge cuts or restores it (e)", () => state.set("editing", !state.get("editing")), { id: "editing" });
  const layer = el("select", { id: "layer", "aria-label": "layer" }, Array.from({ length: data.graph.n_layers }, (_, l) => el("option", { value: l }, "layer " + l)));
  const chosen = () => Number(layer.value);
  const save = (data.live.save ?? []).length ? [button("save " + data.live.save.map(plain).join(", "), "write the edited circuit to where the command line says", () => write(), { id: "save" })] : [];

  async function write() {
    try {
      await engine.post("save", { edges: numbers() });
      said.textContent = `saved ${data.live.save.map(plain).join(", ")}`;
    } catch (error) {
      said.textContent = spoken(error);
    }
  }
  async function download() {
    try {
      const blob = await (await engine.post("circuit", { edges: numbers() })).blob();
      const address = URL.createObjectURL(blob);
      el("a", { href: address, download: "circuit.json" }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      said.textContent = "circuit.json was handed to the browser";
    } catch (error) {
      said.textContent = spoken(error);
    }
  }
  async function copy() {
    try {
      await navigator.clipboard.writeText(command.textContent);
      said.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(command);
      said.textContent = "selected: copy it with Ctrl and c";
    }
  }
  const numbers = () => [...state.get("present")].map(i => data.edges[i].n);

  // exact is a number to the last digit, which reads back as the same.
  const exact = x => String(x).replace("-", "−");
  let first = null; // of the circuit to begin with
  function show() {
    const answered = state.get("answered");
    undo.disabled = !state.canUndo();
    redo.disabled = !state.canRedo();
    back.disabled = edits.isFirst();
    click.setAttribute("aria-pressed", state.get("editing"));
    table.classList.toggle("stale", !answered);
    showChanges();
    if (!answered) return;
    const a = answered.answer;
    if (!answered.edited) first = a;
    const row = (name, edges, x, id) => el("tr", { id }, el("th", { scope: "row" }, name), el("td", {}, String(edges)), el("td", { class: "exact", "data-value": String(x) }, exact(x)));
    table.replaceChildren(el("thead", {}, el("tr", {}, ["", "edges", plain(a.metric)].map(h => el("th", { scope: "col" }, h)))), el("tbody", {},
      row("full model", data.edges_total, a.full), ...(first ? [row("as found", first.edges, first.value, "found")] : []),
      row("these edges", a.edges, a.value, "edited"), row("corrupted", 0, a.corrupted)));
    command.textContent = a.command;
    said.textContent = a.idle.length ? `${count(a.idle.length, "edge")} of these ${a.idle.length === 1 ? "carries" : "carry"} nothing` : "";
  }
  function showChanges() {
    const c = edits.changes(), most = 100;
    const list = (title, edges) => edges.length === 0 ? [] : [el("h3", {}, `${title} (${edges.length})`), el("ul", { class: "edges" }, edges.slice(0, most).map(i => el("li", {},
      button(foreign(ui.names.spoken(data.edges[i])), "show it", () => {
        state.set("pinned", { edge: i });
        state.set("panel", "node");
      }))), edges.length > most ? el("li", { class: "note" }, `and ${edges.length - most} more`) : null)];
    changed.replaceChildren(...list("cut", c.cut), ...list("restored", c.add));
  }
  function failed(text) {
    said.textContent = plain(text);
    ui.notice(plain(text));
  }
  for (const key of ["answered", "editing"]) state.on(key, show);
  state.on("answered", a => {
    if (a) ui.notice("");
  });
  show();
  const element = el("div", {}, el("h2", {}, "Edit"),
    el("p", { class: "actions" }, undo, redo, back, click), table, said,
    el("p", { class: "actions" }, layer, button("restore all of it", "every edge of the model that begins or ends in the layer", () => edits.restoreLayer(chosen()), { id: "restore-layer" }),
      button("cut all of it", "every edge that begins or ends in the layer", () => edits.cutLayer(chosen()), { id: "cut-layer" }),
      button("restore every edge", "the full model", edits.restoreAll, { id: "restore-all" })),
    el("h3", {}, "the same on the command line"), command, el("p", { class: "actions" }, button("copy", "the command line", copy, { id: "copy" })),
    el("h3", {}, "the circuit as a file"), el("p", { class: "actions" }, button("download circuit.json", "with the metric of these edges", download, { id: "download" }), ...save), changed);
  return { element, failed };
}
