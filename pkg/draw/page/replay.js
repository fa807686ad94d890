// replay.js: the search as a film: which edge is tested, what the metric then is,
// how many edges are left.
// ---
import { el, svg, button } from "./dom.js";
import { number, plain } from "./text.js";
import { unpackWhole, unpackFloats } from "./unpack.js";

const W = 300, H = 120;

export function createReplay(data, state, names) {
  const panel = el("div", {}, el("h2", {}, "Replay")), t = data.trace;
  if (!t) {
    panel.append(el("p", {}, "This page has no trace of the search."), ...data.lacks?.map(l => el("p", { class: "note" }, plain(l))) ?? []);
    return { panel, step() {} };
  }
  const from = unpackWhole(t.from), to = unpackWhole(t.to), metric = unpackFloats(t.metric), effect = unpackFloats(t.effect), left = unpackWhole(t.left);
  const key = (s, r, p, d) => s + ":" + (8 * r + 1 + p + (d ? 4 : 0));
  const places = new Map(data.edges.map((e, i) => [key(e.s, e.r, e.p, e.d), i]));
  const at = from.map((s, k) => places.get(s + ":" + to[k]));
  const test = k => {
    const code = to[k] & 7, d = code > 4, p = (d ? code - 4 : code) - 1;
    return { s: from[k], r: to[k] >> 3, p: code === 4 ? -1 : p, d };
  };
  // metrics are those of the edges that are left after each test.
  const after = [];
  metric.forEach((m, k) => after.push(left[k] & 1 ? (k ? after[k - 1] : t.start) : m));
  let timer = 0;

  const status = el("p", { class: "reading", role: "status" }), slider = el("input", { type: "range", min: 0, max: t.tests - 1, value: 0, "aria-label": "test", oninput: () => {
    stop();
    go(Number(slider.value));
  } });
  const cursor = svg("line", { y1: 0, y2: H, class: "cursor", x1: 0, x2: 0 });
  const curve = (values, c) => {
    const low = Math.min(...values), high = Math.max(...values, low + 1e-12), d = [];
    const every = Math.max(1, Math.floor(values.length / (2 * W)));
    for (let k = 0; k < values.length; k += every) d.push(`${(W * k / Math.max(1, values.length - 1)).toFixed(1)},${(H - 6 - (H - 12) * (values[k] - low) / (high - low)).toFixed(1)}`);
    return svg("polyline", { points: d.join(" "), class: c });
  };
  const chart = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "img", "aria-label": "the metric and the edges left, over the tests" },
    curve(left.map(x => x >> 1), "left"), curve(after, "metric"), cursor);
  chart.addEventListener("click", event => {
    const box = chart.getBoundingClientRect();
    stop();
    go(Math.round((t.tests - 1) * (event.clientX - box.left) / box.width));
  });

  // film is what the picture shows once a test was decided.
  function film(k) {
    const cut = new Set(), kept = new Set();
    for (let j = 0; j <= k; j++) {
      if (at[j] === undefined) continue;
      if (left[j] & 1) kept.add(at[j]);
      else cut.add(at[j]);
    }
    if (k === t.tests - 1) data.edges.forEach((e, i) => (e.k ? kept : cut).add(i));
    return { cut, kept, tested: test(k) };
  }
  function go(k) {
    k = Math.max(0, Math.min(t.tests - 1, k));
    if (state.get("step") < 0) before = state.get("layout");
    if (data.edges.some(e => !e.k)) state.set("layout", "grid"); // which has a place for every node
    state.set("step", k);
    state.set("film", film(k));
    slider.value = k;
    const x = W * k / Math.max(1, t.tests - 1);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    status.textContent = `test ${k + 1} of ${t.tests}: ${names.spoken(test(k))}, effect ${number(effect[k])}: ${left[k] & 1 ? "kept" : "cut"}; ${plain(data.measured?.metric ?? "metric")} ${number(after[k])}, ${left[k] >> 1} of ${t.total} edges left`;
  }
  let before = state.get("layout");
  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶ play";
  }
  function end() {
    stop();
    state.set("film", null);
    state.set("step", -1);
    state.set("layout", before);
    status.textContent = "";
  }
  const play = button("▶ play", "play or pause", () => {
    if (timer) return stop();
    play.textContent = "❚❚ pause";
    const speed = Math.max(1, Math.round(t.tests / 600));
    if (state.get("step") >= t.tests - 1) go(0);
    timer = setInterval(() => {
      go(state.get("step") + speed);
      if (state.get("step") >= t.tests - 1) stop();
    }, 50);
  });
  const step = by => {
    stop();
    go(state.get("step") + by);
  };
  panel.append(el("p", {}, `The search tested ${t.tests} of ${t.total} edges, from the output to the embedding. Bold edges were kept; faint ones are not yet tested.`, data.edges.some(e => !e.k) ? "" : " Edges that were cut are drawn only while they are tested."),
    el("p", { class: "actions" }, play, button("◀", "one test back", () => step(-1), { "aria-label": "one test back" }), button("▶", "one test on", () => step(1), { "aria-label": "one test on" }), button("end", "back to the circuit", end)),
    slider, status, chart, el("p", { class: "note" }, el("i", { class: "line metric" }), "metric ", el("i", { class: "line left" }), "edges left"));
  return { panel, step };
}
