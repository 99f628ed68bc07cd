// Elements made of text, never of markup: whatever the API says becomes text nodes and attributes.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return node;
}

// el("p", {class: "hint", click: f}, "text", node, [more], null)
export function el(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

export function byId(id) {
  return document.getElementById(id);
}

// Replaces what `container` holds. What has the focus or is open there, by its data-keep, has it
// or is so afterwards too: a page that changes by itself must not take the keyboard away.
export function show(container, ...nodes) {
  const focused = container.contains(document.activeElement)
    ? document.activeElement.dataset.keep : undefined;
  const open = new Set([...container.querySelectorAll("details[open][data-keep]")]
    .map((one) => one.dataset.keep));
  container.replaceChildren(...nodes.flat(3).filter((one) => one !== null));
  for (const one of container.querySelectorAll("[data-keep]")) {
    if (one.dataset.keep === focused) one.focus({preventScroll: true});
    if (one.tagName === "DETAILS" && open.has(one.dataset.keep)) one.open = true;
  }
}

const SHAPES = {
  yes: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "m4.8 8.2 2.2 2.2 4.2-4.6"],
  at_risk: ["M8 1 .5 14.5h15z", "M8 6v4M8 12v.5"],
  no: ["M5 1h6l4 4v6l-4 4H5l-4-4V5z", "m5.5 5.5 5 5m0-5-5 5"],
  unknown: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M5 8h6"],
};

export function symbol(status) {
  const [outline, mark] = SHAPES[status] ?? SHAPES.unknown;
  return svg("svg", {class: "symbol", viewBox: "0 0 16 16", "aria-hidden": "true"},
    svg("path", {class: "outline", d: outline}), svg("path", {class: "mark", d: mark}));
}

// A state: its shape, its colour and its word.
export function badge(status, word) {
  return el("span", {class: "badge", "data-status": status}, symbol(status), word);
}

// A table that becomes a list of cards on a phone. `columns`: names; `rows`: arrays of cells, each
// a text or a node. Roles are said, since a table that is laid out as blocks loses them.
export function table(caption, columns, rows) {
  const head = el("tr", {role: "row"},
    columns.map((name) => el("th", {role: "columnheader", scope: "col"}, name)));
  const body = rows.map((cells) => el("tr", {role: "row"}, cells.map((cell, at) =>
    el("td", {role: "cell", "data-label": columns[at]}, el("div", {}, cell)))));
  return el("table", {role: "table"}, el("caption", {class: "unseen"}, caption),
    el("thead", {role: "rowgroup"}, head), el("tbody", {role: "rowgroup"}, body));
}

// Pairs of term and description; those without a description are left out.
export function facts(...pairs) {
  return el("dl", {class: "facts"}, pairs.filter(([, said]) => said !== null && said !== undefined)
    .map(([term, said]) => el("div", {}, el("dt", {}, term), el("dd", {}, said))));
}

export function empty(text) {
  return el("p", {class: "empty"}, text);
}

export function count(number, one, many = one + "s") {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (number >= 1024 && at < units.length - 1) {
    number /= 1024;
    at += 1;
  }
  return `${number < 10 && at > 0 ? number.toFixed(1) : Math.round(number)} ${units[at]}`;
}
