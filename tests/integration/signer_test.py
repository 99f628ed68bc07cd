"""`revcache signer new`: what it makes is good for real peers, the openssl command among them."""

import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from harness import main
from harness.pki import Authority, openssl


class SignerNew(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="revcache-signer-")
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, *options, code=0):
        result = subprocess.run([main.binary(), "signer", "new", "--name", "ocsp", "--out",
                                 self.directory, *options], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def text(self, *command):
        return openssl(*command).stdout.decode()

    def respond(self, authority, leaf, certificate, trust):
        """What openssl says of an answer about `leaf` that the new signer signed."""
        request = authority.write("request.der", authority.ocsp_request(leaf))
        response = authority.path("response.der")
        openssl("ocsp", "-index", authority.path("index.txt"), "-CA", authority.root, "-rsigner",
                certificate, "-rkey", self.path("ocsp.key"), "-reqin", request, "-respout",
                response, "-ndays", "1")
        result = openssl("ocsp", "-respin", response, "-issuer", authority.root, "-cert", leaf,
                         "-no_nonce", *trust, check=False)
        return (result.stdout + result.stderr).decode()

    def test_a_self_signed_certificate_has_what_clients_look_for(self):
        said = self.make().stdout
        text = self.text("x509", "-in", self.path("ocsp.pem"), "-noout", "-text")
        for expected in ("Version: 3", "CN = OCSP signer ocsp", "OCSP Signing", "OCSP No Check",
                         "Key Usage: critical", "Digital Signature", "CA:FALSE",
                         "Subject Key Identifier", "ecdsa-with-SHA256"):
            self.assertIn(expected, text)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("ocsp.key")).st_mode), 0o600)
        self.assertIn('certificate = "%s"' % self.path("ocsp.pem"), said)
        fingerprint = self.text("x509", "-in", self.path("ocsp.pem"), "-noout", "-fingerprint",
                                "-sha256")
        self.assertIn(fingerprint.split("=")[1].strip().replace(":", "").lower(), said)

    def test_its_answers_are_accepted_by_who_trusts_it(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        leaf = authority.issue("leaf")
        for key_type in ("p256", "rsa2048"):
            with self.subTest(key_type=key_type):
                self.make("--key-type", key_type)
                verdict = self.respond(authority, leaf, self.path("ocsp.pem"),
                                       ("-VAfile", self.path("ocsp.pem")))
                self.assertIn("Response verify OK", verdict)
                self.assertIn("good", verdict)
                os.unlink(self.path("ocsp.pem"))
                os.unlink(self.path("ocsp.key"))

    def test_a_request_becomes_a_delegated_signer(self):
        authority = Authority()
        self.addCleanup(authority.remove)
        leaf = authority.issue("leaf")
        self.make("--csr")
        self.text("req", "-in", self.path("ocsp.csr"), "-noout", "-verify")
        openssl("x509", "-req", "-in", self.path("ocsp.csr"), "-CA", authority.root, "-CAkey",
                authority.path("ca.key"), "-CAcreateserial", "-copy_extensions", "copy", "-days",
                "30", "-out", self.path("ocsp.pem"))
        text = self.text("x509", "-in", self.path("ocsp.pem"), "-noout", "-text")
        for expected in ("OCSP Signing", "OCSP No Check", "Digital Signature", "CA:FALSE"):
            self.assertIn(expected, text)
        verdict = self.respond(authority, leaf, self.path("ocsp.pem"), ("-CAfile", authority.root))
        self.assertIn("Response verify OK", verdict)

    def test_nothing_is_overwritten(self):
        self.make()
        with open(self.path("ocsp.key"), "rb") as file:
            before = file.read()
        self.assertIn("nothing is overwritten", self.make(code=4).stderr)
        with open(self.path("ocsp.key"), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_mistakes_on_the_command_line_exit_with_four(self):
        for options in (("--key-type", "dsa"), ("--days", "0"), ("--nonsense",)):
            with self.subTest(options=options):
                self.make(*options, code=4)
        self.assertEqual(os.listdir(self.directory), [])


if __name__ == "__main__":
    main.run()
