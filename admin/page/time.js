// Times as people say them ("in 3 d 4 h"), by the server's clock, kept true while they are shown.

import {el} from "./dom.js";

let ahead = 0;  // milliseconds that the server's clock is ahead of the browser's

export function setServerNow(text) {
  const now = Date.parse(text);
  if (!Number.isNaN(now)) ahead = now - Date.now();
}

function now() {
  return Date.now() + ahead;
}

// "3 d 4 h", "12 min", "8 s"
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  if (days >= 30) return `${days} d`;
  if (days > 0) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours > 0) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes > 0) return `${minutes} min`;
  return `${whole} s`;
}

// "1.2 ms"
export function latency(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const short = (number) => Number(number.toPrecision(3)).toLocaleString("en");
  if (seconds < 0.0009995) return `${short(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${short(seconds * 1e3)} ms`;
  return `${short(seconds)} s`;
}

function relative(milliseconds) {
  const seconds = (milliseconds - now()) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
}

function exact(milliseconds) {
  const date = new Date(milliseconds);
  const utc = date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return `${utc} (here ${date.toLocaleString("en-GB")})`;
}

// A <time> that tick() keeps true; "–" for null.
export function when(text) {
  const milliseconds = text ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) return el("span", {class: "none"}, "–");
  return el("time", {datetime: text, title: exact(milliseconds)}, relative(milliseconds));
}

// How much of a validity is left, as a bar. Its text stands beside it, not in it.
export function lifeBar(label, from, until, status) {
  const bar = el("div", {class: "bar", role: "meter", "aria-label": label, "aria-valuemin": 0,
    "aria-valuemax": 100, "data-status": status, "data-from": Date.parse(from),
    "data-until": Date.parse(until)}, el("div", {}));
  moveBar(bar);
  return bar;
}

function moveBar(bar) {
  const from = Number(bar.dataset.from);
  const until = Number(bar.dataset.until);
  const left = Math.min(1, Math.max(0, (until - now()) / Math.max(1, until - from)));
  setBar(bar, left, until > now() ? `${duration((until - now()) / 1000)} left` : "over");
}

export function setBar(bar, share, text) {
  bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  bar.setAttribute("aria-valuetext", text);
  bar.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
}

// Once a second: only texts that differ are touched, so that a selection stays.
export function tick() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = relative(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
  for (const bar of document.querySelectorAll(".bar[data-until]")) moveBar(bar);
}
