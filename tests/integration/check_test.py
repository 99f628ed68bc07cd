"""check, crl and ocsp: the real binary beside openssl, off line, on line, and through a running
revcache."""

import base64
import json
import os
import subprocess
import time
import unittest

from harness import main
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.pki import COMMAND_TIMEOUT, openssl
from harness.process import Revcache

PAST = ("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250108000000Z")
RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"


def run(*arguments, check=None):
    """(exit status, standard output, standard error) of revcache."""
    done = subprocess.run((main.binary(),) + arguments, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=COMMAND_TIMEOUT, check=False)
    if check is not None and done.returncode != check:
        raise AssertionError("exit status %d:\n%s%s" % (done.returncode, done.stdout.decode(),
                                                        done.stderr.decode()))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Schema:
    """The JSON of SPEC section 7, schema 1: every key that it names, with its type."""

    FINDING = {"id": str, "severity": {"error", "warning", "info"}, "reference": str, "text": str,
               "fix": str}
    EVIDENCE = {"kind": {"crl", "delta_crl", "ocsp"}, "url": str, "number": (str, None),
                "this_update": (RFC3339, None), "next_update": (RFC3339, None),
                "cache_status": (str, None), "elapsed_ms": (float, None)}
    CERTIFICATE = {"role": {"leaf", "intermediate", "root"}, "subject": str, "issuer": str,
                   "serial": r"^[0-9a-f]+$", "sha256": r"^[0-9a-f]{64}$", "cdp": [str],
                   "ocsp": [str], "status": {"good", "revoked", "unknown", "not_checked"},
                   "source": {"manual", "crl", "ocsp", "attestation", "none"},
                   "revoked_at": (RFC3339, None), "reason": (str, None), "evidence": [EVIDENCE],
                   "findings": [FINDING]}
    ROOT = {"schema": {1}, "result": {"good", "revoked", "unknown", "invalid"}, "at": RFC3339,
            "nps": {"verdict": {"accept", "deny"}, "reason_code": (int, None),
                    "hresult": (r"^0x[0-9A-F]{8}$", None), "client_error": (int, None),
                    "text": str},
            "chain": [CERTIFICATE]}

    @classmethod
    def check(cls, test, value, wanted=None, place="$"):
        wanted = cls.ROOT if wanted is None else wanted
        if isinstance(wanted, dict):
            test.assertIsInstance(value, dict, place)
            for key, inner in wanted.items():
                test.assertIn(key, value, place)
                cls.check(test, value[key], inner, "%s.%s" % (place, key))
        elif isinstance(wanted, list):
            test.assertIsInstance(value, list, place)
            for number, item in enumerate(value):
                cls.check(test, item, wanted[0], "%s[%d]" % (place, number))
        elif isinstance(wanted, tuple):
            if value is not None:
                cls.check(test, value, wanted[0], place)
        elif isinstance(wanted, set):
            test.assertIn(value, wanted, place)
        elif isinstance(wanted, str):
            test.assertRegex(value, wanted, place)
        else:
            test.assertIsInstance(value, wanted, place)


class CheckCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.pki = Hierarchy("http://" + cls.origin.authority)
        cls.addClassCleanup(cls.pki.remove)
        for name in ("user", "revoked"):
            cls.pki.certificate(name, "issuing", "user")
        cls.pki.certificate("expired", "issuing", "user",
                            dates=("-startdate", "20250101000000Z", "-enddate", "20250601000000Z"))
        cls.pki.certificate("ocsp_user", "issuing", "user_ocsp")
        cls.pki.crl("issuing", "issuing", ["revoked"])
        cls.pki.crl("issuing_old", "issuing", dates=PAST)
        cls.pki.crl("root", "root")
        cls.pki.crl("root_revokes", "root", ["issuing", "issuing_cdp"])
        cls.pki.ocsp("good", "ocsp_user")
        cls.pki.ocsp("bad", "ocsp_user", status="R")

    def setUp(self):
        self.origin.requests.clear()
        self.origin.scripts.clear()
        self.files = {name: self.pki.read(name.lstrip("/"))
                      for name in ("/issuing.crl", "/root.crl", "/issuing.cer", "/root.cer")}
        self.origin.fallback = self.serve
        self.ocsp_body = self.pki.read("good.ocsp")

    def serve(self, request):
        path = path_of(request.target)
        if path.startswith("/ocsp"):
            return Answer(fields=("Content-Type: application/ocsp-response",
                                  "Cache-Control: max-age=1000"), body=self.ocsp_body)
        body = self.files.get(path)
        if body is None:
            return Answer(status=404, body=b"none here")
        kind = "pkix-crl" if path.endswith(".crl") else "pkix-cert"
        return Answer(fields=("Content-Type: application/" + kind, "Cache-Control: max-age=1000"),
                      body=body)

    def path(self, name):
        return self.pki.path(name)

    def check(self, leaf, *arguments, issuing="issuing_cdp", expect=0):
        """The JSON of a check with the root trusted, validated."""
        chain = self.pki.joined("chain.pem", leaf, issuing)
        _, out, _ = run("check", chain, "--trust", self.path("root.pem"), "--json", *arguments,
                        check=expect)
        report = json.loads(out)
        Schema.check(self, report)
        return report

    def findings(self, report, place):
        return [finding["id"] for finding in report["chain"][place]["findings"]]


