// A certificate or chain from a drop, a file or the clipboard, and what NPS would say of it.

import {ask} from "./api.js";
import {badge, byId, el, facts, show, symbol} from "./dom.js";
import {when} from "./time.js";

const OCTETS_MAX = 190 * 1024;  // the call takes 256 KiB of JSON, and base64 makes four of three
const STATUS = {good: "yes", revoked: "no", unknown: "at_risk", invalid: "no"};
const SEVERITY = {error: "no", warning: "at_risk", info: "unknown"};
const ROLES = {leaf: "User or computer certificate", intermediate: "Issuing CA", root: "Root"};

let running = 0;  // the number of the last check: an answer to an earlier one is too late
let offerRevoke = () => null;

function base64(octets) {
  let text = "";
  for (let at = 0; at < octets.length; at += 4096) {
    text += String.fromCharCode(...octets.subarray(at, at + 4096));
  }
  return btoa(text);
}

async function joined(files) {
  const parts = [];
  for (const file of files) {
    parts.push(new Uint8Array(await file.arrayBuffer()), new Uint8Array([10]));
  }
  // Only PEM can be joined; what is one file goes as it is.
  if (files.length === 1) return parts[0];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function finding(one) {
  return el("li", {}, badge(SEVERITY[one.severity] ?? "unknown", one.severity), " ",
    el("code", {}, one.id), el("span", {class: "minor"}, one.reference ?? ""),
    el("p", {}, one.text),
    one.fix ? el("p", {class: "fix"}, el("strong", {}, "What to do: "), one.fix) : null);
}

function evidence(one) {
  return el("li", {}, `${one.kind} `, one.number ? `${one.number} ` : "",
    one.url ? el("span", {class: "url"}, one.url) : null,
    one.next_update ? [", ends ", when(one.next_update)] : "",
    one.refused || one.error ? el("span", {class: "minor"}, one.refused ?? one.error) : null);
}

function certificate(one) {
  const word = (one.status ?? "unknown").replace("_", " ");
  return el("article", {class: "card"},
    el("div", {class: "title"}, el("h4", {}, `${ROLES[one.role] ?? one.role}`),
      badge(STATUS[one.status] ?? "unknown", word)),
    el("p", {class: "subject"}, one.subject),
    facts(["Issuer", one.issuer], ["Serial", el("code", {}, one.serial)],
      ["Known from", one.source && one.source !== "none" ? one.source : null],
      ["Revoked", one.revoked_at
        ? [when(one.revoked_at), one.reason ? `, ${one.reason}` : ""] : null]),
    one.evidence?.length > 0 ? el("ul", {class: "evidence"}, one.evidence.map(evidence)) : null,
    one.findings?.length > 0 ? el("ul", {class: "findings"}, one.findings.map(finding)) : null,
    offerRevoke(one));
}

function showResult(result) {
  const {nps} = result;
  const accepts = nps.verdict === "accept";
  const codes = accepts ? "" : ` – event 6273, reason code ${nps.reason_code} (${nps.hresult}); `
    + `the VPN client shows error ${nps.client_error}`;
  show(byId("check-result"),
    el("div", {class: "outcome", "data-status": accepts ? "yes" : "no"},
      el("h3", {tabindex: -1, id: "check-outcome"}, symbol(accepts ? "yes" : "no"),
        accepts ? "NPS accepts it" : "NPS denies it"),
      el("p", {}, `The chain is ${result.result}${codes}.`),
      nps.text ? el("p", {}, nps.text) : null),
    el("div", {class: "chain"}, result.chain.map(certificate)));
  byId("check-outcome").focus({preventScroll: true});
  byId("check-outcome").scrollIntoView({block: "nearest"});
}

async function check(octets, from) {
  const mine = ++running;
  const say = (text) => {
    byId("check-said").textContent = text;
  };
  show(byId("check-result"));
  if (octets.length === 0) return say("Nothing to check: choose, drop or paste a certificate.");
  if (octets.length > OCTETS_MAX) return say(`${from} is larger than ${OCTETS_MAX / 1024} KiB.`);
  say(`Checking ${from}…`);
  try {
    const result = await ask("check", {chain: base64(octets)});
    if (mine !== running) return;
    say(`${from}:`);
    showResult(result);
  } catch (error) {
    if (mine === running) say(`${from} was not checked: ${error.message}`);
  }
}

async function checkFiles(files) {
  const from = [...files].map((file) => file.name).join(", ") || "a file";
  try {
    await check(await joined([...files]), from);
  } catch {
    byId("check-said").textContent = `${from} cannot be read.`;
  }
}

function startDrop() {
  const form = byId("check-form");
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form.classList.add("over");
  };
  document.addEventListener("dragenter", over);
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("over");
  });
  // Beside the form too, or the browser would leave the page for the file.
  document.addEventListener("drop", (event) => {
    form.classList.remove("over");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    byId("check").scrollIntoView({block: "nearest"});
    checkFiles(event.dataTransfer.files);
  });
}

// `offer`: makes what a checked certificate is offered to be revoked with, or null.
export function startCheck(offer) {
  offerRevoke = offer;
  const file = byId("check-file");
  byId("check-choose").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files.length > 0) checkFiles(file.files);
    file.value = "";
  });
  byId("check-text").addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    checkFiles(event.clipboardData.files);
  });
  byId("check-form").addEventListener("submit", (event) => {
    event.preventDefault();
    check(new TextEncoder().encode(byId("check-text").value.trim()), "What was pasted");
  });
  startDrop();
}
