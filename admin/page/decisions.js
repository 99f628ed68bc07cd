// The last answers that were signed, and why they were what they are.

import {badge, byId, el, empty, show, table} from "./dom.js";
import {when} from "./time.js";

const STATUS = {good: "yes", revoked: "no", unknown: "unknown", try_later: "at_risk",
  unauthorized: "unknown"};

function evidenceText({evidence, rule, why}) {
  const parts = [el("code", {}, rule)];
  if (evidence) {
    parts.push(` ${evidence.kind.replace("_", " ")} ${evidence.number ?? ""}`);
    if (evidence.url) parts.push(el("span", {class: "minor url"}, evidence.url));
  }
  if (why) parts.push(el("span", {class: "minor"}, why));
  return parts;
}

function row(one, at, revoke) {
  const revocable = one.authority && one.serial && one.outcome !== "revoked";
  return [when(one.at),
    [badge(STATUS[one.outcome] ?? "unknown", one.outcome.replace("_", " ")),
      one.reason ? el("span", {class: "minor"}, one.reason) : null],
    el("code", {class: "serial"}, one.serial), one.authority ?? "–", evidenceText(one),
    when(one.next_update),
    revocable ? el("button", {type: "button", class: "small",
      "data-keep": `revoke ${at} ${one.authority} ${one.serial}`,
      click: () => revoke(one.authority, one.serial)}, "Revoke…",
      el("span", {class: "unseen"}, ` serial ${one.serial} of ${one.authority}`)) : ""];
}

export function showDecisions(entries, revoke) {
  const whole = entries.filter((one) => typeof one === "object" && one !== null);
  show(byId("decisions-list"), whole.length === 0 ? empty("Nothing has been answered yet.")
    : table("Recent decisions",
      ["When", "Answer", "Serial", "Authority", "Rule and evidence", "Answer ends", "Change"],
      whole.map((one, at) => row(one, at, revoke))));
}
