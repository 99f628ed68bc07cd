"""The harness itself: origin, client and table checks, without any proxy between them."""

import threading
import unittest

from harness import main
from harness.client import Client, fetch, request_bytes
from harness.der import shaped, tlv
from harness.origin import Answer, Origin, expand
from harness.process import merged, parse_metrics, toml, total
from harness.table import CACHE_STATUS, Step, check_step
from harness.wire import Fields, Malformed, Message


class OriginAndClient(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.address = (self.origin.host, self.origin.port)

    def test_answers_in_the_order_of_the_script_and_records_every_octet(self):
        self.origin.script("/a", Answer(fields=("X-A: 1",)), Answer(status=404, body=b"gone"))
        sent = request_bytes("/a?q", "X-B:  2 ", host="h")
        with Client(self.address) as client:
            client.send(sent)
            first = client.response()
            second = client.ask("/a", host="h")
        self.assertEqual((first.status, first.body), (200, b"answer 0 of /a\n"))
        self.assertEqual((second.status, second.body), (404, b"gone"))
        self.assertEqual(self.origin.seen("/a")[0].raw, sent)
        self.assertEqual(self.origin.seen("/a")[0].fields.get("x-b"), "2")

    def test_a_request_beyond_the_script_is_a_marked_error(self):
        self.assertTrue(fetch(self.address, "/none", host="h").fields.has("X-Unexpected"))

    def test_all_framings_arrive_complete(self):
        body = bytes(range(256)) * 300
        self.origin.script("/f", *[Answer(body=body, framing=how)
                                   for how in ("length", "chunked", "close")])
        for _ in range(3):
            self.assertEqual(fetch(self.address, "/f", host="h").body, body)

    def test_trailers_and_interim_responses_are_kept_apart(self):
        self.origin.script("/t", Answer(framing="chunked", trailers=("X-T: 1",),
                                        interim=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"))
        response = fetch(self.address, "/t", host="h")
        self.assertEqual(response.trailers.get("X-T"), "1")
        self.assertEqual(response.interim[0].status, 103)

    def test_a_wrong_length_is_seen_as_an_early_end(self):
        self.origin.script("/w", Answer(length=100, then="close"))
        with self.assertRaises(EOFError):
            fetch(self.address, "/w", host="h")

    def test_a_reset_is_an_error_of_the_socket(self):
        self.origin.script("/r", Answer(raw=b"HTTP/1.1 200 OK\r\n", then="reset"))
        with self.assertRaises((ConnectionResetError, EOFError)):
            fetch(self.address, "/r", host="h")

    def test_a_gate_holds_the_answer_until_it_is_opened(self):
        gate = threading.Event()
        self.origin.script("/g", Answer(gate=gate))
        with Client(self.address) as client:
            client.send(request_bytes("/g", host="h"))
            self.origin.wait_for("/g", 1)
            gate.set()
            self.assertEqual(client.response().status, 200)

    def test_head_and_304_have_no_body(self):
        self.origin.script("/h", Answer(), Answer(status=304))
        with Client(self.address) as client:
            head = client.ask("/h", host="h", method="HEAD")
            self.assertEqual((head.fields.get("Content-Length"), head.body), ("15", b""))
            self.assertEqual(client.ask("/h", host="h").status, 304)

    def test_malformed_requests_are_recorded_as_failures(self):
        with Client(self.address) as client:
            client.send(b"GET /\r\n\r\n")
            self.assertTrue(client.closed())
        self.assertEqual(len(self.origin.failures), 1)


class StrictReader(unittest.TestCase):
    def test_refuses_what_no_proxy_may_send(self):
        for raw in (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n",
                    b"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n"):
            with self.subTest(raw=raw), Origin() as origin:
                origin.script("/", Answer(raw=raw))
                with self.assertRaises(Malformed):
                    fetch((origin.host, origin.port), "/", host="h")


class Checks(unittest.TestCase):
    @staticmethod
    def response(*lines, start="HTTP/1.1 200 OK"):
        standard = [("Date", "d"), ("Via", "1.1 revcache")]
        return Message(start=start, fields=Fields(standard + [tuple(line.split(": ", 1))
                                                              for line in lines]))

    def refuses(self, step, response, seen=()):
        with self.assertRaises(AssertionError):
            check_step(step, response, list(seen), 0)

    def test_each_expectation_of_a_step_can_fail(self):
        hit = Step(upstream=0)
        check_step(hit, self.response("Age: 3", "Cache-Status: revcache; hit; ttl=3"), [], 0)
        self.refuses(hit, self.response(start="HTTP/1.1 404 No"))
        self.refuses(hit, self.response(), [Message(start="GET / HTTP/1.1")])
        self.refuses(hit, self.response("Keep-Alive: 1"))
        self.refuses(hit, self.response("Date: again"))
        self.refuses(hit, self.response("Cache-Status: revcache hit"))
        self.refuses(Step(upstream=0, age=(4, 9)), self.response("Age: 3"))
        self.refuses(Step(upstream=0, age=(None, None)), self.response("Age: 3"))
        self.refuses(Step(upstream=0, has=("X-A: 1",)), self.response("X-A: 2"))
        self.refuses(Step(upstream=0, has=("X-A ~ ^1$",)), self.response("X-A: 2"))
        self.refuses(Step(upstream=0, lacks=("X-A",)), self.response("X-A: 2"))
        self.refuses(Step(upstream=0, cache="; hit"), self.response())
        request = Message(start="GET / HTTP/1.1", fields=Fields([("A", "1")]))
        check_step(Step(sees=("A: 1",), sees_not=("B",)), self.response(), [request], 0)
        self.refuses(Step(sees=("A: 2",)), self.response(), [request])
        self.refuses(Step(sees_not=("A",)), self.response(), [request])
        self.refuses(Step(), self.response("Cache-Status: revcache; hit"), [request])

    def test_cache_status_pattern_follows_rfc_9211(self):
        for good in ("revcache; hit", "revcache; hit; ttl=-3; detail=stale",
                     "revcache; fwd=stale; fwd-status=304; ttl=60; stored"):
            self.assertTrue(CACHE_STATUS.match(good), good)
        for bad in ("revcache;hit=1", "other; hit", "revcache; fwd=unknown", "revcache; ttl=x"):
            self.assertFalse(CACHE_STATUS.match(bad), bad)

    def test_dates_in_field_lines_are_expanded(self):
        self.assertRegex(expand("Expires: {+60}"), r"^Expires: \w{3}, \d\d \w{3} \d{4} .* GMT$")

    def test_settings_become_toml(self):
        self.assertEqual(toml(merged({"a": {"b": 1}}, {"a": {"c": ["x"]}, "m": [{"h": True}]})),
                         '[a]\nb = 1\nc = ["x"]\n[[m]]\nh = true\n')

    def test_metrics_are_read_strictly(self):
        text = '# HELP a b\n# TYPE a counter\na{x="1",y="2"} 3\na{x="2",y="2"} 4\n'
        self.assertEqual(total(parse_metrics(text), "a", y="2"), 7)
        for bad in ("a 1\n", "# TYPE a counter\na 1\na 1\n", "# TYPE a counter\na{x=1} 1\n"):
            with self.assertRaises(AssertionError):
                parse_metrics(bad)

    def test_der_lengths(self):
        self.assertEqual(tlv(0x30, b"x" * 200)[:3], b"\x30\x81\xc8")
        self.assertEqual(shaped("a", 900), shaped("a", 900))
        self.assertNotEqual(shaped("a"), shaped("b"))


if __name__ == "__main__":
    main.run()