class Offline(CheckCase):
    """`openssl verify -crl_check_all` and `check` see the same files and must agree."""

    def openssl_accepts(self, leaf, issuing, crls):
        arguments = ["verify", "-crl_check_all", "-CAfile", self.path("root.pem"), "-untrusted",
                     self.path(issuing + ".pem")]
        for crl in crls:
            arguments += ["-CRLfile", self.path(crl + ".crl.pem")]
        done = openssl(*arguments, self.path(leaf + ".pem"), check=False)
        return done.returncode == 0, (done.stdout + done.stderr).decode()

    def test_openssl_agrees(self):
        other = self.altered_crl()
        cases = [
            ("user", "issuing", ["issuing", "root"], "good", ""),
            ("user", "issuing_cdp", ["issuing", "root"], "good", ""),
            ("revoked", "issuing", ["issuing", "root"], "revoked", "certificate revoked"),
            ("user", "issuing", ["issuing", "root_revokes"], "revoked", "certificate revoked"),
            ("expired", "issuing", ["issuing", "root"], "invalid", "certificate has expired"),
            ("user", "issuing", ["issuing_old", "root"], "unknown", "CRL has expired"),
            ("user", "issuing", ["root"], "unknown", "unable to get certificate CRL"),
            ("user", "issuing", ["issuing"], "unknown", "unable to get certificate CRL"),
            ("user", "issuing", [other, "root"], "unknown", "CRL signature failure"),
        ]
        codes = {"good": 0, "revoked": 1, "unknown": 2, "invalid": 3}
        for leaf, issuing, crls, result, complaint in cases:
            with self.subTest(leaf=leaf, issuing=issuing, crls=crls):
                arguments = [part for crl in crls for part in ("--crl", self.path(crl + ".crl"))]
                report = self.check(leaf, "--offline", *arguments, issuing=issuing,
                                    expect=codes[result])
                self.assertEqual(report["result"], result)
                accepts, said = self.openssl_accepts(leaf, issuing, crls)
                self.assertEqual(accepts, result == "good", said)
                self.assertIn(complaint, said)
        self.assertEqual(self.origin.requests, [])

    def altered_crl(self):
        der = bytearray(self.pki.read("issuing.crl"))
        der[-1] ^= 1
        self.pki.write("altered.crl", bytes(der))
        openssl("crl", "-inform", "DER", "-in", self.path("altered.crl"), "-out",
                self.path("altered.crl.pem"))
        return "altered"

    def test_a_certificate_with_a_wrong_signature(self):
        der = bytearray(self.pki.read("user.cer"))
        der[-1] ^= 1
        self.pki.write("forged.cer", bytes(der))
        openssl("x509", "-inform", "DER", "-in", self.path("forged.cer"), "-out",
                self.path("forged.pem"))
        accepts, said = self.openssl_accepts("forged", "issuing", ["issuing", "root"])
        self.assertFalse(accepts)
        self.assertIn("certificate signature failure", said)
        report = self.check("forged", "--offline", expect=3)
        self.assertEqual(self.findings(report, 0)[0], "signature-wrong")

    def test_the_demonstration_fault(self):
        report = self.check("user", "--offline", "--crl", self.path("issuing.crl"),
                            issuing="issuing", expect=2)
        self.assertEqual(report["nps"], dict(report["nps"], verdict="deny", reason_code=258,
                                             hresult="0x80092012", client_error=853))
        self.assertEqual(self.findings(report, 1), ["cdp-missing"])
        self.assertEqual(report["chain"][0]["status"], "good")

    def test_the_pkix_profile_speaks_of_rfc_5280_only(self):
        chain = self.pki.joined("pkix.pem", "user", "issuing", "root")
        _, out, _ = run("check", chain, "--offline", "--profile", "pkix", "--crl",
                        self.path("issuing.crl"), "--crl", self.path("root.crl"), check=0)
        self.assertNotIn("NPS", out)
        self.assertIn("Result: good", out)

    def test_a_given_ocsp_answer(self):
        for answer, code in (("good", 2), ("bad", 1)):
            report = self.check("ocsp_user", "--offline", "--ocsp", self.path(answer + ".ocsp"),
                                expect=code)
            self.assertEqual(report["chain"][0]["source"], "ocsp")

    def test_the_same_chain_in_pem_der_and_pkcs7(self):
        pem = self.pki.joined("all.pem", "user", "issuing", "root")
        openssl("crl2pkcs7", "-nocrl", "-certfile", pem, "-out", self.path("all.p7b"))
        openssl("crl2pkcs7", "-nocrl", "-certfile", pem, "-outform", "DER", "-out",
                self.path("all.p7c"))
        for name, extra in (("all.pem", ()), ("all.p7b", ()), ("all.p7c", ()),
                            ("user.cer", ("--extra", self.path("issuing.cer"), "--trust",
                                          self.path("root.cer")))):
            with self.subTest(name=name):
                _, out, _ = run("check", self.path(name), "--offline", "--crl",
                                self.path("issuing.crl.pem"), "--crl", self.path("root.crl"),
                                "--json", *extra, check=0)
                self.assertEqual(len(json.loads(out)["chain"]), 3)

    def test_broken_input_is_exit_four_and_says_what_and_where(self):
        cut = self.pki.write("cut.cer", self.pki.read("user.cer")[:-5])
        page = self.pki.write("page.crl", b"<html>")
        pem = self.pki.write("broken.pem", b"-----BEGIN CERTIFICATE-----\n!!!!\n"
                                           b"-----END CERTIFICATE-----\n")
        user = self.path("user.pem")
        for arguments, name in ((("check", cut), "cut.cer"),
                                (("check", pem), "broken.pem"),
                                (("check", self.path("nothing.pem")), "nothing.pem"),
                                (("check", user, "--crl", page), "page.crl"),
                                (("check", user, "--ocsp", page), "page.crl"),
                                (("check", user, "--trust", page), "page.crl"),
                                (("crl", "show", page), "page.crl"),
                                (("ocsp", "show", page), "page.crl")):
            with self.subTest(arguments=arguments):
                _, out, err = run(*arguments, check=4)
                self.assertEqual(out, "")
                self.assertIn(name + ": ", err)
                self.assertGreater(len(err.strip().rsplit(name, 1)[1]), 8)
        for arguments in (("check",), ("check", user, "--profile", "x"),
                          ("check", user, "--at", "soon"), ("check", user, "--via", "nonsense"),
                          ("crl", "show", "https://127.0.0.1/x.crl"), ("ocsp", "verify", user)):
            with self.subTest(arguments=arguments):
                self.assertTrue(run(*arguments, check=4)[2])

    def test_another_time(self):
        at = str(int(time.time()) + 30 * 86400)
        report = self.check("user", "--offline", "--at", at, "--crl", self.path("issuing.crl"),
                            "--crl", self.path("root.crl"), expect=2)
        self.assertEqual(self.findings(report, 0)[0], "crl-expired")
        self.assertEqual(report["nps"]["reason_code"], 258)

    def test_control_characters_of_a_certificate_do_not_reach_the_terminal(self):
        self.pki.certificate("odd", "issuing", "user", "/CN=a\x1b[31mred")
        _, out, _ = run("check", self.path("odd.pem"), "--offline", check=3)
        self.assertNotIn("\x1b", out)


