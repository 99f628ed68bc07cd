"""OCSP through the proxy: a POST and every spelling of its GET are one entry (RFC 6960, 5019)."""

import base64
import threading
import unittest

from harness import main
from harness.origin import Answer, Origin, path_of
from harness.pki import Authority, get_form
from harness.process import Revcache

REQUEST_TYPE = "Content-Type: application/ocsp-request"
RESPONSE_TYPE = "Content-Type: application/ocsp-response"


class Ocsp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.remove)
        cls.leaves = [cls.authority.issue("leaf%d" % number) for number in range(3)]
        cls.authority.revoke(cls.leaves[1])
        cls.requests = [cls.authority.ocsp_request(leaf) for leaf in cls.leaves]
        cls.responses = [cls.authority.ocsp_response(request) for request in cls.requests]

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = self.respond
        self.fields = ("Cache-Control: max-age=1000", RESPONSE_TYPE)
        self.revcache = Revcache(main.binary(), [self.origin.authority])
        self.revcache.start()
        self.addCleanup(self.revcache.remove)
        self.addCleanup(self.revcache.stop)

    def respond(self, request):
        """The responder: finds the question in either form and answers with prepared bytes."""
        question = request.body
        if request.method == "GET":
            text = path_of(request.target).split("/ocsp/", 1)[1]
            for code, plain in (("%2B", "+"), ("%2F", "/"), ("%3D", "=")):
                text = text.replace(code, plain)
            question = base64.b64decode(text + "=" * (-len(text) % 4))
        body = self.responses[self.requests.index(question)] if question in self.requests \
            else self.responses[0]
        return Answer(fields=self.fields, body=body)

    def post(self, request, *lines, path="/ocsp"):
        return self.revcache.fetch(self.origin.url(path), REQUEST_TYPE, *lines, method="POST",
                                   body=request)

    def get(self, spelling, path="/ocsp/"):
        return self.revcache.fetch(self.origin.url(path + spelling))

    def expect(self, response, number, fetches):
        self.assertEqual((response.status, response.body), (200, self.responses[number]))
        self.assertEqual(len(self.origin.requests), fetches)

    def test_a_post_is_answered_from_the_cache(self):
        self.expect(self.post(self.requests[0]), 0, 1)
        again = self.post(self.requests[0])
        self.expect(again, 0, 1)
        self.assertEqual(again.fields.get("Content-Type"), "application/ocsp-response")
        self.assertTrue(again.fields.has("Age"))

    def test_what_the_responder_gets_is_what_the_client_sent(self):
        self.post(self.requests[0])
        seen = self.origin.requests[0]
        self.assertEqual((seen.method, seen.body), ("POST", self.requests[0]))
        self.assertEqual(seen.fields.get("Content-Type"), "application/ocsp-request")

    def test_post_then_every_spelling_of_get(self):
        self.expect(self.post(self.requests[0]), 0, 1)
        encoded = get_form(self.requests[0])
        raw = get_form(self.requests[0], quote=False)
        for spelling in (encoded, raw, encoded.lower() if "%" not in encoded else
                         encoded.replace("%2B", "%2b").replace("%3D", "%3d").replace("%2F", "%2f"),
                         raw.rstrip("="), raw.replace("=", "%3D")):
            with self.subTest(spelling=spelling):
                self.expect(self.get(spelling), 0, 1)

    def test_get_then_post(self):
        self.expect(self.get(get_form(self.requests[0])), 0, 1)
        self.expect(self.post(self.requests[0]), 0, 1)

    def test_each_certificate_has_an_entry_of_its_own(self):
        for number in range(3):
            self.expect(self.post(self.requests[number]), number, number + 1)
        for number in range(3):
            self.expect(self.get(get_form(self.requests[number])), number, 3)

    def test_two_slashes_in_base64_are_not_merged(self):
        request = self.authority.ocsp_request_for_serial("0x" + "FF" * 12)
        answer = self.authority.ocsp_response(request)
        self.requests, self.responses = [request], [answer]
        spelling = get_form(request, quote=False)
        self.assertIn("//", spelling)
        self.assertEqual(self.get(spelling).body, answer)
        self.assertTrue(self.origin.requests[0].target.endswith("/ocsp/" + spelling))
        self.assertEqual(self.get(get_form(request)).body, answer)
        self.assertEqual(self.post(request).body, answer)
        self.assertEqual(len(self.origin.requests), 1)

    def test_sha_256_is_another_question(self):
        other = self.authority.ocsp_request(self.leaves[0], "-sha256", "-no_nonce")
        self.post(self.requests[0])
        self.post(other)
        self.assertEqual(len(self.origin.requests), 2)

    def test_a_nonce_goes_upstream_each_time(self):
        nonced = self.authority.ocsp_request(self.leaves[0], "-nonce")
        self.post(self.requests[0])
        self.post(nonced)
        self.post(nonced)
        self.assertEqual(len(self.origin.requests), 3)
        self.expect(self.post(self.requests[0]), 0, 3)

    def test_a_nonce_gets_the_stored_answer_when_the_responder_fails(self):
        nonced = self.authority.ocsp_request(self.leaves[0], "-nonce")
        self.expect(self.post(self.requests[0]), 0, 1)
        self.origin.fallback = lambda request: Answer(raw=b"", then="close")
        answer = self.post(nonced)
        self.assertEqual((answer.status, answer.body), (200, self.responses[0]))

    def test_a_second_responder_is_not_asked_the_first_ones_entry(self):
        with Origin() as other:
            other.fallback = self.respond
            self.revcache.settings["access"]["destinations"].append(other.authority)
            self.revcache.stop()
            self.revcache.start()
            self.post(self.requests[0])
            self.revcache.fetch(other.url("/ocsp"), REQUEST_TYPE, method="POST",
                                body=self.requests[0])
            self.assertEqual((len(self.origin.requests), len(other.requests)), (1, 1))

    def test_what_is_no_response_is_refused_and_not_kept(self):
        for body in (b"<html>", b"", self.responses[0][:-1], self.responses[0] + b"\0"):
            with self.subTest(body=body[:10]):
                self.origin.fallback = lambda request, body=body: Answer(fields=self.fields,
                                                                         body=body)
                answer = self.post(self.requests[2])
                self.assertEqual(answer.status, 502)
                self.assertNotIn(b"<html>", answer.body)

    def test_twenty_posts_at_once_are_one_fetch(self):
        gate = threading.Event()
        self.origin.fallback = lambda request: Answer(fields=self.fields, gate=gate,
                                                      body=self.responses[0])
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.post(self.requests[0])))
                   for _ in range(20)]
        for thread in threads:
            thread.start()
        self.origin.wait_for("/ocsp", 1)
        gate.set()
        for thread in threads:
            thread.join()
        self.assertEqual({(a.status, a.body) for a in answers}, {(200, self.responses[0])})
        self.assertEqual(len(answers), 20)
        self.assertEqual(len(self.origin.requests), 1)

    def test_without_freshness_nothing_is_kept(self):
        self.fields = ("Cache-Control: no-store", RESPONSE_TYPE)
        self.post(self.requests[0])
        self.expect(self.post(self.requests[0]), 0, 2)


if __name__ == "__main__":
    main.run()
