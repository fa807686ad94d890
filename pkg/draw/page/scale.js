// scale.js: how the size of an effect becomes a width, and what colours mean.
// ---
const THINNEST = 0.9, WIDEST = 5, NEUTRAL = 1.4;

// createScale makes a scale of effects: the logarithm of their sizes, over one to
// three powers of ten, as in the pictures.
export function createScale(effects, present) {
  let most = 0, least = Infinity;
  for (const i of present) {
    const a = Math.abs(effects[i]);
    if (a > 0 && Number.isFinite(a)) {
      most = Math.max(most, a);
      least = Math.min(least, a);
    }
  }
  const low = Math.min(Math.max(least, most / 1000), most / 10);
  const widest = present.size > 80 ? Math.max(2.6, WIDEST * Math.pow(80 / present.size, 0.3)) : WIDEST;
  return {
    least, most,
    share(x) {
      const a = Math.abs(x);
      return a >= most ? 1 : a <= low ? 0 : Math.log(a / low) / Math.log(most / low);
    },
    width(x) {
      if (Number.isNaN(x) || most === 0) return NEUTRAL;
      return least === most ? 2 : THINNEST + (widest - THINNEST) * this.share(x);
    },
    opacity(x, n) {
      if (n <= 24) return 1;
      const faint = Math.max(0.4, 0.85 - n / 600);
      return Number.isNaN(x) ? faint : faint + (0.95 - faint) * this.share(x);
    },
  };
}

// colorClass is the class of an edge's colour.
export function colorClass(e, effect, color, kindOfReceiver) {
  if (e.i) return "idle";
  if (color === "part") return e.t === undefined ? "none" : "part" + e.t;
  if (color === "sign") return effect > 0 ? "plus" : effect < 0 ? "minus" : "none";
  if (e.p >= 0) return ["q", "k", "v"][e.p];
  return kindOfReceiver;
}
