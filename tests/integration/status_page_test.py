"""The status page in a real browser: what it says, what one can do with it, and for whom.

Pictures of it are left in the folder status_page beside the binary."""

import base64
import os
import pathlib
import unittest

from harness import main
from harness.browser import DESK, PHONE, Browser
from harness.client import fetch
from harness.responder import TOKEN, World

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
AXE = pathlib.Path(os.environ.get(
    "REVCACHE_AXE", TOP / "build/axe/node_modules/axe-core/axe.min.js"))
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ANSWER = "document.querySelector('#answer').innerText"
PAGE_LOADED = ANSWER + ".match(/: (yes|no|at risk|not known)/)"

RUN_AXE = """
const done = arguments[arguments.length - 1];
const place = (node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "");
axe.run(document, {runOnly: arguments[0], resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map(
    (one) => one.id + ": " + one.help + " at " + one.nodes.map(place).join(", "))),
  (error) => done(["axe failed: " + error]));
"""

DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), (one) => one.charCodeAt(0));
const carried = new DataTransfer();
carried.items.add(new File([bytes], arguments[1]));
for (const kind of ["dragenter", "dragover", "drop"]) {
  document.body.dispatchEvent(new DragEvent(kind,
    {bubbles: true, cancelable: true, dataTransfer: carried}));
}
"""

WIDER_THAN_THE_WINDOW = """
return [...document.querySelectorAll("body *")].filter((one) => {
  const box = one.getBoundingClientRect();
  // The heads of tables that have become lists are for readers of the screen only.
  return box.right > innerWidth + 1 && !one.closest("thead");
}).map((one) => one.outerHTML.slice(0, 200));
"""

HIDE = """
Object.defineProperty(document, "hidden", {configurable: true, value: arguments[0]});
document.dispatchEvent(new Event("visibilitychange"));
"""

# Of the page's first question of each turn, when it is asked: an answer may come later.
COUNT_CALLS = """
const fetch = window.fetch;
window.calls = 0;
window.fetch = (url, ...more) => {
  if (String(url).endsWith("/api/v1/status")) window.calls += 1;
  return fetch(url, ...more);
};
"""

# What has the focus, and whether one sees so.
FOCUS = """
const one = document.activeElement;
const style = getComputedStyle(one);
return [one.id || one.dataset.keep || one.innerText.slice(0, 60) || one.tagName,
  style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
"""


def has(selector, text):
    return "document.querySelector(%r).innerText.includes(%r)" % (selector, text)


class StatusPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.remove)
        cls.crl = cls.world.bodies["/root.crl"]
        cls.serial = cls.world.pki.serials["issuing"].lower()
        cls.pictures = pathlib.Path(main.binary()).resolve().parent / "status_page"
        cls.pictures.mkdir(exist_ok=True)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.world.bodies["/root.crl"] = self.crl
        self.token_given = False
        # Parts of what the console may complain of: a change is tried without the token first.
        self.expected = ["401 (Unauthorized)"]

    def start(self, everywhere=False):
        self.revcache = self.world.configure([self.world.authority(validity="30m")])
        if everywhere:
            self.revcache.settings["listen"]["admin"] = "0.0.0.0:%d" % self.revcache.admin[1]
        self.addCleanup(self.revcache.remove)
        self.revcache.start()
        self.addCleanup(self.revcache.stop)
        self.addCleanup(self.look_at_console)  # before the server is away

    def upstream_fails(self, fails=True):
        self.world.bodies["/root.crl"] = None if fails else self.crl

    def get(self, path, *lines, **options):
        return fetch(self.revcache.admin, path, *lines, host="%s:%d" % self.revcache.admin,
                     **options)

    def ask(self):
        """What the responder says of the issuing CA."""
        return self.world.status("issuing")

    def show(self, size=DESK, scheme="light"):
        self.browser.look(size, scheme)
        self.browser.open("http://%s:%d/" % self.revcache.admin)
        self.browser.wait(PAGE_LOADED)

    def show_yes(self):
        self.start()
        self.show()
        self.browser.wait(ANSWER + " === 'NPS can authenticate: yes'")

    def look_again(self):
        """As when its tab comes to the front: it does not wait for its next turn."""
        self.hide(False)

    def hide(self, hidden=True):
        """As when its tab goes to the back, where it rests, or comes to the front."""
        self.browser.run(HIDE, hidden)

    def look_at_console(self):
        complaints = [one for one in self.browser.complaints()
                      if not any(part in one for part in self.expected)]
        self.browser.open("about:blank")
        self.assertEqual(complaints, [])

    def give_token(self, token=TOKEN):
        self.browser.wait("document.querySelector('#token-dialog').open")
        self.browser.type("#token-input", token)
        self.browser.press("Enter")

    def refresh(self, outcome):
        button = "[data-keep='refresh root']"
        self.browser.wait("document.querySelector(\"%s\").ariaDisabled !== 'true'" % button)
        self.browser.run("document.querySelector(\"%s\").closest('.card')"
                         ".querySelector('.said').textContent = ''" % button)
        self.browser.click(button)
        if not self.token_given:
            self.token_given = True
            self.give_token()
        self.browser.wait("document.querySelector('#authorities-list .said').innerText"
                          ".startsWith(%r)" % outcome)

    def axe(self, what):
        if not AXE.is_file():
            self.fail("axe-core is not there (%s): ./dev test fetches it from the npm registry, "
                      "for which this machine must be on line once" % AXE)
        self.browser.run(AXE.read_text(encoding="utf-8") + "; return 1")
        self.hide()  # or it would be drawn anew under axe's hands
        found = self.browser.run_waiting(RUN_AXE, AXE_TAGS)
        self.hide(False)
        self.assertEqual(found, [], what)

    def test_the_first_line_follows_what_happens(self):
        self.upstream_fails()
        self.start()
        self.show()
        self.browser.wait(ANSWER + " === 'NPS can authenticate: no, because'")
        self.browser.wait(has("#reasons", "root has no usable CRL"))
        self.browser.wait(has("#reasons", "docs/operations.md"))
        self.assertEqual(self.browser.run("return document.querySelector('#verdict')"
                                          ".dataset.status"), "no")
        self.browser.picture(self.pictures / "no.png")
        self.upstream_fails(False)
        self.refresh("changed")
        self.browser.wait(ANSWER + " === 'NPS can authenticate: yes'")
        self.assertTrue(self.browser.run("return document.title").startswith("NPS: yes"))
        card = self.browser.text("#authorities-list .card")
        for part in ("root", "yes", "Contoso Cloud Root CA", "Evidence ends", "in 6 d 23 h",
                     "1 CRL", "usable independent", "required, answered for"):
            self.assertIn(part, card)
        self.browser.wait(has("#sources-list", self.world.origin.url("/root.crl")))
        self.upstream_fails()
        for _ in range(3):
            self.refresh("failed")
        self.browser.wait(ANSWER + " === 'NPS can authenticate: at risk, because'")
        self.browser.wait(has("#authorities-list", "3 failures in a row"))
        self.browser.look(DESK, "dark")
        self.browser.picture(self.pictures / "at_risk_dark.png")

    def test_it_says_that_the_server_is_away_and_how_old_it_is(self):
        self.expected += ["ERR_CONNECTION_REFUSED", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET"]
        self.show_yes()
        self.revcache.stop()
        self.browser.wait(ANSWER + " === 'NPS can authenticate: not known'")
        self.browser.wait(has("#link", "cannot be reached"))
        self.browser.wait("/Last known, [0-9]+ s ago: yes.*is [0-9]+ s old/"
                          ".test(document.querySelector('#link').innerText)")
        self.axe("the server is away")
        self.browser.picture(self.pictures / "away.png")
        self.revcache.start()
        self.browser.wait(ANSWER + " === 'NPS can authenticate: yes'")
        self.assertTrue(self.browser.run("return document.querySelector('#link').hidden"))

    def test_it_rests_while_nobody_looks(self):
        self.show_yes()
        self.browser.run(COUNT_CALLS)
        self.hide()
        before = self.browser.run("return window.calls")
        # The next call would come after five seconds.
        self.assertEqual(self.browser.run_waiting(
            "const done = arguments[0]; setTimeout(() => done(window.calls), 5500)"), before)
        self.hide(False)
        self.browser.wait("window.calls > %d" % before)

    def test_decisions_appear_and_lead_to_revoking_and_lifting(self):
        self.show_yes()
        self.browser.wait(has("#decisions-list", "Nothing has been answered yet"))
        self.assertEqual(self.ask(), "good")
        self.browser.wait(has("#decisions-list", "crl_absent"))
        self.assertIn(self.serial, self.browser.text("#decisions-list"))
        self.browser.click("#decisions-list button")
        self.assertEqual(self.browser.focused(), "revoke-reason")
        self.browser.type("#revoke-reason", "keyCompromise")
        self.browser.type("#revoke-note", "<b>lost</b> & found")
        self.browser.click("#revoke-form button")
        self.assertEqual(self.browser.focused(), "confirm-cancel")
        for part in (self.serial, "root", "keyCompromise", "<b>lost</b> & found"):
            self.assertIn(part, self.browser.text("#confirm-dialog"))
        self.axe("the question before a revocation")
        self.browser.press("Escape")
        self.assertEqual(self.ask(), "good")
        self.browser.click("#revoke-form button")
        self.browser.click("#confirm-yes")
        self.give_token("wrong")
        self.browser.wait(has("#token-why", "That is not the token"))
        self.give_token()
        self.browser.wait(has("#revoke-said", "Revoked: serial " + self.serial))
        self.assertEqual(self.ask(), "revoked")
        for part in ("until in", "Reset-RevocationCache.ps1", "revcache windows-kit"):
            self.assertIn(part, " ".join(self.browser.text("#revoke-said").split()))
        self.browser.picture(self.pictures / "revoked.png")
        self.browser.wait(has("#revoked-list", "<b>lost</b> & found"))
        self.browser.wait(has("#authorities-list", "1 serial"))
        self.browser.wait(has("#decisions-list", "manual"))
        self.axe("after a revocation")
        self.browser.click("#revoked-list button")
        self.browser.click("#confirm-yes")
        self.browser.wait(has("#revoke-said", "Lifted: serial " + self.serial))
        self.browser.wait(has("#revoked-list", "Nothing."))
        self.assertEqual(self.ask(), "good")

    def test_a_click_is_not_lost_while_the_page_changes_by_itself(self):
        self.show_yes()
        self.ask()
        self.look_again()
        self.browser.wait(has("#decisions-list", "good"))
        self.browser.run(COUNT_CALLS)
        self.browser.press_mouse_on("#decisions-list button")
        self.world.post(self.world.question("issuing", "sha256"))
        # The second turn begins when the first is over.
        for turn in (1, 2):
            self.look_again()
            self.browser.wait("window.calls >= %d" % turn)
        self.browser.release_mouse()
        self.assertEqual(self.browser.focused(), "revoke-reason")
        self.browser.wait("document.querySelectorAll('#decisions-list button').length === 2")

    def test_a_question_that_is_asked_again_at_once_is_answered_by_its_own_answer(self):
        self.show_yes()
        self.browser.type("#revoke-serial", self.serial)
        # The dialog's event close comes after what happens here.
        self.browser.run("""
            const form = document.querySelector("#revoke-form");
            form.requestSubmit();
            document.querySelector("#confirm-cancel").click();
            form.requestSubmit();
        """)
        self.browser.click("#confirm-yes")
        self.give_token()
        self.browser.wait(has("#revoke-said", "Revoked: serial " + self.serial))

    def test_a_certificate_is_checked_wherever_it_comes_from(self):
        self.show_yes()
        chain = self.world.pki.read("issuing.pem") + self.world.pki.read("root.pem")
        self.browser.run(DROP, base64.b64encode(chain).decode(), "chain.pem")
        self.browser.wait(has("#check-result", "cdp-missing"))
        for part in ("NPS denies it", "258", "853", "What to do"):
            self.assertIn(part, self.browser.text("#check-result"))
        self.assertIn("chain.pem", self.browser.text("#check-said"))
        self.axe("what check says")
        self.browser.picture(self.pictures / "check.png")
        self.browser.type("#check-file", self.world.pki.path("issuing.cer"))
        self.browser.wait(has("#check-said", "issuing.cer:"))
        self.browser.type("#check-text", "not a certificate")
        self.expected.append("400 (Bad Request)")
        self.browser.click("#check-form button")
        self.browser.wait(has("#check-said", "was not checked"))

    def test_everything_can_be_done_by_keyboard(self):
        self.show_yes()
        self.browser.press("Tab")
        self.assertEqual(self.browser.run(FOCUS), ["Skip to the authorities", True])
        self.browser.press("Enter", "Tab")
        self.assertEqual(self.browser.run(FOCUS), ["refresh-all", True])
        reached = []
        while len(reached) < 60 and "forget-token" not in reached:
            name, seen = self.browser.run(FOCUS)
            self.assertTrue(seen, "one does not see that %s has the focus" % name)
            reached.append(name)
            if name == "Readiness":
                break
            self.browser.press("Tab")
        for name in ("refresh root", "check-text", "check-choose", "revoke-authority",
                     "revoke-serial", "revoke-reason", "revoke-note"):
            self.assertIn(name, reached)
        # Back to the serial; all the rest without a mouse.
        for _ in range(reached.index("Readiness") - reached.index("revoke-serial")):
            self.browser.press("Shift+Tab")
        self.browser.press(*self.serial, "Tab", *"keyC", "Tab", "Tab", "Enter")
        self.browser.wait("document.querySelector('#confirm-dialog').open")
        self.browser.press("Escape")
        self.assertEqual(self.browser.run(FOCUS), ["Revoke…", True])
        self.browser.press("Enter", "Tab", "Enter")
        self.browser.wait("document.querySelector('#token-dialog').open")
        self.browser.press(*TOKEN, "Enter")
        self.browser.wait(has("#revoke-said", "keyCompromise"))
        self.assertEqual(self.browser.focused(), "revoke-outcome")
        self.assertEqual(self.ask(), "revoked")

    def test_the_focus_stays_while_the_page_changes_by_itself(self):
        self.show_yes()
        self.browser.run("document.querySelector(\"[data-keep='refresh root']\").focus()")
        self.browser.run("window.before = document.activeElement")
        self.upstream_fails()
        self.get("/api/v1/refresh", "Authorization: Bearer " + TOKEN,
                 "Content-Type: application/json", method="POST", body=b"{}")
        self.look_again()
        self.browser.wait(has("#authorities-list", "1 failure in a row"))
        self.assertEqual(self.browser.focused(), "refresh root")
        self.assertTrue(self.browser.run("return window.before !== document.activeElement"))

    def test_it_can_be_read_by_everybody_everywhere(self):
        self.show_yes()
        self.ask()
        self.look_again()
        self.browser.wait(has("#decisions-list", "good"))
        for name, size, scheme in (("light", DESK, "light"), ("dark", DESK, "dark"),
                                   ("phone", PHONE, "light"), ("phone_dark", PHONE, "dark")):
            self.browser.look(size, scheme)
            self.browser.picture(self.pictures / (name + ".png"))
            self.assertEqual(self.browser.run(WIDER_THAN_THE_WINDOW), [], name)
            self.assertEqual(self.browser.run(
                "return document.documentElement.scrollWidth <= innerWidth"), True, name)
            dark = self.browser.run("return getComputedStyle(document.body).backgroundColor"
                                    ".match(/[0-9]+/)[0] < 128")
            self.assertEqual(dark, scheme == "dark")
            self.axe(name)

    def test_beyond_loopback_it_asks_for_the_token_before_it_shows_anything(self):
        self.start(everywhere=True)
        self.show()
        self.browser.wait("document.querySelector('#token-dialog').open")
        self.axe("the question for the token")
        self.browser.picture(self.pictures / "token.png")
        self.assertEqual(self.browser.text("#authorities-list"), "")
        self.give_token("wrong")
        self.browser.wait(has("#token-why", "That is not the token"))
        self.give_token()
        self.browser.wait(ANSWER + " === 'NPS can authenticate: yes'")
        self.assertEqual(self.browser.run("return localStorage.length + sessionStorage.length"), 0)
        self.browser.reload()
        self.browser.wait("document.querySelector('#token-dialog').open")

    def test_without_script_it_says_where_else_to_look(self):
        self.start()
        page = self.get("/")
        without = page.body.decode().split("<noscript>")[1].split("</noscript>")[0]
        for link in ('href="/api/v1"', 'href="/metrics"', "needs JavaScript"):
            self.assertIn(link, without)
        again = self.get("/", "If-None-Match: " + page.fields.get("ETag"))
        self.assertEqual((again.status, again.body), (304, b""))


if __name__ == "__main__":
    main.run()
