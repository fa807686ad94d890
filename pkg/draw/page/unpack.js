// unpack.js: lists of numbers that are packed in base64, little-endian.
// ---
function bytes(text) {
  return Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
}

function numbers(text, size, read) {
  const view = new DataView(bytes(text));
  return Array.from({ length: view.byteLength / size }, (_, i) => read(view, i * size));
}

export function unpackWhole(text) {
  return numbers(text, 4, (view, at) => view.getInt32(at, true));
}

export function unpackFloats(text) {
  return numbers(text, 4, (view, at) => view.getFloat32(at, true));
}

// unpackPatterns reads attention patterns: get(prompt, run, head) is the pattern of
// one of p.heads by its place there, as {size, from, at(row, column)}, from 0 to 1.
export function unpackPatterns(p) {
  const view = new DataView(bytes(p.weights));
  const cells = p.size.map(n => p.causal ? n * (n + 1) / 2 : n * n);
  const first = [];
  let at = 0;
  for (const n of cells) {
    first.push(at);
    at += 3 * p.heads.length * n;
  }
  return (prompt, run, head) => {
    const size = p.size[prompt], begin = first[prompt] + (run * p.heads.length + head) * cells[prompt];
    return {
      size, from: p.from[prompt],
      at(row, column) {
        if (p.causal && column > row) return 0;
        const i = p.causal ? row * (row + 1) / 2 + column : row * size + column;
        return view.getUint16(2 * (begin + i), true) / 65535;
      },
    };
  };
}
