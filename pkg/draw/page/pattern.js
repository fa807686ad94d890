// pattern.js: an attention pattern as a picture: rows attend to columns.
// ---
import { el } from "./dom.js";
import { token } from "./text.js";

// createPattern draws a pattern of unpackPatterns with the tokens of its rows and
// columns; what is under the pointer is written below.
export function createPattern(pattern, tokens, title) {
  const n = pattern.size, words = tokens.slice(pattern.from, pattern.from + n).map(token);
  const cell = Math.max(5, Math.min(18, Math.floor(230 / n)));
  const margin = cell >= 9 ? 74 : 8, wide = margin + n * cell + 2, ratio = Math.min(3, window.devicePixelRatio || 1);
  const canvas = el("canvas", { width: wide * ratio, height: wide * ratio, role: "img", tabindex: 0, "aria-label": title + ": rows attend to columns" });
  canvas.style.width = canvas.style.height = wide + "px";
  const value = el("p", { class: "note reading" }, "point at a square");
  let marked = null;

  function draw() {
    const style = getComputedStyle(document.documentElement), color = name => style.getPropertyValue(name).trim();
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, wide, wide);
    g.fillStyle = color("--sunk");
    g.fillRect(margin, margin, n * cell, n * cell);
    g.fillStyle = color("--heat");
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < n; c++) {
        const x = pattern.at(r, c);
        if (x < 0.002) continue;
        g.globalAlpha = Math.sqrt(x);
        g.fillRect(margin + c * cell, margin + r * cell, cell - 0.5, cell - 0.5);
      }
    }
    g.globalAlpha = 1;
    if (margin > 8) label(g, color);
    if (marked) {
      g.strokeStyle = color("--ink");
      g.strokeRect(margin + marked[1] * cell - 0.5, margin + marked[0] * cell - 0.5, cell, cell);
    }
  }
  function label(g, color) {
    g.font = Math.min(11, cell) + "px system-ui, sans-serif";
    for (let i = 0; i < n; i++) {
      g.fillStyle = color(marked && marked[0] === i ? "--accent" : "--soft");
      g.textAlign = "right";
      g.fillText(words[i], margin - 4, margin + i * cell + cell * 0.75, margin - 6);
      g.save();
      g.fillStyle = color(marked && marked[1] === i ? "--accent" : "--soft");
      g.textAlign = "left";
      g.translate(margin + i * cell + cell * 0.75, margin - 4);
      g.rotate(-Math.PI / 2);
      g.fillText(words[i], 0, 0, margin - 6);
      g.restore();
    }
  }
  function mark(r, c) {
    marked = r >= 0 && c >= 0 && r < n && c < n ? [r, c] : null;
    if (marked) value.textContent = `${pattern.from + r} “${words[r]}” attends to ${pattern.from + c} “${words[c]}”: ${pattern.at(r, c).toFixed(4)}`;
    draw();
  }
  canvas.addEventListener("pointermove", event => {
    const box = canvas.getBoundingClientRect();
    mark(Math.floor((event.clientY - box.top - margin) / cell), Math.floor((event.clientX - box.left - margin) / cell));
  });
  canvas.addEventListener("keydown", event => {
    const by = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const [r, c] = marked ?? [n - 1, 0];
    mark(Math.max(0, Math.min(n - 1, r + by[0])), Math.max(0, Math.min(n - 1, c + by[1])));
  });
  draw();
  return { element: el("figure", { class: "pattern" }, el("figcaption", {}, title), canvas, value), draw };
}
