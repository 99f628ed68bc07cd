// One card for each authority: can it be checked, by what, for how long; and "refresh now".

import {Cancelled, change} from "./api.js";
import {badge, byId, count, el, empty, facts, show} from "./dom.js";
import {lifeBar, when} from "./time.js";
import {reasonList} from "./verdict.js";

const WORDS = {yes: "yes", at_risk: "at risk", no: "no"};
const refreshes = new Map();  // name, "" for all -> {busy, text}

let shown = [];
let afterChange = () => {};

function evidenceText(evidence) {
  if (evidence.kind === "none") return "none";
  if (evidence.kind === "attestation") return "attested in the configuration";
  return [count(evidence.crls, "CRL"), ", published ", when(evidence.this_update),
    evidence.fetched_at ? [", fetched ", when(evidence.fetched_at)] : ""];
}

function timeLeft(authority) {
  const {this_update: from, next_update: until} = authority.evidence;
  if (!from || !until) return null;
  return el("div", {class: "left"},
    lifeBar(`Time left of the evidence of ${authority.name}`, from, until, authority.status),
    el("p", {}, "Evidence ends ", when(until)));
}

function signerText(signer) {
  if (!signer) return null;
  const state = signer.usable ? badge("yes", "usable") : badge("no", "unusable");
  return [state, ` ${signer.name}`, signer.problem ? `: ${signer.problem}` : "",
    signer.not_after ? [", ends ", when(signer.not_after)] : ""];
}

function refreshText(refresh) {
  const failures = refresh.consecutive_failures;
  return [count(refresh.urls, "URL"), ", next ", when(refresh.next_run),
    failures ? [", ", badge("at_risk", `${count(failures, "failure")} in a row`)] : ""];
}

function roles(authority) {
  const words = [];
  if (authority.required) words.push("required");
  if (authority.answered_for) words.push("answered for by revcache");
  return words.join(", ") || "neither required nor answered for";
}

function card(authority) {
  const refresh = refreshes.get(authority.name);
  return el("article", {class: "card", "data-status": authority.status},
    el("div", {class: "title"}, el("h3", {}, authority.name),
      badge(authority.status, WORDS[authority.status] ?? authority.status)),
    el("p", {class: "subject"}, authority.subject ?? ""),
    authority.reasons.length > 0 ? reasonList(authority.reasons, false) : null,
    timeLeft(authority),
    facts(["Evidence", evidenceText(authority.evidence)],
      ["Next CRL expected", authority.evidence.next_publish
        ? when(authority.evidence.next_publish) : null],
      ["Refresh", refreshText(authority.refresh)], ["Signer", signerText(authority.signer)],
      ["Revoked by hand", authority.revoked_by_hand
        ? count(authority.revoked_by_hand, "serial") : null],
      ["Use", roles(authority)]),
    el("p", {class: "row"}, el("button", {type: "button", "data-keep": `refresh ${authority.name}`,
      "aria-disabled": refresh?.busy ? "true" : null, click: () => refreshNow(authority.name)},
      refresh?.busy ? "Refreshing…" : "Refresh now",
      el("span", {class: "unseen"}, ` ${authority.name}`))),
    el("p", {class: "said", role: "status"}, refresh?.text ?? ""));
}

function draw() {
  show(byId("authorities-list"), shown.length > 0 ? shown.map(card)
    : empty("No [[authority]] is configured: revcache caches, but verifies nothing."));
  const all = refreshes.get("");
  byId("refresh-all").setAttribute("aria-disabled", all?.busy ? "true" : "false");
  byId("refresh-all-said").textContent = all?.text ?? "";
}

function outcomeText(refreshed) {
  if (refreshed.length === 0) return "No URL is known to refresh.";
  return refreshed.map((one) => `${one.outcome}: ${one.url}${one.detail ? ` (${one.detail})` : ""}`)
    .join("\n");
}

async function refreshNow(name) {
  if (refreshes.get(name)?.busy) return;
  refreshes.set(name, {busy: true, text: "Fetching…"});
  draw();
  let text;
  try {
    text = outcomeText((await change("refresh", name ? {authority: name} : {})).refreshed);
  } catch (error) {
    text = error instanceof Cancelled ? "" : `Not refreshed: ${error.message}`;
  }
  refreshes.set(name, {busy: false, text});
  draw();
  afterChange();
}

export function startAuthorities(changed) {
  afterChange = changed;
  byId("refresh-all").addEventListener("click", () => refreshNow(""));
}

export function showAuthorities(authorities) {
  shown = authorities;
  draw();
}
