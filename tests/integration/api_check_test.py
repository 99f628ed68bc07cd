"""POST /api/v1/check: what the running server says of a chain, and what it fetches for that."""

import base64
import json
import queue
import threading
import unittest

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.process import Revcache, total

JSON = "Content-Type: application/json"
CRL_TYPE = "Content-Type: application/pkix-crl"


class ApiCheck(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.origin.fallback = cls.respond
        cls.denied = Origin()
        cls.addClassCleanup(cls.denied.stop)
        cls.pki = Hierarchy("http://" + cls.origin.authority)
        cls.addClassCleanup(cls.pki.remove)
        cls.foreign = Hierarchy("http://" + cls.denied.authority)
        cls.addClassCleanup(cls.foreign.remove)
        cls.pki.certificate("user", "issuing", "user")
        cls.pki.certificate("gone", "issuing", "user")
        cls.pki.crl("root", "root", number=5)
        cls.pki.crl("issuing", "issuing", revoked=["gone"], number=3)
        cls.foreign.certificate("user", "issuing", "user")
        cls.bodies = {"/root.crl": cls.pki.read("root.crl"),
                      "/issuing.crl": cls.pki.read("issuing.crl")}
        cls.gate = None
        # No CRL of the root is configured: nothing is known of the issuing CA's status.
        cls.revcache = Revcache(main.binary(), [cls.origin.authority], {
            "authority": [{"name": "root", "certificate": cls.pki.path("root.pem"),
                           "required": False}]})
        cls.addClassCleanup(cls.revcache.remove)
        cls.revcache.start()
        cls.addClassCleanup(cls.revcache.stop)

    @classmethod
    def respond(cls, request):
        body = cls.bodies.get(path_of(request.target))
        if body is None:
            return Answer(status=404, fields=("Cache-Control: no-store",))
        return Answer(fields=("Cache-Control: max-age=10000", CRL_TYPE), body=body, gate=cls.gate)

    def post(self, body, binary=None):
        raw = json.dumps(body).encode() if binary is None else binary
        return fetch(self.revcache.admin, "/api/v1/check", JSON, method="POST", body=raw,
                     host="%s:%d" % self.revcache.admin)

    def check(self, *parts, pki=None, **more):
        pki = pki or self.pki
        chain = b"".join(pki.read(part + ".pem") for part in parts)
        answer = self.post({"chain": base64.b64encode(chain).decode(), **more})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.fields.get("content-type"), "application/json")
        return json.loads(answer.body)

    def ids(self, certificate):
        return [one["id"] for one in certificate["findings"]]

    def test_a_ca_without_cdp_is_what_nps_stumbles_over(self):
        said = self.check("user", "issuing", "root")
        self.assertEqual(said["schema"], 1)
        self.assertEqual(said["nps"]["verdict"], "deny")
        self.assertEqual(said["nps"]["reason_code"], 258)
        self.assertEqual(said["nps"]["client_error"], 853)
        self.assertIn("cdp-missing", self.ids(said["chain"][1]))
        self.assertEqual(said["chain"][0]["status"], "good")
        self.assertEqual([one["role"] for one in said["chain"]], ["leaf", "intermediate", "root"])

    def test_a_chain_with_cdps_is_accepted_and_held_crls_are_named(self):
        said = self.check("user", "issuing_cdp")
        self.assertEqual((said["result"], said["nps"]["verdict"]), ("good", "accept"), said)
        again = self.check("user", "issuing_cdp")
        statuses = [one["cache_status"] for certificate in again["chain"]
                    for one in certificate["evidence"]]
        self.assertIn("revcache; hit; detail=held", statuses)
        self.assertTrue(any("ttl=" in status for status in statuses), statuses)

    def test_a_revoked_leaf_is_revoked(self):
        said = self.check("gone", "issuing_cdp")
        self.assertEqual(said["result"], "revoked")
        self.assertEqual(said["chain"][0]["status"], "revoked")
        self.assertEqual(said["chain"][0]["reason"], "keyCompromise")
        self.assertEqual(said["nps"]["reason_code"], 256)

    def test_a_cdp_on_a_host_that_is_not_allowed_is_not_fetched(self):
        said = self.check("user", "issuing_cdp", "root", pki=self.foreign)
        self.assertEqual(said["result"], "unknown")
        errors = [one["error"] for one in said["chain"][0]["evidence"]]
        self.assertTrue(errors and all("access.destinations" in one for one in errors), errors)
        self.assertEqual(self.denied.connections, 0)

    def test_a_profile_may_be_chosen(self):
        self.assertEqual(self.check("user", "issuing_cdp", profile="rfc5280")["profile"], "pkix")

    def test_der_and_pkcs7_are_chains_too(self):
        answer = self.post({"chain": base64.b64encode(self.pki.read("user.cer")).decode()})
        self.assertEqual(answer.status, 200)
        self.assertEqual(json.loads(answer.body)["chain"][0]["role"], "leaf")

    def test_broken_input_is_told_what_and_where(self):
        damaged = bytearray(self.pki.read("user.cer"))
        damaged[4] = 0x04
        encoded = base64.b64encode(bytes(damaged)).decode()
        for body, words in ((b"{", "JSON"), ({}, "chain"), ({"chain": 1}, "string"),
                            ({"chain": "%%%"}, "base64"), ({"chain": encoded}, "chain: "),
                            ({"chain": "aGVsbG8="}, "chain: "), ({"chain": "", "x": ""}, "\"x\""),
                            ({"chain": encoded, "profile": "x"}, "profile")):
            answer = self.post(body) if isinstance(body, dict) else self.post(None, body)
            self.assertEqual(answer.status, 400, body)
            self.assertIn(words, json.loads(answer.body)["error"])
        told = json.loads(self.post({"chain": encoded}).body)["error"]
        self.assertRegex(told, r"\d", "where")

    def test_a_long_body_is_taken_up_to_its_bound(self):
        chain = b"# remark\n" * 12000 + self.pki.read("user.pem")
        self.assertEqual(self.post({"chain": base64.b64encode(chain).decode()}).status, 200)
        answer = self.post({"chain": "A" * (256 * 1024)})
        self.assertEqual(answer.status, 413)
        self.assertIn("256 KiB", json.loads(answer.body)["error"])

    def test_only_so_many_run_at_once_and_the_rest_is_counted(self):
        type(self).gate = threading.Event()
        self.addCleanup(type(self).gate.set)
        type(self).bodies["/slow.crl"] = self.bodies["/issuing.crl"]
        config = self.pki.read("openssl.cnf").decode().replace(
            "[user_ocsp]", "[user_slow]\nbasicConstraints = critical,CA:FALSE\n"
            "crlDistributionPoints = URI:http://%s/slow.crl\n[user_ocsp]" % self.origin.authority)
        self.pki.write("openssl.cnf", config)
        self.pki.certificate("slow", "issuing", "user_slow")
        before = self.limited()
        body = {"chain": base64.b64encode(self.pki.read("slow.pem") +
                                          self.pki.read("issuing_cdp.pem")).decode()}
        answers = queue.Queue()
        threads = [threading.Thread(target=lambda: answers.put(self.post(body)))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        refused = [answers.get(timeout=60) for _ in range(2)]
        self.assertEqual([one.status for one in refused], [503, 503])
        self.assertIn("limits.checks", json.loads(refused[0].body)["error"])
        type(self).gate.set()
        for thread in threads:
            thread.join()
        self.assertEqual([answers.get().status for _ in range(2)], [200, 200])
        self.assertEqual(self.limited() - before, 2)

    def limited(self):
        return total(self.revcache.metrics(), "revcache_client_rejected_total", reason="checks")


if __name__ == "__main__":
    main.run()