class Online(CheckCase):
    def test_direct(self):
        report = self.check("user")
        self.assertEqual((report["result"], report["nps"]["verdict"]), ("good", "accept"))
        self.assertEqual(report["chain"][0]["evidence"][0]["number"], "4096")
        self.assertEqual({path_of(request.target) for request in self.origin.requests},
                         {"/issuing.crl", "/root.crl"})

    def test_through_revcache(self):
        with Revcache(main.binary(), [self.origin.authority]) as revcache:
            via = ("--via", "http://%s:%d" % revcache.proxy)
            first = self.check("user", *via)
            again = self.check("user", *via)
            self.assertEqual(first["result"], "good")
            self.assertIn("revcache; fwd=", first["chain"][0]["evidence"][0]["cache_status"])
            self.assertIn("revcache; hit", again["chain"][0]["evidence"][0]["cache_status"])
            self.assertEqual(len(self.origin.seen("/issuing.crl")), 1)
            denied = self.pki.path("denied.crl")
            code, _, err = run("crl", "fetch", "http://www.example.com/x.crl", "-o", denied, *via)
            self.assertEqual(code, 2)
            self.assertIn("status 403", err)
            self.assertFalse(os.path.exists(denied))

    def test_missing_issuers_are_fetched(self):
        _, out, _ = run("check", self.path("user.pem"), "--trust", self.path("root.pem"), "--json",
                        check=2)
        report = json.loads(out)
        self.assertEqual([one["role"] for one in report["chain"]],
                         ["leaf", "intermediate", "root"])
        self.assertEqual(len(self.origin.seen("/issuing.cer")), 1)

    def test_a_root_from_the_network_is_not_trusted(self):
        chain = self.pki.joined("noroot.pem", "user", "issuing_cdp")
        _, out, _ = run("check", chain, "--json", check=3)
        self.assertEqual(json.loads(out)["result"], "invalid")

    def test_ocsp(self):
        report = self.check("ocsp_user")
        self.assertEqual(report["chain"][0]["source"], "ocsp")
        self.assertEqual(self.origin.requests[0].method, "GET")
        self.ocsp_body = self.pki.read("bad.ocsp")
        report = self.check("ocsp_user", expect=1)
        self.assertEqual(report["nps"]["reason_code"], 256)

    def test_ocsp_by_post_where_get_is_not_offered(self):
        self.origin.fallback = lambda request: (
            Answer(status=405) if request.method == "GET" and "/ocsp" in request.target
            else self.serve(request))
        report = self.check("ocsp_user")
        self.assertEqual(report["chain"][0]["status"], "good")
        posted = [request for request in self.origin.requests if request.method == "POST"]
        self.assertEqual(posted[0].fields.get("Content-Type"), "application/ocsp-request")

    def test_a_missing_crl_a_login_page_and_a_silent_host(self):
        self.files["/issuing.crl"] = None
        report = self.check("user", expect=2)
        self.assertEqual(self.findings(report, 0)[0], "crl-unreachable")
        self.assertEqual(report["nps"]["reason_code"], 259)
        self.files["/issuing.crl"] = b"<html>please log in</html>"
        report = self.check("user", expect=2)
        self.assertEqual(self.findings(report, 0)[0], "crl-malformed")
        self.assertEqual(report["nps"]["reason_code"], 258)
        self.origin.fallback = lambda request: Answer(raw=b"", then="close")
        report = self.check("user", expect=2)
        self.assertEqual(report["nps"]["reason_code"], 259)

    def test_redirects_are_followed_within_bounds(self):
        where = "Location: " + self.origin.url("/issuing.crl")
        self.files["/elsewhere"] = self.files["/issuing.crl"]
        self.origin.script("/issuing.crl", Answer(
            status=302, fields=("Location: " + self.origin.url("/elsewhere"),)))
        self.assertEqual(self.check("user")["result"], "good")
        self.origin.fallback = lambda request: Answer(status=302, fields=(where,))
        self.check("user", expect=2)


