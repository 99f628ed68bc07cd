"""The OCSP responder on the wire: forms of the question (RFC 6960 A.1, RFC 5019), what the answer
carries (RFC 9919), and what comes of questions that are malformed, too long or not ours."""

import unittest
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from harness import main
from harness.client import Client
from harness.der import sequence
from harness.ocsp import HASHES, cert_id, crl_dates, get_forms, read_response, request
from harness.process import total
from harness.responder import REQUEST_TYPE, World
from harness.waiting import turns

MALFORMED, TRY_LATER, UNAUTHORIZED = (bytes.fromhex("30030a01" + code)
                                      for code in ("01", "03", "06"))
RESPONDER_HOST = "ocsp.contoso.example"


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.remove)
        cls.pki = cls.world.pki
        for name in ("gone", "present"):
            cls.pki.certificate(name, "root", "user")
        cls.pki.certificate("other", "other", "root")
        cls.pki.certificate("leaf", "issuing", "user")
        cls.crl = cls.pki.crl("root", "root", number=6, revoked=("gone",))
        cls.world.bodies["/root.crl"] = cls.pki.read("root.crl")
        cls.pki.crl("other", "other")
        cls.world.bodies["/other.crl"] = cls.pki.read("other.crl")
        cls.world.configure([
            cls.world.authority(responder_hosts=[RESPONDER_HOST, cls.world.origin.authority]),
            cls.world.authority(name="other", certificate=cls.pki.path("other.pem"),
                                crls=[cls.world.origin.url("/other.crl")])],
                            ocsp={"nonce_budget": "10000/s"},
                            log={"access": "misses", "level": "debug"})
        cls.addClassCleanup(cls.world.revcache.remove)
        cls.world.revcache.start()
        cls.addClassCleanup(cls.world.revcache.stop)
        cls.world.wait_until_ready()

    def get(self, name="present", *lines, **options):
        return self.world.get(get_forms(self.world.question(name))["percent-encoded"], *lines,
                              **options)

    # The question

    def test_every_spelling_of_get_and_post_have_one_answer(self):
        for name in ("present", "gone"):
            question = self.world.question(name)
            answer = self.world.post(question)
            self.assertEqual(answer.status, 200)
            for form, spelling in get_forms(question).items():
                with self.subTest(name=name, form=form):
                    self.assertEqual(self.world.get(spelling).body, answer.body)
            self.assertEqual(self.world.post(question, "/ocsp/root").body, answer.body)

    def test_two_slashes_in_base64_are_not_merged(self):
        # Found by trying serials: one whose base64 holds what some servers take for one slash.
        for serial in range(1 << 40, (1 << 40) + 100000):
            question = request(cert_id(self.world.root, serial * 0x3fffff, "sha1"))
            spelling = get_forms(question)["raw"]
            if "//" in spelling:
                break
        self.assertIn("//", spelling)
        self.assertEqual(self.world.get(spelling).body, self.world.post(question).body)

    def test_the_cert_id_comes_back_octet_for_octet(self):
        for algorithm in HASHES:
            for null in (True, False):
                with self.subTest(algorithm=algorithm, null=null):
                    asked = self.world.cert_id("gone", algorithm, null)
                    answer = self.world.post(request(asked))
                    (said,) = read_response(answer.body).answers
                    self.assertEqual((said.cert_id, said.status), (asked, "revoked"))

    def test_several_questions_in_one_message_are_answered_in_their_order(self):
        names = ["present", "gone", "issuing"] * 3
        answer = self.world.post(request(*[self.world.cert_id(name) for name in names]))
        said = read_response(answer.body).answers
        self.assertEqual([one.cert_id for one in said],
                         [self.world.cert_id(name) for name in names])
        self.assertEqual([one.status for one in said], ["good", "revoked", "good"] * 3)

    def test_a_nonce_comes_back_up_to_128_octets(self):
        for size in (1, 16, 32, 128):
            with self.subTest(size=size):
                nonce = bytes(range(size))
                for status in ("gone", "present"):
                    answer = self.world.post(self.world.question(status, nonce=nonce))
                    self.assertEqual(read_response(answer.body).nonce, nonce)

    def test_a_nonce_of_no_octets_or_of_more_is_malformed(self):
        # RFC 9654 2.1.
        for size in (0, 129, 5000):
            question = self.world.question("present", nonce=bytes(size))
            self.expect_error(self.world.post(question), MALFORMED)

    def test_an_answer_with_a_nonce_is_for_nobody_else(self):
        answer = self.world.post(self.world.question("present", nonce=b"0123456789abcdef"))
        self.assertIn("no-store", answer.fields.get("Cache-Control"))
        self.assertIsNone(read_response(self.get().body).nonce)

    # The answer

    def test_the_dates_are_those_of_the_crl(self):
        this_update, next_update = crl_dates(self.pki.read("root.crl"))
        for name in ("present", "gone"):
            answer = read_response(self.get(name).body)
            (said,) = answer.answers
            self.assertEqual(said.this_update, this_update)
            self.assertLessEqual(said.next_update, next_update)
            self.assertLessEqual((said.next_update - answer.produced_at).total_seconds(), 3600)
            self.assertLessEqual(answer.produced_at, datetime.now(timezone.utc))
            self.assertEqual(answer.certificates, [self.pki.read("independent.cer")])
        self.assertEqual((said.revoked_at, said.reason),
                         (datetime(2025, 6, 1, 12, tzinfo=timezone.utc), "keyCompromise"))

    def test_the_fields_are_those_of_rfc_9919(self):
        answer = self.get()
        response = read_response(answer.body)
        fields = answer.fields
        self.assertEqual(fields.get("Content-Type"), "application/ocsp-response")
        self.assertEqual(fields.get("Content-Length"), str(len(answer.body)))
        self.assertRegex(fields.get("ETag"), r'^"[!#-~]+"$')
        self.assertEqual(parsedate_to_datetime(fields.get("Last-Modified")), response.produced_at)
        end = response.answers[0].next_update
        self.assertEqual(parsedate_to_datetime(fields.get("Expires")), end)
        directives = dict(one.strip().partition("=")[::2]
                          for one in fields.get("Cache-Control").split(","))
        self.assertEqual(set(directives), {"max-age", "public", "no-transform", "must-revalidate"})
        # RFC 9919 6: no longer than the answer itself, whatever Age it has already.
        dated = parsedate_to_datetime(fields.get("Date"))
        age = int(fields.get("Age") or "0")
        left = (end - dated).total_seconds()
        self.assertLessEqual(int(directives["max-age"]) - age, left)
        self.assertGreater(int(directives["max-age"]), 0)

    def test_who_has_the_answer_already_gets_304(self):
        whole = self.get()
        tag = whole.fields.get("ETag")
        for line in ("If-None-Match: " + tag, "If-None-Match: W/" + tag,
                     'If-None-Match: "x", ' + tag, "If-None-Match: *",
                     "If-Modified-Since: " + whole.fields.get("Last-Modified")):
            with self.subTest(line=line):
                answer = self.get("present", line)
                self.assertEqual((answer.status, answer.body), (304, b""))
                for name in ("ETag", "Expires"):
                    self.assertEqual(answer.fields.get(name), whole.fields.get(name))
                self.assertIn("max-age", answer.fields.get("Cache-Control"))
        other = self.get("gone", "If-None-Match: " + tag)
        self.assertEqual(other.status, 200)

    def test_head_has_the_fields_of_get_and_no_body(self):
        whole, head = self.get(), self.get(method="HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Expires"):
            self.assertEqual(head.fields.get(name), whole.fields.get(name))

    def test_many_questions_on_one_connection(self):
        with Client(self.world.revcache.proxy) as client:
            for _ in range(50):
                self.assertEqual(self.world.status("present", client=client), "good")
                self.assertEqual(self.world.status("gone", client=client), "revoked")
                self.assertEqual(self.world.post(b"nonsense", client=client).body, MALFORMED)

    def test_questions_in_a_row_are_answered_in_their_order(self):
        host = "Host: %s:%d\r\n\r\n" % self.world.revcache.proxy
        names = ["present", "gone", "present", "gone"]
        with Client(self.world.revcache.proxy) as client:
            client.send("".join(
                "GET /ocsp/%s HTTP/1.1\r\n%s" % (get_forms(self.world.question(name))["raw"], host)
                for name in names).encode())
            said = [read_response(client.response().body).answers[0].status for _ in names]
        self.assertEqual(said, ["good", "revoked", "good", "revoked"])

    def test_http_1_0_without_host(self):
        question = self.world.question("gone")
        with Client(self.world.revcache.proxy) as client:
            client.send(b"POST /ocsp HTTP/1.0\r\nContent-Type: application/ocsp-request\r\n"
                        b"Content-Length: %d\r\n\r\n%s" % (len(question), question))
            answer = client.response()
            self.assertEqual(read_response(answer.body).answers[0].status, "revoked")
            self.assertTrue(client.closed())

    # What is no question of ours

    def expect_error(self, answer, body):
        self.assertEqual((answer.status, answer.body), (200, body))
        self.assertEqual(answer.fields.get("Content-Type"), "application/ocsp-response")
        # Nothing in it says that it may be kept.
        self.assertNotIn("max-age", answer.fields.get("Cache-Control") or "")
        for name in ("ETag", "Expires", "Last-Modified"):
            self.assertFalse(answer.fields.has(name))

    def test_what_is_no_request_is_malformed(self):
        whole = self.world.question("present")
        for body in (b"", b"nonsense", whole[:-1], whole + b"\0", b"\x30\x80" + whole[2:],
                     sequence(sequence(sequence()))):
            with self.subTest(body=body[:8]):
                self.expect_error(self.world.post(body), MALFORMED)

    def test_an_issuer_that_we_do_not_answer_for_is_unauthorized(self):
        issuing = self.pki.read("issuing.cer")
        leaf = int(self.pki.serials["leaf"], 16)
        for algorithm in HASHES:
            question = request(cert_id(issuing, leaf, algorithm))
            self.expect_error(self.world.post(question), UNAUTHORIZED)
        spelling = get_forms(question)["percent-encoded"]
        self.expect_error(self.world.get(spelling), UNAUTHORIZED)

    def test_name_and_key_of_two_different_issuers_are_nobody(self):
        # RFC 6960 4.1.1: both hashes are of the issuer; a name alone is easily taken.
        root, other = (cert_id(self.pki.read(name + ".cer"), 0x2000) for name in ("root", "other"))
        at = root.index(b"\x04\x14")
        mixed = root[:at + 22] + other[at + 22:]
        self.expect_error(self.world.post(request(mixed)), UNAUTHORIZED)

    def test_at_the_path_of_one_authority_only_that_one_answers(self):
        question = self.world.question("gone")
        self.expect_error(self.world.post(question, "/ocsp/other"), UNAUTHORIZED)
        spelling = get_forms(question)["percent-encoded"]
        self.expect_error(self.world.get(spelling, path="/ocsp/other/"), UNAUTHORIZED)
        answer = self.world.get(spelling, path="/ocsp/root/")
        self.assertEqual(read_response(answer.body).answers[0].status, "revoked")

    def test_questions_about_two_authorities_in_one_message_never_hide_a_revocation(self):
        # One answer has one signer; both are answered, or neither is.
        other = cert_id(self.pki.read("other.cer"), 0x1234)
        answer = self.world.post(request(self.world.cert_id("gone"), other))
        self.assertEqual(answer.status, 200)
        for one in read_response(answer.body).answers:
            expected = "revoked" if one.cert_id == self.world.cert_id("gone") else "good"
            self.assertEqual(one.status, expected)

    def test_a_question_that_is_too_long_is_413(self):
        answer = self.world.post(bytes(70000))
        self.assertEqual(answer.status, 413)
        self.assertIn(b"limits.ocsp_request_bytes", answer.body)

    def test_other_methods_are_405(self):
        self.assertEqual(self.world.get("", method="PUT", path="/ocsp").status, 405)

    def test_an_answer_that_is_there_already_is_no_miss_in_the_log_however_its_question_comes(self):
        question = self.world.question("issuing")
        answer = self.world.post(question, "/ocsp/root")
        logged = '"url":"/ocsp/root"'
        self.world.post(question, "/ocsp/earlier-than-those")
        before = self.world.revcache.logged("earlier-than-those").count(logged)
        with Client(self.world.revcache.proxy) as client:
            client.send(b"POST /ocsp/root HTTP/1.1\r\nHost: %s:%d\r\nExpect: 100-continue\r\n"
                        b"%s\r\nContent-Length: %d\r\n\r\n" % (
                            self.world.revcache.proxy[0].encode(), self.world.revcache.proxy[1],
                            REQUEST_TYPE.encode(), len(question)))
            self.assertEqual(client.reader.head().status, 100)
            client.send(question)
            self.assertEqual(client.response().body, answer.body)
        self.assertEqual(self.world.post(question, "/ocsp/root").body, answer.body)
        self.world.post(question, "/ocsp/later-than-those")
        self.assertEqual(self.world.revcache.logged("later-than-those").count(logged), before)

    def test_a_name_that_no_authority_has_is_404(self):
        self.assertEqual(self.world.post(self.world.question("gone"), "/ocsp/nobody").status, 404)

    def test_each_question_that_is_signed_for_leaves_the_connection_open(self):
        host = "Host: %s:%d\r\n" % self.world.revcache.proxy
        with Client(self.world.revcache.proxy) as client:
            for number in range(12):
                nonce = b"%16d" % number
                question = self.world.question("present", nonce=nonce)
                head = "POST /ocsp HTTP/1.1\r\n%s%s\r\nContent-Length: %d\r\n\r\n" % (
                    host, REQUEST_TYPE, len(question))
                if number % 3 == 0:  # head and body together
                    client.send(head.encode() + question)
                elif number % 3 == 1:
                    client.send(head.encode())
                    client.send(question)
                else:
                    client.send("GET /ocsp/{} HTTP/1.1\r\n{}\r\n".format(
                        get_forms(question)["raw"], host).encode())
                self.assertEqual(read_response(client.response().body).nonce, nonce)

    def test_a_host_without_its_port_is_still_us(self):
        # So do OpenSSL's ocsp and GnuTLS' ocsptool.
        question = self.world.question("gone")
        with Client(self.world.revcache.proxy) as client:
            answer = client.ask("/ocsp", REQUEST_TYPE, method="POST", body=question, version="1.0",
                                host=self.world.revcache.proxy[0])
        self.assertEqual(read_response(answer.body).answers[0].status, "revoked")

    # Through the forward proxy

    def forward(self, question, host, form=None):
        if form is None:
            return self.world.revcache.fetch("http://%s/some/path" % host, REQUEST_TYPE,
                                             method="POST", body=question)
        return self.world.revcache.fetch("http://%s/%s" % (host, get_forms(question)[form]))

    def test_a_responder_host_is_answered_for_without_asking_it(self):
        before = len(self.world.origin.requests)
        for host in (RESPONDER_HOST, self.world.origin.authority):
            for form in (None, "raw", "percent-encoded"):
                with self.subTest(host=host, form=form):
                    answer = self.forward(self.world.question("gone"), host, form)
                    self.assertEqual(answer.status, 200)
                    self.assertEqual(read_response(answer.body).answers[0].status, "revoked")
        self.assertEqual(len(self.world.origin.requests), before)

    def test_what_is_not_ours_goes_to_the_responder_itself(self):
        question = request(cert_id(self.pki.read("issuing.cer"), 0x2000))
        before = len(self.world.origin.requests)
        self.assertNotEqual(self.forward(question, self.world.origin.authority).body, UNAUTHORIZED)
        self.assertEqual(len(self.world.origin.requests), before + 1)

    def test_synthesized_answers_are_counted_as_such(self):
        count = lambda: total(self.world.revcache.metrics(), "revcache_requests_total",
                              kind="ocsp", result="synthesized")
        before = count()
        for _ in range(5):
            self.get()
        for _ in turns():
            if count() >= before + 5:
                break
        self.assertEqual(count(), before + 5)


if __name__ == "__main__":
    main.run()
