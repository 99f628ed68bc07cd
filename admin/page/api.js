// The calls of /api/v1. The token, once typed, lives in this module's memory and nowhere else.

import {byId} from "./dom.js";

const READ_MS = 8000;
const CHANGE_MS = 90000;  // a refresh waits for slow upstreams

let token = "";
let asking = null;  // the question for the token that is open

export class ApiError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export class Cancelled extends Error {}

async function call(path, options, milliseconds) {
  const headers = {...options.headers};
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {...options, headers, cache: "no-store",
      redirect: "error", credentials: "omit", signal: AbortSignal.timeout(milliseconds)});
  } catch (error) {
    throw new ApiError(0, error.name === "TimeoutError"
      ? `no answer within ${milliseconds / 1000} s` : "no connection");
  }
  const text = await response.text();
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw new ApiError(response.status, `status ${response.status}, not readable as JSON`);
  }
  if (!response.ok) throw new ApiError(response.status, said.error ?? `status ${response.status}`);
  return said;
}

export function read(path) {
  return call(path, {method: "GET"}, READ_MS);
}

function post(path, body) {
  return call(path, {method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify(body)}, CHANGE_MS);
}

// A question that is too long for a query.
export function ask(path, body) {
  return withToken(path, body, "Here reading needs the token, too.");
}

export function change(path, body) {
  return withToken(path, body, "To change something, revcache wants its token.");
}

// Tried without the token first: where none is configured, the refusal says so. Throws Cancelled
// when nobody types it.
async function withToken(path, body, why) {
  for (;;) {
    try {
      return await post(path, body);
    } catch (error) {
      if (error.status !== 401) throw error;
      await renewToken(why);
    }
  }
}

// After a 401: a token that was presented is not the right one, and is not presented again.
export function renewToken(why) {
  const wrong = token !== "";
  setToken("");
  return askForToken(wrong ? "That is not the token." : why);
}

function askForToken(why) {
  if (asking) return asking;
  const dialog = byId("token-dialog");
  const input = byId("token-input");
  byId("token-why").textContent = why;
  input.value = "";
  dialog.showModal();
  input.focus();
  asking = new Promise((resolve, reject) => {
    let typed = "";
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      typed = input.value.trim();
      dialog.close();
    };
    byId("token-cancel").onclick = () => dialog.close();
    dialog.onclose = () => {
      asking = null;
      input.value = "";
      if (!typed) return reject(new Cancelled("without the token nothing is changed"));
      setToken(typed);
      resolve();
    };
  });
  return asking;
}

export function setToken(text) {
  token = text;
  byId("forget-token").hidden = token === "";
  byId("forget-token").textContent = "Forget the token";
}
