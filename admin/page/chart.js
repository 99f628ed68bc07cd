// Small charts of latency, made of SVG. What they show is said in words beside them.

import {svg} from "./dom.js";
import {latency} from "./time.js";

// Logarithmic, from what a memory hit takes to where a client gives up.
const SHORTEST = 50e-6;
const LONGEST = 20;
const STEPS = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10];

function share(seconds) {
  const clamped = Math.min(LONGEST, Math.max(SHORTEST, seconds));
  return Math.log(clamped / SHORTEST) / Math.log(LONGEST / SHORTEST);
}

const POINTS = [["p50", "50"], ["p90", "90"], ["p99", "99"], ["p999", "99.9"]];

// The percentiles of one window on one axis.
export function percentileStrip(name, window) {
  const width = 320;
  const inner = width - 20;
  const at = (seconds) => 10 + share(seconds) * inner;
  const known = POINTS.filter(([key]) => window[key] !== null && window[key] !== undefined);
  const said = known.map(([key, word]) => `${word} % within ${latency(window[key])}`).join(", ");
  const grid = STEPS.map((step) => [
    svg("line", {class: "grid", x1: at(step), x2: at(step), y1: 4, y2: 30}),
    svg("text", {class: "tick", x: at(step), y: 44, "text-anchor": "middle"}, latency(step))]);
  const span = known.length > 1 ? svg("line", {class: "span", x1: at(window[known[0][0]]),
    x2: at(window[known.at(-1)[0]]), y1: 17, y2: 17}) : null;
  const silent = known.length > 0 ? null
    : svg("text", {class: "tick", x: width / 2, y: 20, "text-anchor": "middle"}, "no requests");
  const marks = known.map(([key]) => svg("circle",
    {class: `mark-${key}`, cx: at(window[key]), cy: 17, r: key === "p50" ? 6 : 4.5}));
  return svg("svg", {class: "chart", viewBox: `0 0 ${width} 48`, role: "img",
    "aria-label": `Latency of ${name}: ${said || "no requests"}`}, grid, span, marks, silent);
}

// The minutes of the hour up to the last that is known, the oldest first; null where nothing is: the
// server was not yet started, or its machine asleep.
function minutes(series) {
  const slots = new Array(60).fill(null);
  const end = Date.parse(series.at(-1).at);
  for (const step of series) {
    const slot = 59 - Math.round((end - Date.parse(step.at)) / 60000);
    if (slot >= 0) slots[slot] = step;
  }
  return slots;
}

function path(slots, key, x, y) {
  let text = "";
  let pen = "M";
  slots.forEach((step, at) => {
    const seconds = step?.[key] ?? null;
    if (seconds === null) {
      pen = "M";
      return;
    }
    text += `${pen}${x(at).toFixed(1)} ${y(seconds).toFixed(1)}`;
    pen = "L";
    // A minute between two silent ones would be a line of no length.
    if ((slots[at + 1]?.[key] ?? null) === null) text += "h.1";
  });
  return text;
}

// The last hour, a step each minute: requests as columns, median and 99th percentile as lines.
// `width` is that of its place in pixels, so that its words are as large as others.
export function hourChart(series, width) {
  const [top, bottom, left, right] = [8, 150, 60, width - 4];
  const slots = minutes(series);
  const each = (right - left) / slots.length;
  const x = (at) => left + (at + 0.5) * each;
  const y = (seconds) => bottom - share(seconds) * (bottom - top);
  const most = Math.max(1, ...series.map((step) => step.requests));
  const busy = series.filter((step) => step.requests > 0).length;
  const bars = slots.map((step, at) => step?.requests > 0 ? svg("rect", {class: "column",
    x: (x(at) - each * 0.4).toFixed(1), width: (each * 0.8).toFixed(1),
    y: (bottom - step.requests / most * (bottom - top)).toFixed(1),
    height: (step.requests / most * (bottom - top)).toFixed(1)}) : null);
  const grid = STEPS.map((step) => [
    svg("line", {class: "grid", x1: left, x2: right, y1: y(step), y2: y(step)}),
    svg("text", {class: "tick", x: left - 5, y: y(step) + 4, "text-anchor": "end"},
      latency(step))]);
  const total = series.reduce((sum, step) => sum + step.requests, 0);
  const label = `The last hour: ${total.toLocaleString("en")} requests in ${busy} `
    + `minutes, at most ${most} in one; latency is in the table.`;
  return svg("svg", {class: "chart wide", viewBox: `0 0 ${width} 174`, role: "img",
    "aria-label": label}, grid, bars,
    svg("path", {class: "line-p99", d: path(slots, "p99", x, y)}),
    svg("path", {class: "line-p50", d: path(slots, "p50", x, y)}),
    svg("text", {class: "tick", x: left, y: 169}, "1 h ago"),
    svg("text", {class: "tick", x: right, y: 169, "text-anchor": "end"}, "now"));
}
