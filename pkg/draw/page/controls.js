// controls.js: switches, sliders, and the line of numbers at the top.
// ---
import { el, byId, button } from "./dom.js";
import { number, plain, count } from "./text.js";

export function createControls(data, state, graph, zoom) {
  const tools = byId("tools"), sliders = byId("sliders"), buttons = byId("buttons");
  const pressed = (b, key, value) => {
    const show = () => b.setAttribute("aria-pressed", state.get(key) === value);
    state.on(key, show);
    show();
    return b;
  };
  const toggle = (label, title, key, id) => pressed(button(label, title, () => state.set(key, !state.get(key)), { id }), key, true);
  const cycle = (values, key) => state.set(key, values[(values.indexOf(state.get(key)) + 1) % values.length]);

  const colors = ["kind", "sign", ...(data.parts ? ["part"] : [])];
  const color = button("", "what the colours of edges mean", () => cycle(colors, "color"), { id: "color" });
  const theme = button("", "dark or light", () => cycle(["auto", "light", "dark"], "theme"), { id: "theme" });
  const showColor = () => { color.textContent = "colours: " + state.get("color"); };
  const showTheme = () => {
    theme.textContent = { auto: "◐ auto", light: "☀ light", dark: "☾ dark" }[state.get("theme")];
    document.documentElement.dataset.theme = state.get("theme");
  };
  state.on("color", showColor);
  state.on("theme", showTheme);
  showColor();
  showTheme();
  if (data.graph.definition === "acdc") tools.append(toggle("direct edges", "draw the edges from a head's inputs to its q, k and v", "direct", "direct"));
  tools.append(toggle("layers", "one box for the heads of each layer", "collapsed", "layers"), color);
  if (data.drawn) {
    const layout = button("grid", "a fixed place for every head, in place of Graphviz's", () => cycle(["drawn", "grid"], "layout"), { id: "grid" });
    tools.append(pressed(layout, "layout", "grid"));
  }
  tools.append(theme);
  buttons.append(button("+", "zoom in", () => zoom.by(1.4)), button("−", "zoom out", () => zoom.by(1 / 1.4)), button("fit", "show all", zoom.fit));

  createMeasured(data, state);
  if (data.circuits?.length) sliders.append(circuitSlider(data, state));
  sliders.append(effectSlider(data, state, graph));
  return { colors, cycle };
}

// createMeasured keeps the line of numbers.
function createMeasured(data, state) {
  const show = () => {
    const m = state.get("measured"), n = state.get("present").size;
    byId("measured").textContent = `${n} of ${count(data.edges_total, "edge")}` + (m ? ` · ${plain(m.metric)} ${number(m.circuit)} (model ${number(m.full)}, corrupted ${number(m.corrupted)})` : "");
  };
  state.on("measured", show);
  state.on("present", show);
  show();
}

// effectSlider dims edges of small effects.
function effectSlider(data, state, graph) {
  const steps = 200, readout = el("output", { id: "left" });
  let sizes = [];
  const input = el("input", { id: "least", type: "range", min: 0, max: steps, value: 0, "aria-label": "dim edges whose effect is smaller", oninput: () => state.set("least", threshold(Number(input.value))) });
  // threshold is a size of effect that leaves out that share of the edges.
  function threshold(k) {
    if (k === 0 || sizes.length === 0) return 0;
    return sizes[Math.min(sizes.length - 1, Math.round(sizes.length * k / steps))];
  }
  function gather() {
    const effects = state.get("effects");
    sizes = [...state.get("present")].map(i => Math.abs(effects[i])).filter(a => Number.isFinite(a)).sort((a, b) => a - b);
    input.disabled = sizes.length === 0;
    state.set("least", threshold(Number(input.value)));
    show();
  }
  function show() {
    const present = state.get("present"), least = state.get("least");
    let n = 0;
    for (const i of present) if (!graph.isDim(i)) n++;
    const nodes = graph.carriers().size;
    readout.textContent = least === 0 ? `all ${count(n, "edge")}, ${count(nodes, "node")}` : `|effect| ≥ ${number(least)}: ${count(n, "edge")}, ${count(nodes, "node")} left`;
    note.hidden = least === 0;
  }
  const note = el("small", {}, "Effects were measured in this search: what is left is not the circuit that another τ would find.");
  state.on("least", show);
  state.on("present", gather);
  state.on("effects", gather);
  gather();
  return el("div", { class: "slider" }, el("label", { for: "least" }, "|effect|"), input, readout, note);
}

// circuitSlider walks the circuits of a sweep.
function circuitSlider(data, state) {
  const readout = el("output", { id: "which" });
  const input = el("input", { id: "circuits", type: "range", min: 0, max: data.circuits.length - 1, value: 0, "aria-label": "circuit of the sweep", oninput: () => state.set("circuit", Number(input.value)) });
  const show = () => {
    const c = data.circuits[state.get("circuit")], effects = new Float64Array(data.edges.length).fill(NaN);
    c.edges.forEach((i, k) => { effects[i] = c.effects?.[k] ?? NaN; });
    state.set("effects", effects);
    state.restart(new Set(c.edges));
    if (c.measured) state.set("measured", c.measured);
    readout.textContent = `${plain(c.label)}${c.group ? " · " + plain(c.group) : ""}: ${count(c.edges.length, "edge")} (${state.get("circuit") + 1} of ${data.circuits.length})`;
  };
  state.on("circuit", show);
  state.set("circuit", 0);
  return el("div", { class: "slider" }, el("label", { for: "circuits" }, "circuit"), input, readout, el("small", {}, "Each stop is a circuit that was found by itself."));
}
