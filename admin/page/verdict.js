// The first line: can NPS authenticate now, and if not, why. And how old that is.

import {byId, count, el, show, symbol} from "./dom.js";
import {duration, when} from "./time.js";

const WORDS = {yes: "yes", at_risk: "at risk", no: "no"};

function setAnswer(status, text) {
  byId("verdict").dataset.status = status;
  const answer = byId("answer");
  // A live region: only what has changed is to be read out.
  if (answer.dataset.text !== text) {
    answer.dataset.text = text;
    show(answer, symbol(status), el("span", {}, text));
  }
  document.title = `${text.replace("NPS can authenticate: ", "NPS: ")} – revcache`;
}

export function reasonList(reasons, named) {
  return el("ul", {class: "reasons"}, reasons.map((reason) => el("li", {},
    symbol(reason.severity),
    el("span", {}, el("span", {class: "unseen"}, `${WORDS[reason.severity] ?? ""}: `),
      named && reason.authority ? el("strong", {}, `${reason.authority}: `) : null, reason.text,
      reason.runbook ? el("span", {class: "runbook"}, " What to do: docs/operations.md, ",
        el("code", {}, `#${reason.runbook}`)) : null))));
}

export function showVerdict(status) {
  const {answer, reasons} = status.verdict;
  const because = reasons.length > 0 && answer !== "yes" ? ", because" : "";
  setAnswer(answer, `NPS can authenticate: ${WORDS[answer] ?? answer}${because}`);
  const waiting = status.ready ? []
    : [el("p", {}, "Not ready: ", (status.waiting_for ?? []).join("; ") || "starting", ".")];
  show(byId("reasons"), reasons.length > 0 ? reasonList(reasons, true) : null, waiting);
  show(byId("about"), `revcache ${status.version}, started `, when(status.started_at),
    status.connections ? ` · ${count(status.connections.clients, "client connection")}, `
      + `${count(status.connections.in_flight, "request")} under way` : "");
}

// `shownFor`: seconds since the last answer; null: there was none.
export function showAway(problem, last, shownFor) {
  const known = last ? `Last known, ${duration(shownFor)} ago: `
    + `${WORDS[last.verdict.answer] ?? last.verdict.answer}.` : "";
  setAnswer("unknown", "NPS can authenticate: not known");
  const link = byId("link");
  link.hidden = false;
  const text = `${problem} ${known} `
    + (last ? `What is shown below is ${duration(shownFor)} old.` : "Nothing is shown yet.");
  if (link.textContent !== text) link.textContent = text;
  document.body.classList.toggle("old", last !== null);
}

export function showBack() {
  byId("link").hidden = true;
  document.body.classList.remove("old");
}
