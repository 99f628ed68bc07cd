"""The harness' own OCSP: what it writes and reads is what the openssl command writes and reads."""

import unittest
from datetime import datetime, timezone

from harness import main
from harness.hierarchy import Hierarchy
from harness.ocsp import (HASHES, Malformed, cert_id, crl_dates, get_forms, read_response,
                          request)
from harness.pki import openssl


class Reader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        cls.root = cls.pki.read("root.cer")
        cls.serial = int(cls.pki.serials["issuing"], 16)

    def asked_by_openssl(self, *options):
        path = self.pki.path("asked.der")
        openssl("ocsp", "-issuer", self.pki.path("root.pem"), *options, "-cert",
                self.pki.path("issuing.pem"), "-no_nonce", "-reqout", path)
        return self.pki.read("asked.der")

    def test_a_request_is_octet_for_octet_that_of_openssl(self):
        for algorithm in HASHES:
            with self.subTest(algorithm=algorithm):
                self.assertEqual(request(cert_id(self.root, self.serial, algorithm)),
                                 self.asked_by_openssl("-" + algorithm))

    def test_a_request_with_several_questions_and_a_nonce_is_one_to_openssl(self):
        ids = [cert_id(self.root, serial) for serial in (1, 0x80, 0xffff)]
        path = self.pki.write("several.der", request(*ids, nonce=b"\xab" * 128))
        text = openssl("ocsp", "-reqin", path, "-req_text").stdout.decode()
        for expected in ("Serial Number: 01", "Serial Number: 80", "Serial Number: FFFF",
                         "OCSP Nonce"):
            self.assertIn(expected, text)

    def test_what_a_response_of_openssl_says(self):
        for status, expected in (("V", ("good", None, None)),
                                 ("R", ("revoked", "keyCompromise",
                                        datetime(2025, 6, 1, 12, tzinfo=timezone.utc)))):
            with self.subTest(status=status):
                self.pki.ocsp("answer", "issuing", issuer="root", status=status)
                response = read_response(self.pki.read("answer.ocsp"))
                self.assertEqual(response.status, "successful")
                (said,) = response.answers
                self.assertEqual((said.status, said.reason, said.revoked_at), expected)
                self.assertEqual(said.cert_id, cert_id(self.root, self.serial))
                self.assertEqual((said.next_update - said.this_update).days, 2)
                self.assertEqual(response.certificates, [self.root])
                self.assertIsNone(response.nonce)

    def test_errors_have_nothing_but_a_status(self):
        self.assertEqual(read_response(bytes.fromhex("30030a0103")).status, "tryLater")
        with self.assertRaises(Malformed):
            read_response(bytes.fromhex("30050a01030500"))

    def test_damage_is_noticed(self):
        self.pki.ocsp("whole", "issuing", issuer="root")
        whole = self.pki.read("whole.ocsp")
        for damaged in (whole[:-1], whole + b"\0", b"\x30\x80" + whole[2:], b"<html>", b""):
            with self.subTest(damaged=damaged[:8]):
                with self.assertRaises((Malformed, ValueError)):
                    read_response(damaged)

    def test_the_dates_of_a_crl_are_those_that_openssl_reads(self):
        self.pki.crl("dated", "root", dates=("-crl_lastupdate", "20260102030405Z",
                                             "-crl_nextupdate", "20270102030405Z"))
        self.assertEqual(crl_dates(self.pki.read("dated.crl")),
                         tuple(datetime(year, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
                               for year in (2026, 2027)))

    def test_get_forms_differ_where_base64_has_something_to_quote(self):
        self.assertEqual(len(set(get_forms(b"\xff" * 13).values())), 6)


if __name__ == "__main__":
    main.run()
