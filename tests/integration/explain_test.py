"""What the responder decided, and would decide: `policy explain`, decisions, receipts."""

import base64
import json
import subprocess
import unittest

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.ocsp import cert_id, read_response, request
from harness.origin import Answer, Origin, path_of
from harness.pki import COMMAND_TIMEOUT
from harness.process import Revcache

CRL_TYPE = "Content-Type: application/pkix-crl"
JSON = "Content-Type: application/json"
TOKEN = "5ecret-of-this-test"


class Explain(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        cls.pki.crl("root", "root", number=7)
        cls.pki.crl("root+", "root", number=9, base=8)
        cls.pki.certificate("user", "issuing", "user")
        cls.pki.write("token", TOKEN + "\n")
        cls.serial = cls.pki.serials["issuing"].lower()

    def setUp(self):
        origin = Origin()
        self.addCleanup(origin.stop)
        origin.fallback = self.respond
        self.url = origin.url("/root.crl")
        # The CA itself signs what is answered.
        self.revcache = Revcache(main.binary(), [origin.authority], {
            "refresh": {"interval": "1h"}, "admin": {"token_file": self.pki.path("token")},
            "signer": [{"name": "own", "certificate": self.pki.path("root.pem"),
                        "key": self.pki.path("root.key")}],
            "authority": [{"name": "root", "certificate": self.pki.path("root.pem"),
                           "crls": [self.url], "signer": "own", "validity": "30m"}]})
        self.addCleanup(self.revcache.remove)
        self.revcache.start()
        self.addCleanup(lambda: self.revcache.stop())
        self.revcache.wait_until_ready()

    def respond(self, asked):
        name = path_of(asked.target)[1:]
        if name not in ("root.crl", "root+.crl"):
            return Answer(status=404)
        return Answer(fields=("Cache-Control: max-age=1000", CRL_TYPE), body=self.pki.read(name))

    def get(self, path):
        return fetch(self.revcache.admin, path, host="%s:%d" % self.revcache.admin)

    def post(self, body, *lines):
        return fetch(self.revcache.admin, "/api/v1/explain", JSON, *lines, method="POST",
                     body=json.dumps(body).encode(), host="%s:%d" % self.revcache.admin)

    def decisions(self, query=""):
        return json.loads(self.get("/api/v1/decisions" + query).body)["entries"]

    def command(self, *arguments, code=0, token=False):
        options = ["--admin", "http://%s:%d" % self.revcache.admin]
        if token:
            options += ["--token-file", self.pki.path("token")]
        done = subprocess.run([main.binary(), *arguments, *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def explain(self, name, *arguments, code=0):
        return json.loads(self.command("policy", "explain", self.pki.path(name), "--json",
                                       *arguments, code=code))

    def ask(self):
        """What the responder says of the issuing CA."""
        question = request(cert_id(self.pki.read("root.cer"), int(self.serial, 16)))
        answer = fetch(self.revcache.proxy, "/ocsp", "Connection: close",
                       "Content-Type: application/ocsp-request", method="POST", body=question,
                       host="%s:%d" % self.revcache.proxy)
        return read_response(answer.body).answers[0].status

    def revoke(self, *arguments):
        return self.command("revoke", self.serial, "--ca", "root", *arguments, token=True)

    def test_what_is_explained_is_what_is_answered(self):
        for name in ("issuing.pem", "issuing.cer"):
            said = self.explain(name)
            self.assertEqual((said["outcome"], said["rule"], said["authority"], said["serial"],
                              said["signer"], said["issuer_by"]),
                             ("good", "crl_absent", "root", self.serial, "own", "signature"))
            self.assertEqual((said["evidence"]["kind"], said["evidence"]["number"],
                              said["evidence"]["url"]), ("crl", "07", self.url))
            self.assertEqual(said["this_update"], said["evidence"]["this_update"])
            self.assertIn("Root CA", said["issuer"])
        self.assertEqual(self.decisions(), [], "to explain is not to decide")
        self.assertEqual(self.ask(), "good")
        self.revcache.logged("ocsp answer")
        (decided,) = self.decisions()
        for member in ("outcome", "rule", "authority", "serial", "signer", "evidence",
                       "this_update", "revoked_at", "reason"):
            self.assertEqual(decided[member], said[member], member)
        text = self.command("policy", "explain", self.pki.path("issuing.pem"), "--authority",
                            "root")
        for part in ("is good", "crl_absent", "number 07", self.url, "nextUpdate"):
            self.assertIn(part, text)

    def test_a_revocation_is_on_every_loop_when_it_is_confirmed(self):
        for _ in range(5):
            self.assertEqual(self.ask(), "good")
            receipt = json.loads(self.revoke("--json"))
            self.assertEqual(receipt["loops_behind"], 0)
            self.assertEqual({self.ask() for _ in range(20)}, {"revoked"})
            self.assertRegex(receipt["answers_valid_until"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertLess(receipt["answers_valid_until"], receipt["crls_valid_until"])
            self.command("unrevoke", self.serial, "--ca", "root", token=True)

    def test_a_revocation_by_hand_is_explained_and_on_record(self):
        self.assertIn("Answers of revcache that clients may have end by",
                      self.revoke("--reason", "cessationOfOperation"))
        said = self.explain("issuing.pem", code=1)
        self.assertEqual((said["outcome"], said["rule"], said["reason"], said["evidence"]),
                         ("revoked", "manual", "cessationOfOperation", None))
        self.assertEqual(self.ask(), "revoked")
        self.revcache.logged("ocsp answer")
        self.assertEqual([one["rule"] for one in self.decisions("?entries=1")], ["manual"])
        self.revcache.stop()
        self.revcache.start()
        self.assertEqual([one["rule"] for one in self.decisions()], ["manual"])

    def test_a_delta_crl_without_its_base_is_named(self):
        self.assertEqual(self.explain("issuing.pem")["unused_evidence"], [])
        delta = self.url.replace("root.crl", "root+.crl")
        got = fetch(self.revcache.proxy, delta)
        self.assertEqual((got.status, got.body), (200, self.pki.read("root+.crl")))
        said = self.explain("issuing.pem")
        self.assertEqual((said["outcome"], said["rule"]), ("good", "crl_absent"))
        (unused,) = said["unused_evidence"]
        self.assertEqual((unused["kind"], unused["number"], unused["reason"]),
                         ("delta_crl", "09", "base_mismatch"))
        self.assertIn("not used", self.command("policy", "explain", self.pki.path("issuing.pem")))
        self.assertIn(b'revcache_evidence_refused_total{kind="delta_crl",reason="base_mismatch"} 1',
                      self.get("/metrics").body)
        self.assertIn("starts from 08", self.revcache.logged("delta CRL not used"))
        chain = base64.b64encode(self.pki.read("issuing.pem") + self.pki.read("root.pem"))
        checked = fetch(self.revcache.admin, "/api/v1/check", JSON, method="POST",
                        body=json.dumps({"chain": chain.decode()}).encode(),
                        host="%s:%d" % self.revcache.admin)
        self.assertIn("base_mismatch", checked.body.decode())

    def test_what_nobody_answers_for_says_why(self):
        said = self.explain("user.pem", code=2)
        self.assertEqual((said["outcome"], said["rule"], said["authority"], said["issuer"]),
                         ("unauthorized", "unknown_issuer", None, None))
        self.assertIn("issued it", said["why"])
        self.assertIn("nobody", self.command("policy", "explain", self.pki.path("issuing.pem"),
                                             "--authority", "nobody", code=4))
        self.command("policy", "explain", self.pki.path("root.key"), code=4)

    def test_explaining_needs_no_token_but_the_right_page(self):
        body = {"certificate": base64.b64encode(self.pki.read("issuing.cer")).decode()}
        self.assertEqual(self.post(body).status, 200)
        self.assertEqual(self.post(body, "Origin: http://evil.example").status, 403)
        self.assertEqual(self.get("/api/v1/explain").status, 405)
        self.assertEqual(self.post({"certificate": "x"}).status, 400)
        self.assertEqual(self.post({"certificate": "MAA="}).status, 400)
        self.assertEqual(json.loads(self.get("/api/v1/audit").body)["entries"], [])


if __name__ == "__main__":
    main.run()
