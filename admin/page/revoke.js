// Revoking by hand and lifting it, each after a question; and the list of what is revoked.

import {Cancelled, change} from "./api.js";
import {badge, byId, el, empty, facts, show, table} from "./dom.js";
import {when} from "./time.js";

let authorities = [];
let afterChange = () => {};

// Resolves to whether the answer was yes.
function confirmed(title, text, yes) {
  const dialog = byId("confirm-dialog");
  byId("confirm-title").textContent = title;
  show(byId("confirm-text"), text);
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-cancel").focus();
  return new Promise((resolve) => {
    let agreed = false;
    byId("confirm-form").onsubmit = (event) => {
      event.preventDefault();
      agreed = true;
      dialog.close();
    };
    byId("confirm-cancel").onclick = () => dialog.close();
    // The event comes a moment after the closing: one of an earlier question finds this one open.
    dialog.onclose = () => {
      if (!dialog.open) resolve(agreed);
    };
  });
}

function receipt(done) {
  return el("div", {class: "outcome", "data-status": "yes"},
    el("h3", {tabindex: -1, id: "revoke-outcome"}, "Revoked: serial ",
      el("code", {}, done.serial), ` of ${done.authority}`),
    facts(["Since", when(done.revoked_at)], ["Reason", done.reason],
      ["Windows may use answers of revcache that it has until", when(done.answers_valid_until)],
      ["… and CRLs of the CA that it has until", when(done.crls_valid_until)],
      ["Event loops that may still answer as before", done.loops_behind || null]),
    el("p", {}, done.clients),
    el("p", {}, "On each NPS server, from the kit of ", el("code", {}, "revcache windows-kit"),
      ": ", el("code", {}, ".\\Reset-RevocationCache.ps1 -RestartNps"),
      " – then Windows asks again at once."));
}

function say(...nodes) {
  show(byId("revoke-said"), ...nodes);
  byId("revoke-outcome")?.focus();
}

function failed(what, error) {
  say(el("p", {}, error instanceof Cancelled ? `${what}: no token was given.`
    : `${what}: ${error.message}`));
}

async function revoke(order) {
  const agreed = await confirmed("Revoke this certificate?", [
    facts(["Serial", el("code", {}, order.serial)], ["Authority", order.authority],
      ["Reason", order.reason], ["Note", order.note || null]),
    el("p", {}, "From then on revcache answers revoked for it, on every event loop, also after a "
      + "restart. Who logs on with it is refused once Windows asks again. It can be lifted.")],
    "Revoke");
  if (!agreed) return;
  try {
    say(receipt(await change("revoke", order)));
    byId("revoke-form").reset();
  } catch (error) {
    failed("Not revoked", error);
  }
  afterChange();
}

async function unrevoke(authority, serial) {
  const agreed = await confirmed("Lift this revocation?", [
    facts(["Serial", el("code", {}, serial)], ["Authority", authority]),
    el("p", {}, "From then on the CA's own evidence decides again. An answer that says revoked may "
      + "stay with Windows until it ends.")], "Lift it");
  if (!agreed) return;
  try {
    const done = await change("unrevoke", {authority, serial});
    say(el("p", {id: "revoke-outcome", tabindex: -1}, "Lifted: serial ",
      el("code", {}, done.serial), ` of ${done.authority}.`));
  } catch (error) {
    failed("Not lifted", error);
  }
  afterChange();
}

function row(one) {
  const name = one.authority ?? `key ${one.issuer_key.slice(0, 16)}…, of no authority now`;
  const change = one.declared ? badge("unknown", "declared in the configuration")
    : one.authority ? el("button", {type: "button", class: "small",
      "data-keep": `lift ${one.authority} ${one.serial}`,
      click: () => unrevoke(one.authority, one.serial)}, "Lift…",
      el("span", {class: "unseen"}, ` serial ${one.serial} of ${one.authority}`)) : "–";
  return [el("code", {class: "serial"}, one.serial), name, one.reason, when(one.revoked_at),
    one.note || "–", change];
}

export function showRevoked(revoked) {
  show(byId("revoked-list"), revoked.length === 0 ? empty("Nothing.")
    : table("Revocations by hand", ["Serial", "Authority", "Reason", "Since", "Note", "Change"],
      revoked.map(row)));
}

export function setRevocable(list) {
  authorities = list;
  const select = byId("revoke-authority");
  const names = list.map((one) => one.name);
  if ([...select.options].map((one) => one.value).join("\n") === names.join("\n")) return;
  const chosen = select.value;
  show(select, names.map((name) => el("option", {value: name}, name)));
  if (names.includes(chosen)) select.value = chosen;
}

// Fills the form in: a reason is still to be chosen, and the question answered.
export function prepareRevoke(authority, serial) {
  byId("revoke-authority").value = authority;
  byId("revoke-serial").value = serial;
  byId("revoke").scrollIntoView({block: "start"});
  byId("revoke-reason").focus({preventScroll: true});
}

// For a certificate that `check` has read, where its issuer's name is that of an authority.
export function revokeOffer(certificate) {
  const issuer = authorities.find((one) => one.subject === certificate.issuer);
  if (!issuer || certificate.role === "root" || certificate.status === "revoked") return null;
  return el("p", {class: "row"}, el("button", {type: "button", class: "small",
    click: () => prepareRevoke(issuer.name, certificate.serial)}, "Revoke…",
    el("span", {class: "unseen"}, ` serial ${certificate.serial} of ${issuer.name}`)));
}

export function startRevoke(changed) {
  afterChange = changed;
  byId("revoke-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const order = {authority: byId("revoke-authority").value,
      serial: byId("revoke-serial").value.replace(/[: ]/g, "").toLowerCase(),
      reason: byId("revoke-reason").value};
    const note = byId("revoke-note").value.trim();
    if (note) order.note = note;
    revoke(order);
  });
}
