"""The admin API and the commands that speak to it: who may change what, and what outlives what."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import unittest

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.pki import COMMAND_TIMEOUT
from harness.process import Revcache, free_port, own_address
from harness.waiting import turns

ASK_ANEW = "Cache-Control: no-cache"
CRL_TYPE = "Content-Type: application/pkix-crl"
TOKEN = "5ecret-of-this-test"
BEARER = "Authorization: Bearer " + TOKEN
JSON = "Content-Type: application/json"


class Admin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        cls.crls = {}
        for name, issuer, number in (("root5", "root", 5), ("root6", "root", 6),
                                     ("issuing1", "issuing", 1)):
            cls.pki.crl(name, issuer, number=number)
            cls.crls[name] = cls.pki.read(name + ".crl")
        cls.pki.write("token", TOKEN + "\n")

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = self.respond
        self.bodies = {"/root.crl": self.crls["root6"]}
        self.known = self.origin.url("/root.crl")

    def respond(self, request):
        body = self.bodies.get(path_of(request.target))
        if body is None:
            return Answer(status=404, fields=("Cache-Control: no-store",))
        return Answer(fields=("Cache-Control: max-age=1000", CRL_TYPE), body=body)

    def start(self, token=True, declared=()):
        settings = {"refresh": {"interval": "1h"},
                    "authority": [{"name": "root", "certificate": self.pki.path("root.pem"),
                                   "crls": [self.known]}]}
        if token:
            settings["admin"] = {"token_file": self.pki.path("token")}
        if declared:
            settings["authority.revoke"] = list(declared)
        self.revcache = Revcache(main.binary(), [self.origin.authority], settings)
        self.addCleanup(self.revcache.remove)
        self.revcache.start()
        self.addCleanup(lambda: self.revcache.stop())
        self.wait_until_ready()
        return self.revcache

    def wait_until_ready(self):
        self.revcache.wait_until_ready()
        # The fetch that made it ready may not have ended; this joins it, or comes after.
        self.revcache.fetch(self.known)

    def get(self, path, *lines):
        return fetch(self.revcache.admin, path, *lines, host="%s:%d" % self.revcache.admin)

    def read(self, path):
        answer = self.get(path)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def post(self, path, body, *lines, host=None):
        return fetch(self.revcache.admin, path, JSON, *lines, method="POST",
                     body=json.dumps(body).encode(), host=host or "%s:%d" % self.revcache.admin)

    def change(self, path, body):
        answer = self.post(path, body, BEARER)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def expect_error(self, answer, status, *words):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.fields.get("content-type"), "application/json")
        for word in words:
            self.assertIn(word, json.loads(answer.body)["error"])

    def serials(self):
        return [one["serial"] for one in self.read("/api/v1/revoked")["revoked"]]

    def ask(self, path="/root.crl"):
        return self.revcache.fetch(self.origin.url(path), ASK_ANEW)

    def command(self, *arguments, code=0, token=True, admin=None):
        """Standard output and standard error of a command that speaks to the instance."""
        options = ["--admin", "http://%s:%d" % (admin or self.revcache.admin)]
        if token:
            options += ["--token-file", self.pki.path("token")]
        done = subprocess.run([main.binary(), *arguments, *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_every_change_needs_the_token_also_on_loopback(self):
        self.start()
        for path in ("floor/reset", "revoke", "unrevoke", "refresh"):
            body = {"authority": "root"}
            for lines in ((), ("Authorization: Bearer wrong",), ("Authorization: Basic eDp4",)):
                answer = self.post("/api/v1/" + path, body, *lines)
                self.expect_error(answer, 401, "admin.token_file")
        self.assertEqual(self.serials(), [])
        self.assertEqual(self.read("/api/v1/audit"), {"entries": []})

    def test_without_a_configured_token_nothing_can_be_changed(self):
        self.start(token=False)
        for lines in ((), (BEARER,)):
            answer = self.post("/api/v1/revoke", {"authority": "root", "serial": "01"}, *lines)
            self.expect_error(answer, 403, "admin.token_file")
        self.assertEqual(self.serials(), [])
        self.assertIn("admin.token_file", self.command("revoke", "01", "--ca", "root", code=1))

    def test_pages_of_other_origins_and_other_names_get_nothing(self):
        self.start()
        own = "%s:%d" % self.revcache.admin
        body = {"authority": "root", "serial": "01"}
        for origin in ("http://evil.example", "http://10.0.0.1:%d" % self.revcache.admin[1],
                       "http://" + self.revcache.admin[0], "null"):
            answer = self.post("/api/v1/revoke", body, BEARER, "Origin: " + origin)
            self.expect_error(answer, 403, "Origin")
        answer = self.post("/api/v1/revoke", body, BEARER, host="evil.example:9853")
        self.expect_error(answer, 421, "listen.names")
        self.assertEqual(self.serials(), [])
        answer = self.post("/api/v1/revoke", body, BEARER, "Origin: http://" + own)
        self.assertEqual(answer.status, 200)

    def test_status_says_in_a_terminal_and_by_its_exit_status_whether_nps_can_authenticate(self):
        self.start()
        shown = self.command("status", token=False)
        self.assertTrue(shown.startswith("NPS can authenticate: yes\n"), shown)
        self.assertRegex(shown, r"\n  root +yes  crl, .* left of ")
        self.assertIn(self.known, shown)
        for_programs = json.loads(self.command("status", "--json", token=False))
        self.assertEqual(for_programs["verdict"], self.read("/api/v1/status")["verdict"])
        away = free_port("127.0.0.1")
        self.assertIn(str(away), self.command("status", code=2, token=False,
                                              admin=("127.0.0.1", away)))

    def test_what_is_long_is_compressed_for_whoever_accepts_that(self):
        self.start()
        for path, start in (("/metrics", b"# HELP "), ("/api/v1/config", b"{"), ("/", b"<!doctype html>")):
            plain = self.get(path)
            self.assertNotIn("content-encoding", plain.fields)
            self.assertEqual(plain.body[:len(start)].lower(), start.lower())
            packed = self.get(path, "Accept-Encoding: gzip")
            self.assertEqual(packed.fields.get("content-encoding"), "gzip", path)
            self.assertEqual(gzip.decompress(packed.body)[:len(start)].lower(), start.lower())
            self.assertIn("accept-encoding", packed.fields.get("vary", "").lower())

    def test_the_api_is_not_reached_through_the_proxy_port(self):
        self.start()
        url = "http://%s:%d/api/v1/revoke" % self.revcache.admin
        answer = self.revcache.fetch(url, JSON, BEARER, method="POST",
                                     body=b'{"authority":"root","serial":"01"}')
        self.assertEqual(answer.status, 403)
        self.assertEqual(self.serials(), [])

    def test_a_floor_reset_lets_an_older_crl_in_again_and_is_on_record(self):
        self.start()
        self.bodies["/root.crl"] = self.crls["root5"]
        # The first question may still be answered by the fetch that made the instance ready.
        for _ in turns():
            self.assertEqual(self.ask().body, self.crls["root6"])
            if "rolled_back" in self.revcache.log():
                break
        self.revcache.logged("rolled_back")
        answer = self.change("/api/v1/floor/reset", {"authority": "root"})
        self.assertEqual(answer, {"authority": "root", "floors_removed": 1})
        self.assertEqual(self.ask().body, self.crls["root5"])
        entries = self.read("/api/v1/audit?entries=1")["entries"]
        self.assertEqual([(one["change"], one["authority"]) for one in entries],
                         [("floor_reset", "root")])
        self.assertIn("127.", entries[0]["by"])
        alarms = [json.loads(line) for line in self.revcache.logged("floors reset").splitlines()
                  if "floors reset" in line]
        self.assertEqual([(one["level"], one["authority"]) for one in alarms],
                         [("error", "root")])

    def test_a_floor_reset_of_nobody_is_refused_and_not_on_record(self):
        self.start()
        answer = self.post("/api/v1/floor/reset", {"authority": "nobody"}, BEARER)
        self.expect_error(answer, 404, "nobody")
        self.expect_error(self.post("/api/v1/floor/reset", {}, BEARER), 400, "authority")
        self.assertEqual(self.read("/api/v1/audit"), {"entries": []})

    def test_a_revocation_outlives_kill_9_and_the_cache(self):
        self.start()
        answer = self.change("/api/v1/revoke", {"authority": "root", "serial": "00:0A:1B",
                                                "reason": "keyCompromise", "note": "lost"})
        self.revcache.kill()
        self.assertEqual((answer["serial"], answer["reason"]), ("0a1b", "keyCompromise"))
        self.assertIn("nextUpdate", answer["clients"])
        self.assertIn("cache resync", answer["clients"])
        self.assertRegex(answer["crls_valid_until"], r"^\d{4}-\d\d-\d\dT")
        shutil.rmtree(os.path.join(self.revcache.directory, "cache"))
        self.revcache.start()
        listed = self.read("/api/v1/revoked")["revoked"]
        self.assertEqual([(one["authority"], one["serial"], one["reason"], one["note"],
                           one["revoked_at"], one["declared"]) for one in listed],
                         [("root", "0a1b", "keyCompromise", "lost", answer["revoked_at"], False)])
        self.assertEqual([one["change"] for one in self.read("/api/v1/audit")["entries"]],
                         ["revoke"])
        self.change("/api/v1/unrevoke", {"authority": "root", "serial": "0a1b"})
        self.revcache.kill()
        self.revcache.start()
        self.assertEqual(self.serials(), [])
        self.assertEqual([one["change"] for one in self.read("/api/v1/audit")["entries"]],
                         ["unrevoke", "revoke"])

    def test_a_declared_revocation_is_lifted_in_its_file_only(self):
        self.start(declared=({"serial": "0A:1B", "reason": "cACompromise"},))
        listed = self.read("/api/v1/revoked")["revoked"]
        self.assertEqual([(one["serial"], one["reason"], one["declared"]) for one in listed],
                         [("0a1b", "cACompromise", True)])
        answer = self.post("/api/v1/unrevoke", {"authority": "root", "serial": "0a1b"}, BEARER)
        self.expect_error(answer, 409, self.revcache.config, "authority.revoke")
        # Revoked by hand too, it goes on being declared; a revocation elsewhere forgets nothing.
        self.change("/api/v1/revoke", {"authority": "root", "serial": "02"})
        self.assertEqual(self.serials(), ["02", "0a1b"])
        del self.revcache.settings["authority.revoke"]
        self.revcache.write_config()
        self.revcache.signal(signal.SIGHUP)
        self.revcache.wait_notification("READY=1")
        self.assertEqual(self.serials(), ["02"])

    def test_a_ca_that_is_revoked_by_hand_vouches_for_nothing_until_that_is_lifted(self):
        self.start()
        self.bodies["/issuing.cer"] = self.pki.read("issuing.cer")
        self.bodies["/issuing.crl"] = self.crls["issuing1"]
        self.assertEqual(self.ask("/issuing.cer").status, 200)
        self.assertEqual(self.ask("/issuing.crl").status, 200)
        body = {"authority": "root", "serial": self.pki.serials["issuing"]}
        self.revcache.logged("issuer learned")
        self.change("/api/v1/revoke", body)
        self.assertEqual(self.revcache.logged("issuer revoked").count("issuer learned"), 1)
        self.change("/api/v1/unrevoke", body)
        self.revcache.logged("issuer learned", 2)

    def test_a_refresh_waits_and_tells_what_came_of_it(self):
        self.start()
        seen = len(self.origin.seen("/root.crl"))
        refreshed = self.change("/api/v1/refresh", {"url": self.known})["refreshed"]
        self.assertEqual([(one["url"], one["outcome"]) for one in refreshed],
                         [(self.known, "unchanged")])
        self.assertEqual(len(self.origin.seen("/root.crl")), seen + 1)
        for body in ({"authority": "root"}, {}):
            refreshed = self.change("/api/v1/refresh", body)["refreshed"]
            self.assertEqual([one["url"] for one in refreshed], [self.known])
        self.bodies["/root.crl"] = self.crls["root5"]
        (one,) = self.change("/api/v1/refresh", {"url": self.known})["refreshed"]
        self.assertEqual(one["outcome"], "refused")
        self.assertIn("rolled_back", one["detail"])
        self.assertRegex(one["next_update"], r"^\d{4}-")
        answer = self.post("/api/v1/refresh", {"url": "http://nobody.test/a.crl"}, BEARER)
        self.expect_error(answer, 404, "not known")
        answer = self.post("/api/v1/refresh", {"authority": "nobody"}, BEARER)
        self.expect_error(answer, 404, "nobody")

    def test_what_is_no_request_of_the_api_is_refused_in_json(self):
        self.start()
        address, host = self.revcache.admin, "%s:%d" % self.revcache.admin
        ask = lambda *lines, **options: fetch(address, "/api/v1/revoke", BEARER, *lines,
                                              method="POST", host=host, **options)
        self.expect_error(ask(JSON, body=b"nonsense"), 400, "JSON")
        self.expect_error(ask(JSON, body=b"{" + b" " * 20000 + b"}"), 413, "16 KiB")
        self.expect_error(ask("Content-Type: text/plain", body=b"{}"), 415, "application/json")
        self.expect_error(self.get("/api/v1/audit?entries=x"), 400, "entries")
        self.expect_error(self.get("/api/v1/revoke"), 405)
        self.expect_error(self.get("/api/v1/other"), 404)

    def test_the_commands_do_the_same(self):
        self.start()
        said = self.command("revoke", "0A:1B", "--ca", "root", "--reason", "superseded", "--note",
                            "old")
        self.assertIn("0a1b of root is revoked (superseded)", said)
        self.assertIn("cache resync", said)
        self.assertIn("0a1b", self.command("revoked", token=False))
        listed = json.loads(self.command("revoked", "--json", token=False))
        self.assertEqual(listed["revoked"][0]["note"], "old")
        self.command("unrevoke", "0a1b", "--ca", "root")
        self.assertIn("not revoked by hand", self.command("unrevoke", "0a1b", "--ca", "root",
                                                          code=1))
        self.assertIn("1 floors removed", self.command("floor", "reset", "root"))
        self.assertIn("unchanged  " + self.known, self.command("refresh", self.known))
        self.command("refresh", "root")
        self.command("refresh")
        self.bodies["/root.crl"] = b"<html></html>"
        self.command("refresh", "root", code=1)

    def test_the_commands_tell_refusals_silence_and_mistakes_apart(self):
        self.start()
        self.assertIn("--token-file", self.command("revoke", "01", "--ca", "root", token=False,
                                                   code=1))
        self.command("revoke", "01", "--ca", "nobody", code=1)
        self.command("refresh", "http://nobody.test/a.crl", code=1)
        address = own_address()
        nobody = (address, free_port(address))
        self.assertIn("cannot be reached", self.command("revoked", admin=nobody, code=2))
        for mistake in (("revoke", "xyz", "--ca", "root"), ("revoke", "01"), ("floor",),
                        ("revoke", "01", "--ca", "root", "--reason", "removeFromCRL"),
                        ("refresh", "ftp://x/y"), ("floor", "reset")):
            with self.subTest(mistake=mistake):
                self.command(*mistake, code=4)
        self.assertEqual(self.serials(), [])
        self.origin.stop()
        self.command("refresh", "root", code=2)


if __name__ == "__main__":
    main.run()
