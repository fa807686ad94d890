// text.js: numbers and foreign texts as people read them.
// ---

// number writes at most four digits, and a true minus.
export function number(x) {
  if (x === null || x === undefined || Number.isNaN(x)) return "–";
  if (x === 0) return "0";
  const a = Math.abs(x);
  const s = a >= 1e5 || a < 1e-4 ? x.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e") : String(Number(x.toPrecision(4)));
  return s.replace(/-/g, "−");
}

export function percent(x) {
  return x >= 0.9995 ? "100 %" : x < 0.001 ? "< 0.1 %" : (100 * x).toPrecision(3) + " %";
}

export function count(n, thing) {
  return n + " " + thing + (n === 1 ? "" : "s");
}

// plain shows what cannot be seen in a text: control characters, and those that
// turn the direction of writing, by their numbers.
export function plain(s) {
  return String(s).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, c => "⟨" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
}

// token is a token's text in quotes that show its spaces.
export function token(t) {
  return plain(t.text);
}
