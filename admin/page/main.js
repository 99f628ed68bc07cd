// Asks the API every five seconds while somebody looks, and shows what has changed.

import {Cancelled, read, renewToken, setToken} from "./api.js";
import {showAuthorities, startAuthorities} from "./authorities.js";
import {startCheck} from "./check.js";
import {showDecisions} from "./decisions.js";
import {byId, empty, show} from "./dom.js";
import {prepareRevoke, revokeOffer, setRevocable, showRevoked, startRevoke} from "./revoke.js";
import {showSources, showUpstreams} from "./sources.js";
import {setServerNow, tick} from "./time.js";
import {showTraffic} from "./traffic.js";
import {showAway, showBack, showVerdict} from "./verdict.js";

const PAUSE_MS = 5000;
const SLOW_EVERY = 3;  // polls between two looks at what changes seldom
const HELD_MS_MAX = 10000;  // should its end be missed

const drawn = new Map();  // part -> what it was drawn from
let last = null;          // the last status
let lastAt = 0;           // when it came, by performance.now()
let problem = null;       // why there is no newer one
let slowDue = 0;          // polls until what changes seldom is looked at
let polling = false;
let again = false;        // something was changed meanwhile
let timer = 0;
let pressedAt = -Infinity;  // when the mouse or a finger went down, while it is

function notCounting(key, value) {
  return key === "time_left_seconds" ? undefined : value;
}

// Draws a part when it differs from what is drawn; what only counts down is kept true by tick().
// Not under a click: a button that is replaced between down and up gets none.
function draw(part, data, how) {
  if (performance.now() - pressedAt < HELD_MS_MAX) return;
  const text = JSON.stringify(data, notCounting);
  if (drawn.get(part) === text) return;
  drawn.set(part, text);
  how(data);
}

// Parts are read one by one: what one of them says must not hide the others.
async function part(name, path, how) {
  try {
    const said = await read(path);
    draw(name, said, how);
  } catch (error) {
    if (error.status === 0 || error.status === 401) throw error;
    drawn.delete(name);
    show(byId(`${name}-list`), empty(`This could not be read: ${error.message}`));
  }
}

async function readAll() {
  const slow = slowDue <= 0;
  slowDue = slow ? SLOW_EVERY - 1 : slowDue - 1;
  const status = await read("status");
  setServerNow(status.now);
  last = status;
  lastAt = performance.now();
  problem = null;
  showBack();
  showVerdict(status);
  draw("authorities", status.authorities, showAuthorities);
  draw("revocable", status.authorities.map(({name, subject}) => ({name, subject})), setRevocable);
  draw("traffic", {cache: status.cache, clock: status.clock, latency: status.latency}, showTraffic);
  await part("decisions", "decisions?entries=20",
    (said) => showDecisions(said.entries, prepareRevoke));
  if (!slow) return;
  await part("sources", "crls", showSources);
  await part("upstreams", "upstreams", (said) => showUpstreams(said.upstreams));
  await part("revoked", "revoked", (said) => showRevoked(said.revoked));
}

function sayProblem() {
  if (!problem) return;
  showAway(problem, last, (performance.now() - lastAt) / 1000);
}

function explain(error) {
  if (error.status === undefined) return `This page failed: ${error}.`;
  if (error.status === 401) return "Reading needs the token here, and it was not given.";
  if (error.status === 0) return `revcache cannot be reached: ${error.message}.`;
  return `revcache answers with an error: ${error.message}.`;
}

async function poll() {
  clearTimeout(timer);
  if (polling) {
    again = true;
    return;
  }
  if (document.hidden) return;  // visibilitychange goes on
  polling = true;
  try {
    await readAll();
  } catch (error) {
    slowDue = 0;
    problem = explain(error);
    sayProblem();
    polling = false;
    if (error.status === 401) return wantToken();
  }
  polling = false;
  timer = setTimeout(poll, again ? 0 : PAUSE_MS);
  again = false;
}

// Asked once; who cancels finds the way back by a reload or by changing something.
async function wantToken() {
  try {
    await renewToken("Beyond loopback reading needs it, too.");
    poll();
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    byId("forget-token").hidden = false;
    byId("forget-token").textContent = "Enter the token";
  }
}

function changed() {
  slowDue = 0;
  poll();
}

startAuthorities(changed);
startCheck(revokeOffer);
startRevoke(changed);
byId("forget-token").addEventListener("click", () => {
  setToken("");
  poll();
});
document.addEventListener("visibilitychange", poll);
addEventListener("pointerdown", () => {
  pressedAt = performance.now();
});
for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, () => {
    pressedAt = -Infinity;
  });
}
addEventListener("resize", () => drawn.delete("traffic"));
setInterval(() => {
  if (document.hidden) return;
  tick();
  sayProblem();
}, 1000);
poll();
