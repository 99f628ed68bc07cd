// CRLs and OCSP answers that are held, the URLs that gave none, and the upstreams behind them.

import {badge, byId, bytes, count, el, empty, show, table} from "./dom.js";
import {latency, lifeBar, when} from "./time.js";

function crlName(crl) {
  return [el("span", {class: "url"}, crl.url),
    el("span", {class: "minor"}, `${crl.kind} CRL ${crl.number ?? "without number"}, `
      + `${count(crl.entries, "entry", "entries")}, ${bytes(crl.bytes)}; `
      + `label ${crl.label} in metrics`)];
}

function crlLife(crl) {
  const over = crl.time_left_seconds !== null && crl.time_left_seconds <= 0;
  const status = over ? "no" : crl.time_left_seconds < 86400 ? "at_risk" : "yes";
  return [crl.this_update && crl.next_update
    ? lifeBar(`Time left of ${crl.url}`, crl.this_update, crl.next_update, status) : null,
    over ? badge("no", "ended ") : null, when(crl.next_update)];
}

function fetches(one) {
  const failures = one.consecutive_failures ?? 0;
  return [when(one.next_run),
    failures > 0 ? el("div", {}, badge("at_risk", failed(failures))) : null];
}

function failed(failures) {
  return `${count(failures, "failure")} in a row`;
}

function crlTable(crls) {
  if (crls.length === 0) return empty("No CRL is held.");
  return table("CRLs that are held",
    ["CRL", "Authority", "Ends", "Published", "Fetched", "Next fetch"],
    crls.map((crl) => [crlName(crl), crl.authority ?? "–", crlLife(crl), when(crl.this_update),
      when(crl.fetched_at), fetches(crl)]));
}

function notHeld(urls) {
  if (urls.length === 0) return null;
  return [el("h3", {}, "Known, but without evidence"),
    table("URLs that gave no evidence", ["URL", "State", "Next fetch"],
      urls.map((one) => [[el("span", {class: "url"}, one.url),
        one.detail ? el("span", {class: "minor"}, one.detail) : null],
        one.consecutive_failures ? badge("no", failed(one.consecutive_failures))
          : badge("unknown", "not fetched yet"), when(one.next_run)]))];
}

const STATUS = {good: "yes", revoked: "no", unknown: "unknown"};

function ocspAnswers(answers) {
  if (answers.length === 0) return null;
  return el("details", {"data-keep": "ocsp"},
    el("summary", {}, `${count(answers.length, "OCSP answer")} held`),
    table("OCSP answers that are held", ["Serial", "Authority", "Status", "Ends", "From"],
      answers.map((one) => [el("code", {class: "serial"}, one.serial), one.authority ?? "–",
        badge(STATUS[one.status] ?? "unknown", one.status), when(one.next_update),
        el("span", {class: "url"}, one.url ?? "–")])));
}

export function showSources({crls, ocsp, not_held: without}) {
  show(byId("sources-list"), crlTable(crls), notHeld(without ?? []), ocspAnswers(ocsp ?? []));
}

function outcomes(requests) {
  const known = Object.entries(requests).filter(([, number]) => number > 0);
  return known.map(([outcome, number]) => `${outcome} ${number.toLocaleString("en")}`).join(", ")
    || "none";
}

function upBadge(up) {
  if (up === null) return badge("unknown", "not asked yet");
  return up ? badge("yes", "up") : badge("no", "down");
}

export function showUpstreams(upstreams) {
  show(byId("upstreams-list"), upstreams.length === 0 ? empty("No upstream has been asked yet.")
    : table("Upstreams",
      ["Upstream", "State", "Last success", "Requests", "Median", "99th percentile"],
      upstreams.map((one) => [el("span", {class: "url"}, one.name), upBadge(one.up),
        when(one.last_success), outcomes(one.requests), latency(one.p50), latency(one.p99)])));
}
