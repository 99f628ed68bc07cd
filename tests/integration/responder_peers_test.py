"""The OCSP responder and its real peers: the openssl command, GnuTLS' ocsptool, curl; with each
kind of signer that RFC 6960 4.2.2.2 knows."""

import os
import subprocess
import unittest

from harness import main
from harness.ocsp import HASHES, crl_dates, get_forms, read_response
from harness.pki import COMMAND_TIMEOUT, openssl
from harness.responder import World


class Peers:
    """What each peer must see whoever signs. `signer` names the files of the signer, `trust` are
    openssl's options about it, `gnutls_trust` those of ocsptool."""

    signer = trust = gnutls_trust = None

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.remove)
        cls.pki = cls.world.pki
        for name in ("gone", "present"):
            cls.pki.certificate(name, "root", "user")
        cls.pki.crl("root", "root", number=6, revoked=("gone",))
        cls.world.bodies["/root.crl"] = cls.pki.read("root.crl")
        cls.world.configure([cls.world.authority(cls.signer)], [cls.signer])
        cls.addClassCleanup(cls.world.revcache.remove)
        cls.world.revcache.start()
        cls.addClassCleanup(cls.world.revcache.stop)
        cls.world.wait_until_ready()

    def options(self, template):
        return [part.format(directory=self.pki.directory) for part in template]

    def openssl(self, names, *options, path="/ocsp", trust=None):
        """What openssl says of the answer about those certificates, and the answer."""
        certificates = []
        for name in names:
            certificates += ["-cert", self.pki.path(name + ".pem")]
        answer = self.pki.path("answer.ocsp")
        if os.path.exists(answer):
            os.unlink(answer)
        done = openssl("ocsp", "-issuer", self.pki.path("root.pem"), *options, *certificates,
                       "-url", self.world.url(path), "-timeout", "60", "-respout", answer,
                       *self.options(self.trust if trust is None else trust), check=False)
        said = (done.stdout + done.stderr).decode()
        return said, read_response(self.pki.read("answer.ocsp"))

    def expect_verified(self, said, expected):
        """`expected`: {name: "good"}."""
        self.assertIn("Response verify OK", said)
        self.assertNotIn("WARNING", said)
        self.assertNotIn("Error", said)
        for name, status in expected.items():
            self.assertIn("%s: %s\n" % (self.pki.path(name + ".pem"), status), said)

    def expect_dates_of_the_crl(self, answer):
        this_update, next_update = crl_dates(self.pki.read("root.crl"))
        for one in answer.answers:
            self.assertEqual(one.this_update, this_update)
            self.assertLessEqual(one.next_update, next_update)
            self.assertGreater(one.next_update, answer.produced_at)

    def test_openssl_takes_the_answer_whatever_the_hash_of_the_question(self):
        for algorithm in HASHES:
            for name, status in (("present", "good"), ("gone", "revoked"), ("issuing", "good")):
                with self.subTest(algorithm=algorithm, name=name):
                    said, answer = self.openssl([name], "-" + algorithm, "-no_nonce")
                    self.expect_verified(said, {name: status})
                    self.expect_dates_of_the_crl(answer)

    def test_openssl_sees_when_and_why_it_was_revoked(self):
        said, _ = self.openssl(["gone"], "-no_nonce")
        self.assertIn("Reason: keyCompromise", said)
        self.assertIn("Revocation Time: Jun  1 12:00:00 2025 GMT", said)

    def test_openssl_gets_its_nonce_back(self):
        said, answer = self.openssl(["present"], "-nonce")
        self.expect_verified(said, {"present": "good"})  # without a warning about the nonce
        self.assertEqual(len(answer.nonce), 16)

    def test_openssl_asks_about_several_certificates_at_once(self):
        said, answer = self.openssl(["present", "gone", "issuing"], "-no_nonce")
        self.expect_verified(said, {"present": "good", "gone": "revoked", "issuing": "good"})
        self.expect_dates_of_the_crl(answer)
        self.assertEqual([one.cert_id for one in answer.answers],
                         [self.world.cert_id(name) for name in ("present", "gone", "issuing")])

    def test_openssl_asks_at_the_path_of_the_authority(self):
        said, _ = self.openssl(["gone"], "-no_nonce", path="/ocsp/root")
        self.expect_verified(said, {"gone": "revoked"})

    def curl(self, *arguments):
        done = subprocess.run(
            ("curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--noproxy", "*")
            + arguments, capture_output=True, timeout=COMMAND_TIMEOUT, stdin=subprocess.DEVNULL,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def verified_by_openssl(self, answer, name):
        path = self.pki.write("curl.ocsp", answer)
        done = openssl("ocsp", "-respin", path, "-issuer", self.pki.path("root.pem"), "-cert",
                       self.pki.path(name + ".pem"), "-no_nonce", *self.options(self.trust),
                       check=False)
        return (done.stdout + done.stderr).decode()

    def test_curl_asks_with_get_in_every_spelling_and_with_post(self):
        for name, status in (("present", "good"), ("gone", "revoked")):
            request = self.world.question(name)
            answers = {form: self.curl(self.world.url("/ocsp/" + text))
                       for form, text in get_forms(request).items()}
            answers["POST"] = self.curl(
                "--header", "Content-Type: application/ocsp-request", "--data-binary",
                "@" + self.pki.write("request.der", request), self.world.url("/ocsp"))
            self.assertEqual(len(set(answers.values())), 1, "one signature for all of them")
            self.expect_verified(self.verified_by_openssl(answers["POST"], name), {name: status})

    def ocsptool(self, *options):
        done = subprocess.run(
            ["ocsptool", "--load-issuer", self.pki.path("root.pem"), *options,
             *self.options(self.gnutls_trust)], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=COMMAND_TIMEOUT, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_ocsptool_asks_and_verifies(self):
        for name, status, nonce in (("present", "good", ()), ("gone", "revoked", ()),
                                    ("present", "good", ("--nonce",))):
            with self.subTest(name=name, nonce=nonce):
                code, said = self.ocsptool("--ask=" + self.world.url("/ocsp"), "--load-cert",
                                           self.pki.path(name + ".pem"), *nonce)
                self.assertEqual(code, 0, said)
                self.assertIn("Certificate Status: " + status, said)
                self.assertIn("Verifying OCSP Response: Success", said)
                self.assertEqual("Nonce: " in said, bool(nonce), said)

    def test_ocsptool_verifies_what_another_fetched(self):
        answer = self.curl(self.world.url("/ocsp/" + get_forms(self.world.question("gone"))["raw"]))
        path = self.pki.write("fetched.ocsp", answer)
        code, said = self.ocsptool("--verify-response", "--load-response", path)
        self.assertEqual(code, 0, said)
        self.assertIn("Success", said)


class IssuersKey(Peers, unittest.TestCase):
    signer = "root"
    trust = ("-CAfile", "{directory}/root.pem")
    gnutls_trust = ("--load-signer", "{directory}/root.pem")


class ApartFromTheIssuer(Peers):
    """Signers whose certificate is not the issuer's."""

    # Of the issuer's key openssl asks no more than `-issuer`, up to 3.0.19: it takes that for trust.
    def test_openssl_takes_nothing_of_a_signer_that_it_has_no_reason_to_trust(self):
        said, _ = self.openssl(["present"], "-no_nonce",
                               trust=("-CAfile", "{directory}/expired.pem"))
        self.assertIn("Response Verify Failure", said)


class DelegatedSigner(ApartFromTheIssuer, unittest.TestCase):
    signer = "delegated"
    trust = ("-CAfile", "{directory}/root.pem")
    gnutls_trust = ("--load-trust", "{directory}/root.pem")


class IndependentSigner(ApartFromTheIssuer, unittest.TestCase):
    signer = "independent"
    trust = ("-CAfile", "{directory}/root.pem", "-VAfile", "{directory}/independent.pem")
    gnutls_trust = ("--load-signer", "{directory}/independent.pem")


if __name__ == "__main__":
    main.run()
