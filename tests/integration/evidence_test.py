"""Verify, then store: what of real CRLs, OCSP answers and CA certificates is kept, served, refused
and remembered, over restarts and the loss of the cache."""

import json
import os
import shutil
import unittest

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.process import Revcache, total

ASK_ANEW = "Cache-Control: no-cache"
CRL_TYPE = "Content-Type: application/pkix-crl"
OCSP_TYPE = "Content-Type: application/ocsp-response"
AHEAD = ("-crl_lastupdate", "20900101000000Z", "-crl_nextupdate", "20900108000000Z")
PAST = ("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250108000000Z")
TRY_LATER = bytes.fromhex("30030a0103")


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        # Another CA under the same name: a renewed one has a new key.
        cls.pki.certificate("impostor", "impostor", "root", "/O=Contoso/CN=Contoso Cloud Root CA")
        cls.pki.certificate("user", "issuing", "user", "/CN=anna")
        cls.crls = {}
        for name, issuer, options in (
                ("root5", "root", {"number": 5}),
                ("root6", "root", {"number": 6, "revoked": ("issuing_cdp",)}),
                ("root7", "root", {"number": 7}),
                ("forged", "impostor", {"number": 9}),
                ("past", "root", {"number": 8, "dates": PAST}),
                ("ahead", "root", {"number": 8, "dates": AHEAD}),
                ("issuing1", "issuing", {"number": 1, "revoked": ("user",)})):
            cls.crls[name] = cls.read(cls.pki.crl(name, issuer, **options))

    @staticmethod
    def read(path):
        with open(path, "rb") as file:
            return file.read()

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = self.respond
        self.bodies = {"/root.crl": self.crls["root5"]}
        self.known = self.origin.url("/root.crl")
        self.revcache = Revcache(main.binary(), [self.origin.authority], {
            "refresh": {"interval": "1h"},
            "authority": [{"name": "root", "certificate": self.pki.path("root.pem"),
                           "crls": [self.known]}]})
        self.addCleanup(self.revcache.remove)

    def start(self):
        self.revcache.start()
        self.addCleanup(self.revcache.stop)
        return self.revcache

    def respond(self, request):
        body = self.bodies.get(path_of(request.target))
        if body is None:
            return Answer(status=404, fields=("Cache-Control: no-store",))
        kind = OCSP_TYPE if path_of(request.target).startswith("/ocsp") else CRL_TYPE
        return Answer(fields=("Cache-Control: max-age=1000", kind), body=body)

    def readiness(self):
        return self.revcache.readiness()

    def wait_until_ready(self):
        self.revcache.wait_until_ready()
        # Evidence is published before the fetch that brought it has ended: a question that asks anew
        # would join that one.
        self.ask()

    def ask(self, path="/root.crl", *lines):
        return self.revcache.fetch(self.origin.url(path), *lines)

    def refused(self, kind, reason):
        return total(self.revcache.metrics(), "revcache_evidence_refused_total", kind=kind,
                     reason=reason)

    def expect_refusal(self, name, body, reason):
        """Nothing of it reaches a client, and it is counted and logged by its reason."""
        path = "/" + name + ".crl"
        self.bodies[path] = body
        before = self.refused("crl", reason)
        answer = self.ask(path)
        self.assertEqual(answer.status, 502)
        self.assertNotIn(body, answer.body)
        self.assertEqual(self.refused("crl", reason), before + 1)
        self.revcache.logged(reason)

    def expect_the_good_copy_instead(self, body, reason):
        """The last good copy goes on being served, also to those who ask anew."""
        before = self.refused("crl", reason)
        good = self.bodies["/root.crl"]
        self.bodies["/root.crl"] = body
        for lines in ((ASK_ANEW,), ()):
            answer = self.ask("/root.crl", *lines)
            self.assertEqual((answer.status, answer.body), (200, good))
        self.assertGreater(self.refused("crl", reason), before)
        self.bodies["/root.crl"] = good

    def test_a_configured_crl_is_there_before_anyone_asks_and_outlives_its_origin(self):
        self.start()
        self.wait_until_ready()
        self.assertEqual(len(self.origin.seen("/root.crl")), 1)
        self.origin.stop()
        answer = self.ask()
        self.assertEqual((answer.status, answer.body), (200, self.crls["root5"]))
        self.assertEqual(total(self.revcache.metrics(), "revcache_evidence_verified_total",
                               kind="crl"), 1)

    def test_readiness_names_the_authority_whose_crl_is_missing(self):
        del self.bodies["/root.crl"]
        self.start()
        status, text = self.readiness()
        self.assertEqual(status, 503)
        self.assertIn("authority root: no usable CRL", text)

    def test_what_is_no_evidence_is_refused_by_its_reason(self):
        self.start()
        self.wait_until_ready()
        damaged = bytearray(self.crls["root6"])
        damaged[-1] ^= 1
        self.expect_refusal("damaged", bytes(damaged), "signature_wrong")
        self.expect_refusal("past", self.crls["past"], "expired")
        self.expect_refusal("ahead", self.crls["ahead"], "not_yet_valid")
        self.expect_refusal("cut", self.crls["root6"][:-1], "malformed")
        self.expect_refusal("page", b"<html>Sign in to the hotel network</html>", "malformed")

    def test_the_last_good_copy_goes_on_being_served(self):
        self.start()
        self.wait_until_ready()
        self.expect_the_good_copy_instead(self.crls["past"], "expired")
        self.expect_the_good_copy_instead(b"<html></html>", "malformed")
        self.expect_the_good_copy_instead(self.crls["forged"], "issuer_unknown")

    def test_an_unknown_issuer_is_cached_but_no_evidence(self):
        self.start()
        self.wait_until_ready()
        self.bodies["/stranger.crl"] = self.crls["issuing1"]
        self.assertEqual(self.ask("/stranger.crl").body, self.crls["issuing1"])
        self.assertEqual(self.ask("/stranger.crl").body, self.crls["issuing1"])
        self.assertEqual(len(self.origin.seen("/stranger.crl")), 1)
        self.assertEqual(total(self.revcache.metrics(), "revcache_evidence_unverified_total",
                               kind="crl"), 1)

    def test_a_url_that_owes_a_crl_of_a_known_ca_gives_no_strangers_crl(self):
        self.bodies["/root.crl"] = self.crls["forged"]
        self.start()
        answer = self.ask()
        self.assertEqual(answer.status, 502)
        self.assertGreater(self.refused("crl", "issuer_unknown"), 0)

    def test_an_older_crl_is_refused_also_after_a_restart_and_without_the_cache(self):
        self.bodies["/root.crl"] = self.crls["root6"]
        self.start()
        self.wait_until_ready()
        self.expect_the_good_copy_instead(self.crls["root5"], "rolled_back")
        self.revcache.stop()
        self.bodies["/root.crl"] = self.crls["root5"]
        self.revcache.start()
        self.assertEqual(self.ask("/root.crl", ASK_ANEW).body, self.crls["root6"])
        self.assertGreater(self.refused("crl", "rolled_back"), 0)
        self.revcache.stop()
        shutil.rmtree(os.path.join(self.revcache.directory, "cache"))
        self.revcache.start()
        self.assertEqual(self.ask("/root.crl", ASK_ANEW).status, 502)
        self.assertGreater(self.refused("crl", "rolled_back"), 0)
        self.assertEqual(self.readiness()[0], 503)

    def test_evidence_survives_a_restart_without_its_origin(self):
        self.start()
        self.wait_until_ready()
        self.revcache.stop()
        self.origin.stop()
        self.revcache.start()
        self.assertEqual(self.readiness()[0], 200)
        self.assertEqual(self.ask().body, self.crls["root5"])

    def test_a_revocation_that_disappears_is_an_alarm(self):
        self.bodies["/root.crl"] = self.crls["root6"]
        self.start()
        self.wait_until_ready()
        self.bodies["/root.crl"] = self.crls["root7"]
        self.assertEqual(self.ask("/root.crl", ASK_ANEW).body, self.crls["root7"])
        self.assertEqual(total(self.revcache.metrics(),
                               "revcache_crl_entries_disappeared_total"), 1)
        alarms = [json.loads(line) for line in self.revcache.logged("left the CRL").splitlines()
                  if "left the CRL" in line]
        self.assertEqual(len(alarms), 1)
        self.assertIn(self.pki.serials["issuing_cdp"].lower(), alarms[0]["serials"])

    def test_a_ca_that_chains_to_an_authority_becomes_an_issuer(self):
        self.start()
        self.wait_until_ready()
        self.bodies["/issuing.cer"] = self.pki.read("issuing.cer")
        self.bodies["/issuing.crl"] = self.crls["issuing1"]
        self.assertEqual(self.ask("/issuing.cer").status, 200)
        self.assertEqual(self.ask("/issuing.crl").status, 200)
        samples = self.revcache.metrics()
        self.assertEqual(total(samples, "revcache_evidence_verified_total", kind="crl"), 2)
        self.assertEqual(total(samples, "revcache_evidence_verified_total", kind="aia"), 1)
        # It is remembered, and so is the URL: the CRL is verified again after a restart.
        self.revcache.stop()
        self.origin.stop()
        self.revcache.start()
        self.assertEqual(total(self.revcache.metrics(), "revcache_evidence_verified_total",
                               kind="crl"), 2)

    def test_a_ca_certificate_of_somebody_else_makes_nobody_an_issuer(self):
        self.start()
        self.wait_until_ready()
        self.bodies["/impostor.cer"] = self.pki.read("impostor.cer")
        self.bodies["/impostor.crl"] = self.crls["forged"]
        self.assertEqual(self.ask("/impostor.cer").status, 200)
        self.assertEqual(self.ask("/impostor.crl").status, 200)
        samples = self.revcache.metrics()
        self.assertEqual(total(samples, "revcache_evidence_verified_total", kind="crl"), 1)
        self.assertEqual(total(samples, "revcache_evidence_unverified_total", kind="aia"), 1)

    def test_an_ocsp_answer_never_goes_back_to_good(self):
        self.start()
        self.wait_until_ready()
        good = self.read(self.pki.ocsp("good", "issuing", issuer="root"))
        request = self.read(self.pki.path("request.der"))
        revoked = self.read(self.pki.ocsp("revoked", "issuing", issuer="root", status="R"))
        ask = lambda: self.revcache.fetch(
            self.origin.url("/ocsp"), "Content-Type: application/ocsp-request", ASK_ANEW,
            method="POST", body=request)
        self.bodies["/ocsp"] = good
        self.assertEqual(ask().body, good)
        self.bodies["/ocsp"] = revoked
        self.assertEqual(ask().body, revoked)
        self.bodies["/ocsp"] = good
        self.assertEqual(ask().body, revoked)
        self.bodies["/ocsp"] = TRY_LATER
        self.assertEqual(ask().body, revoked)
        self.assertEqual(self.refused("ocsp", "not_successful"), 1)

    def test_an_error_of_the_responder_is_handed_on_where_there_is_nothing_better(self):
        self.start()
        self.wait_until_ready()
        self.pki.ocsp("good", "issuing", issuer="root")
        request = self.read(self.pki.path("request.der"))
        self.bodies["/ocsp"] = TRY_LATER
        for _ in range(2):
            answer = self.revcache.fetch(self.origin.url("/ocsp"),
                                         "Content-Type: application/ocsp-request",
                                         method="POST", body=request)
            self.assertEqual((answer.status, answer.body), (200, TRY_LATER))
        self.assertEqual(len(self.origin.seen("/ocsp")), 2)

    def test_a_damaged_state_is_not_ready_and_judges_nothing(self):
        self.start()
        self.wait_until_ready()
        self.revcache.stop()
        state = os.path.join(self.revcache.directory, "state")
        for name in os.listdir(state):
            if name.endswith(".log") or name.endswith(".sst") or name == "confirmed":
                path = os.path.join(state, name)
                octets = bytearray(self.read(path))
                for at in range(0, len(octets), 7):
                    octets[at] ^= 0x55
                with open(path, "wb") as file:
                    file.write(octets)
        self.revcache.start()
        status, text = self.readiness()
        self.assertEqual(status, 503)
        self.assertIn("state: ", text)
        self.assertEqual(self.ask().status, 200)


if __name__ == "__main__":
    main.run()
