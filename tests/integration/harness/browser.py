"""Chromium without a window, driven through chromedriver by WebDriver (W3C) over HTTP."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from .wire import TIMEOUT

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": "\ue00d",
        "Shift": "\ue008"}
PHONE = (360, 740)
DESK = (1280, 900)
FINDS_MAX = 10

# Looks again and again, in the page, until the condition holds: no round trips, no sleeps here.
WAIT = """
const done = arguments[arguments.length - 1];
const over = performance.now() + %d;
const look = () => {
  let got = null;
  try { got = (() => (%s))(); } catch (error) { got = null; }
  if (got) done(got);
  else if (performance.now() > over) done(null);
  else setTimeout(look, 20);
};
look();
"""


class BrowserError(Exception):
    """What chromedriver says went wrong."""


class Browser:
    """One window with a profile of its own."""

    def __init__(self):
        for program in ("chromium", "chromedriver"):
            if shutil.which(program) is None:
                raise BrowserError(program + " is not installed; ./dev test does that")
        self.directory = tempfile.mkdtemp(prefix="revcache-browser-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, start_new_session=True)
        self.session = None
        try:
            self.base = "http://127.0.0.1:%d" % self._port()
            self._new_session()
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found.group(1))
        raise BrowserError("chromedriver ended before it listened")

    def _new_session(self):
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                     "--no-first-run", "--disable-background-networking", "--lang=en-US",
                     "--no-proxy-server", "--user-data-dir=" + self.directory]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses to have one as root
        options = {"binary": shutil.which("chromium"), "args": arguments}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": int(TIMEOUT * 1000), "pageLoad": int(TIMEOUT * 1000)}}}})
        self.session = "/session/" + made["sessionId"]

    def close(self):
        """The end of the session is that of the browser; chromedriver is ended with its group."""
        try:
            if self.session:
                self._ask("DELETE", self.session)
        except (BrowserError, OSError):
            pass
        finally:
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
            self.driver.stdout.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.base + path, data=data, method=method,
                                       headers={"Content-Type": "application/json"})
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(asked, timeout=TIMEOUT * 2) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"][:2000]) from None

    def command(self, method, path, body=None):
        return self._ask(method, self.session + path, body)

    def devtools(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def reload(self):
        self.command("POST", "/refresh", {})

    def look(self, size=DESK, scheme="light"):
        """The window's size and what its user prefers."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                      deviceScaleFactor=1, mobile=size == PHONE)
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def run(self, script, *arguments):
        """The value of `return …` in `script`; arguments are `arguments[n]` there."""
        return self.command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_waiting(self, script, *arguments):
        """The same, by what the script gives to its last argument, a function."""
        return self.command("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def wait(self, condition, seconds=TIMEOUT / 2):
        """The value of a JavaScript expression, once it is not false."""
        got = self.run_waiting(WAIT % (seconds * 1000, condition))
        if not got:
            raise AssertionError("in %d s this did not become true: %s\nThe page says:\n%s"
                                 % (seconds, condition, self.text("body")[:3000]))
        return got

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def element(self, selector):
        return self.command("POST", "/element", {"using": "css selector",
                                                 "value": selector})[ELEMENT]

    def act_on(self, selector, action, body):
        """The page may draw an element anew between its being found and acted on."""
        for find in range(FINDS_MAX):
            try:
                return self.command("POST", "/element/%s/%s" % (self.element(selector), action), body)
            except BrowserError as error:
                if "stale element reference" not in str(error) or find == FINDS_MAX - 1:
                    raise

    def click(self, selector):
        self.act_on(selector, "click", {})

    def type(self, selector, text):
        """Into a field; a file field takes a path."""
        self.act_on(selector, "value", {"text": text})

    def press(self, *keys):
        """One after another, by name or as characters; "Shift+Tab" holds the first."""
        actions = []
        for key in keys:
            held = [KEYS.get(part, part) for part in key.split("+")]
            actions += [{"type": "keyDown", "value": part} for part in held]
            actions += [{"type": "keyUp", "value": part} for part in reversed(held)]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard",
                                                       "actions": actions}]})

    def mouse(self, *actions):
        """WebDriver's pointer actions, one after another."""
        self.command("POST", "/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": list(actions)}]})

    def press_mouse_on(self, selector):
        """And does not let go."""
        self.mouse({"type": "pointerMove", "x": 0, "y": 0,
                    "origin": {ELEMENT: self.element(selector)}},
                   {"type": "pointerDown", "button": 0})

    def release_mouse(self):
        self.mouse({"type": "pointerUp", "button": 0})

    def focused(self):
        """A short name of what has the focus."""
        return self.run("const one = document.activeElement; return one.id || "
                        "one.dataset.keep || one.innerText || one.tagName")

    def picture(self, path):
        """The whole page as PNG."""
        shown = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shown["data"]))

    def complaints(self):
        """What was written to the console since the last time: errors and warnings."""
        entries = self.command("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]
