"""revcache purge: what goes, what stays, and what cannot come back: by a restart, by kill -9, or by a
fetch that was under way."""

import json
import os
import subprocess
import threading
import unittest

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.pki import COMMAND_TIMEOUT
from harness.process import Revcache, total
from harness.waiting import turns

TOKEN = "5ecret-of-this-test"
JSON = "Content-Type: application/json"
CRL_TYPE = "Content-Type: application/pkix-crl"
OCSP_TYPE = "Content-Type: application/ocsp-response"
OTHER = "/pages/other.txt"


class Purge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        cls.pki.certificate("user", "issuing", "user_ocsp")
        cls.pki.crl("root", "root", number=5)
        cls.pki.crl("issuing", "issuing", number=1)
        cls.pki.ocsp("user", "user")
        cls.pki.write("token", TOKEN + "\n")
        cls.bodies = {"/root.crl": cls.pki.read("root.crl"),
                      "/issuing.crl": cls.pki.read("issuing.crl"), OTHER: b"text"}
        cls.question = cls.pki.read("request.der")
        cls.answer = cls.pki.read("user.ocsp")

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = self.respond
        self.revcache = Revcache(main.binary(), [self.origin.authority], {
            "refresh": {"interval": "1h"}, "admin": {"token_file": self.pki.path("token")},
            "authority": [
                {"name": "root", "certificate": self.pki.path("root.pem"),
                 "crls": [self.origin.url("/root.crl")]},
                {"name": "issuing", "certificate": self.pki.path("issuing.pem"),
                 "crls": [self.origin.url("/issuing.crl")]}]})
        self.addCleanup(self.revcache.remove)
        self.revcache.start()
        self.addCleanup(lambda: self.revcache.stop())
        self.wait_until_known()

    def respond(self, request):
        if path_of(request.target).startswith("/ocsp"):
            return Answer(fields=("Cache-Control: max-age=10000", OCSP_TYPE), body=self.answer)
        body = self.bodies.get(path_of(request.target))
        if body is None:
            return Answer(status=404)
        kind = CRL_TYPE if request.target.endswith(".crl") else "Content-Type: text/plain"
        return Answer(fields=("Cache-Control: max-age=10000", kind), body=body)

    def admin(self, path, body=None, token=True):
        lines = [JSON] if body is not None else []
        if token:
            lines.append("Authorization: Bearer " + TOKEN)
        return fetch(self.revcache.admin, path, *lines, method="GET" if body is None else "POST",
                     body=b"" if body is None else json.dumps(body).encode(),
                     host="%s:%d" % self.revcache.admin)

    def purge(self, **body):
        answer = self.admin("/api/v1/purge", body)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def wait_until_known(self):
        self.revcache.wait_until_ready()
        for path in ("/root.crl", "/issuing.crl"):
            self.get(path)

    def get(self, path):
        return self.revcache.fetch(self.origin.url(path))

    def ask_ocsp(self):
        return self.revcache.fetch(self.origin.url("/ocsp"),
                                   "Content-Type: application/ocsp-request", method="POST",
                                   body=self.question)

    def is_hit(self, answer):
        self.assertEqual(answer.status, 200, answer.body)
        return "; hit" in answer.fields.get("cache-status")

    def fill(self):
        """Everything once more: from now on all of it is a hit."""
        for path in self.bodies:
            self.get(path)
            self.assertTrue(self.is_hit(self.get(path)), path)
        self.ask_ocsp()
        self.assertTrue(self.is_hit(self.ask_ocsp()))
        self.wait_until_on_disk(len(self.bodies) + 1)

    def wait_until_on_disk(self, entries):
        """Copies for the disk are gathered for a moment; what is in memory alone has another size."""
        for _ in turns():
            held = total(self.revcache.metrics(), "revcache_cache_entries", tier="disk")
            if held == entries:
                return
        self.fail("%d entries on disk instead of %d" % (held, entries))

    def hits(self):
        """Which of all is a hit; asking makes the others so."""
        found = {path for path in self.bodies if self.is_hit(self.get(path))}
        return found | ({"ocsp"} if self.is_hit(self.ask_ocsp()) else set())

    def command(self, *arguments, code=0, token=True):
        options = ["--admin", "http://%s:%d" % self.revcache.admin]
        if token:
            options += ["--token-file", self.pki.path("token")]
        done = subprocess.run([main.binary(), "purge", *arguments, *options],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=COMMAND_TIMEOUT, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def audited(self):
        return [one for one in json.loads(self.admin("/api/v1/audit").body)["entries"]
                if one["change"] == "purge"]

    def test_by_url_only_that_goes_and_the_miss_is_counted_as_purged(self):
        self.fill()
        said = self.command(self.origin.url(OTHER.replace("other", "none")))
        self.assertIn("removed", said)
        self.fill()
        said = self.command(self.origin.url("/root.crl"))
        self.assertIn("removed 1 entry", said)
        self.assertIn(self.origin.url("/root.crl"), said)
        before = total(self.revcache.metrics(), "revcache_misses_total", cause="purged")
        self.assertEqual(self.hits(), {"/issuing.crl", OTHER, "ocsp"})
        after = total(self.revcache.metrics(), "revcache_misses_total", cause="purged")
        self.assertEqual(after - before, 1)
        self.assertEqual([one["target"] for one in self.audited()],
                         [self.origin.url("/root.crl"), self.origin.url("/pages/none.txt")])
        self.revcache.logged('"purged"')

    def test_a_responder_url_takes_its_answers_with_it(self):
        self.fill()
        purged = self.purge(url=self.origin.url("/ocsp"))
        self.assertEqual(purged["entries"], 1)
        self.assertEqual(self.hits(), {"/root.crl", "/issuing.crl", OTHER})

    def test_by_authority_its_crls_and_the_answers_about_its_certificates_go(self):
        self.fill()
        purged = self.purge(authority="issuing")
        self.assertEqual(purged["entries"], 2)
        self.assertEqual(purged["urls"], sorted(["http://" + self.origin.authority,
                                                 self.origin.url("/issuing.crl")]))
        self.assertEqual(self.hits(), {"/root.crl", OTHER})
        self.assertIn("no [[authority]]", self.command("nobody", code=1))

    def test_a_dry_run_says_the_same_and_changes_nothing(self):
        self.fill()
        everything = {"/root.crl", "/issuing.crl", OTHER, "ocsp"}
        for target in ({"authority": "root"}, {"all": True}, {"url": self.origin.url("/root.crl")}):
            foretold = self.purge(dry_run=True, **target)
            self.assertEqual(self.hits(), everything)
            done = self.purge(**target)
            self.assertEqual(foretold.pop("dry_run"), True)
            self.assertEqual(done.pop("dry_run"), False)
            self.assertEqual(foretold, done)
            self.hits()
            self.fill()
        self.assertEqual(len(self.audited()), 3)
        self.assertIn("would remove", self.command("--all", "--dry-run"))
        self.assertEqual(len(self.audited()), 3)

    def test_all_goes_but_what_is_known_about_revocation_stays(self):
        revoked = self.admin("/api/v1/revoke", {"authority": "issuing", "serial": "4711"})
        self.assertEqual(revoked.status, 200, revoked.body)
        self.fill()
        self.assertIn("removed 4 entries", self.command("--all"))
        self.assertEqual(self.admin("/readyz").status, 200, "the CRLs are still in use")
        serials = [one["serial"] for one in
                   json.loads(self.admin("/api/v1/revoked").body)["revoked"]]
        self.assertEqual(serials, ["4711"])
        self.assertEqual(self.hits(), set())

    def test_what_was_purged_stays_away_over_a_restart_and_a_kill(self):
        for end in ("stop", "kill"):
            with self.subTest(end):
                self.fill()
                # As it is with a clean end: all of it is on disk.
                self.revcache.stop()
                self.revcache.start()
                self.wait_until_known()
                self.assertEqual(self.hits(), {"/root.crl", "/issuing.crl", OTHER, "ocsp"})
                self.assertGreaterEqual(self.purge(all=True)["entries"], 4)
                getattr(self.revcache, end)()
                asked = len(self.origin.seen(OTHER))
                self.revcache.start()
                self.assertFalse(self.is_hit(self.get(OTHER)), end)
                self.assertEqual(len(self.origin.seen(OTHER)), asked + 1)
                self.assertFalse(self.is_hit(self.ask_ocsp()), end)
                self.wait_until_known()

    def test_one_url_stays_away_over_a_kill_and_its_neighbours_do_not(self):
        self.fill()
        self.revcache.stop()
        self.revcache.start()
        self.purge(url=self.origin.url("/root.crl"))
        self.revcache.kill()
        asked = len(self.origin.seen("/root.crl"))
        self.revcache.start()
        self.assertTrue(self.is_hit(self.get(OTHER)))
        self.get("/root.crl")
        self.assertGreater(len(self.origin.seen("/root.crl")), asked)

    def test_a_fetch_that_was_under_way_is_not_stored(self):
        path = "/slow.txt"
        gate = threading.Event()
        self.addCleanup(gate.set)
        fields = ("Cache-Control: max-age=10000", "Content-Type: text/plain")
        self.origin.script(path, Answer(fields=fields, body=b"older", gate=gate),
                           Answer(fields=fields, body=b"newer"))
        got = []
        waiting = threading.Thread(target=lambda: got.append(self.get(path)))
        waiting.start()
        self.origin.wait_for(path, 1)
        self.purge(url=self.origin.url(path))
        newer = self.get(path)
        self.assertEqual(newer.body, b"newer", "who asks afterwards does not wait for the older")
        gate.set()
        waiting.join()
        self.assertEqual(got[0].body, b"older")
        again = self.get(path)
        self.assertEqual((again.body, self.is_hit(again)), (b"newer", True))
        self.revcache.stop()
        self.revcache.start()
        again = self.get(path)
        self.assertEqual((again.body, self.is_hit(again)), (b"newer", True))

    def test_it_needs_the_token_and_one_target(self):
        answer = self.admin("/api/v1/purge", {"all": True}, token=False)
        self.assertEqual(answer.status, 401)
        self.assertIn("--token-file", self.command("--all", code=1, token=False))
        for body in ({}, {"all": True, "authority": "root"}, {"url": "x"}):
            self.assertEqual(self.admin("/api/v1/purge", body).status, 400, body)
        self.command(code=4)
        self.command("root", "--all", code=4)
        self.assertEqual(self.audited(), [])
        self.assertTrue(os.path.isdir(self.revcache.directory))


if __name__ == "__main__":
    main.run()
