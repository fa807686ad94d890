// dom.js: elements. Texts are only ever set as text.
// ---

// el makes an element: of attributes, those that begin with "on" are listeners,
// children are elements or texts.
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// svg is el for elements of SVG.
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(e, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.flat().filter(c => c !== null && c !== undefined));
  return e;
}

export function byId(id) {
  return document.getElementById(id);
}

// foreign is a text of somebody else's, which does not turn what stands around it.
export function foreign(text, className) {
  return el("bdi", { class: className }, text);
}

// button is a button, with a mark while pressed() is true.
export function button(label, title, act, attributes = {}) {
  return el("button", { type: "button", title, onclick: act, ...attributes }, label);
}

// sortable makes a table whose columns sort it when their heads are clicked: rows
// are lists of {text, value, element}; missing values stand last.
export function sortable(heads, rows, onRow) {
  const body = el("tbody");
  let sorted = -1, up = true;
  const marks = heads.map(() => el("span", { class: "mark" }));
  const show = () => {
    const order = rows.map((_, i) => i);
    if (sorted >= 0) order.sort((a, b) => compare(rows[a][sorted].value, rows[b][sorted].value, up) || a - b);
    body.replaceChildren(...order.map(i => {
      const tr = el("tr", {}, rows[i].map((c, k) => el(k === 0 ? "th" : "td", {}, c.element ?? c.text)));
      if (onRow) onRow(tr, i);
      return tr;
    }));
    marks.forEach((m, k) => { m.textContent = k !== sorted ? "" : up ? " ▲" : " ▼"; });
  };
  const head = el("tr", {}, heads.map((h, k) => el("th", { scope: "col" }, button([h, marks[k]], "sort by this column", () => {
    up = sorted === k ? !up : k === 0;
    sorted = k;
    show();
  }))));
  show();
  return el("table", { class: "sortable" }, el("thead", {}, head), body);
}

function compare(a, b, up) {
  const none = x => x === null || x === undefined || Number.isNaN(x);
  if (none(a) || none(b)) return none(a) - none(b);
  return (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1);
}
