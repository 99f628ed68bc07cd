// What the tiers hold, and how long clients wait.

import {byId, bytes, count, el, empty, facts, show, table} from "./dom.js";
import {hourChart, percentileStrip} from "./chart.js";
import {latency, setBar, when} from "./time.js";

function tier(name, held) {
  if (!held) return null;
  const share = held.bytes_max > 0 ? Math.min(1, held.bytes / held.bytes_max) : 0;
  const bar = el("div", {class: "bar", role: "meter", "aria-label": `${name} in use`,
    "aria-valuemin": 0, "aria-valuemax": 100}, el("div", {}));
  setBar(bar, share, `${Math.round(share * 100)} %`);
  return el("article", {class: "card"}, el("h3", {}, name), bar,
    el("p", {}, `${bytes(held.bytes)} of ${bytes(held.bytes_max)}, `
      + count(held.entries, "entry", "entries")));
}

function clockCard(clock) {
  if (!clock) return null;
  return el("article", {class: "card"}, el("h3", {}, "Clock"),
    facts(["State", clock.behind ? "behind its lower bound: answers are tryLater" : "fine"],
      ["Lower bound", when(clock.floor)]));
}

function results(window) {
  const known = Object.entries(window.by_result ?? {}).filter(([, number]) => number > 0);
  return known.map(([result, number]) => `${result} ${number.toLocaleString("en")}`).join(", ")
    || "–";
}

function ratio(window) {
  return window.hit_ratio === null || window.hit_ratio === undefined ? "–"
    : `${(window.hit_ratio * 100).toFixed(1)} %`;
}

function latencyPart(measured) {
  const width = Math.max(280, byId("traffic-list").clientWidth - 26);
  if (!measured) return empty("Latency is not known yet.");
  const windows = [["The last minute", measured.minute], ["The last hour", measured.hour]];
  return [el("h3", {}, "Latency of requests"),
    el("div", {class: "cards"}, windows.map(([name, window]) => el("figure", {},
      el("figcaption", {}, `${name}: 50 (filled), 90, 99 and 99.9 % of requests within`),
      percentileStrip(name.toLowerCase(), window)))),
    measured.series?.length > 0 ? el("figure", {},
      el("figcaption", {}, "The last hour by minute: ",
        el("span", {class: "key p50"}, "median"), " ",
        el("span", {class: "key p99"}, "99th percentile"), " ",
        el("span", {class: "key requests"}, "requests")), hourChart(measured.series, width)) : null,
    table("Latency of requests",
      ["Window", "Requests", "Hit ratio", "50 %", "90 %", "99 %", "99.9 %", "By result"],
      windows.map(([name, window]) => [name, window.requests.toLocaleString("en"), ratio(window),
        latency(window.p50), latency(window.p90), latency(window.p99), latency(window.p999),
        results(window)]))];
}

export function showTraffic(status) {
  show(byId("traffic-list"), el("div", {class: "cards"}, tier("Memory", status.cache?.memory),
    tier("Disk", status.cache?.disk), clockCard(status.clock)), latencyPart(status.latency));
}