class CrlAndOcsp(CheckCase):
    def test_crl_show_says_what_openssl_says(self):
        _, out, _ = run("crl", "show", self.path("issuing.crl"), "--json", check=0)
        report = json.loads(out)
        text = openssl("crl", "-inform", "DER", "-in", self.path("issuing.crl"), "-noout",
                       "-text").stdout.decode()
        self.assertEqual(report["number"], "4096")
        self.assertIn("4096", text)
        self.assertEqual([entry["serial"] for entry in report["revoked"]],
                         [self.pki.serials["revoked"].lower()])
        self.assertIn("Serial Number: " + self.pki.serials["revoked"], text)
        self.assertEqual(report["revoked"][0]["reason"], "keyCompromise")

    def test_crl_show_of_a_url_and_fetch(self):
        _, out, _ = run("crl", "show", self.origin.url("/issuing.crl"), check=0)
        self.assertIn("keyCompromise", out)
        kept = self.path("kept.crl")
        run("crl", "fetch", self.origin.url("/issuing.crl"), "-o", kept, check=0)
        self.assertEqual(self.pki.read("kept.crl"), self.files["/issuing.crl"])
        run("crl", "show", self.origin.url("/nothing.crl"), check=2)

    def test_ocsp_ask_show_and_verify(self):
        kept = self.path("kept.ocsp")
        user, issuing = self.path("ocsp_user.pem"), self.path("issuing.pem")
        _, out, _ = run("ocsp", "ask", "--cert", user, "--issuer", issuing, "-o", kept, "--json",
                        check=0)
        self.assertEqual(json.loads(out)["accepted"], True)
        question = base64.b64decode(path_of(self.origin.requests[0].target)
                                    .replace("/ocsp/", "", 1).replace("%2B", "+")
                                    .replace("%2F", "/").replace("%3D", "="))
        openssl("ocsp", "-issuer", issuing, "-cert", user, "-no_nonce", "-reqout",
                self.path("mine.der"))
        self.assertEqual(question, self.pki.read("mine.der"))
        _, out, _ = run("ocsp", "show", kept, check=0)
        self.assertIn("status            good", out)
        run("ocsp", "verify", "--ocsp", kept, "--trust", self.path("root.pem"), "--extra", issuing,
            check=0)
        run("ocsp", "verify", "--ocsp", kept, "--trust", self.path("root.pem"), check=1)


del CheckCase  # its own tests are none

if __name__ == "__main__":
    main.run()
