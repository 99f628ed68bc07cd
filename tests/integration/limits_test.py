"""Each limit turns away or cuts off what exceeds it, and is counted (SPEC: no bound without a
name); slow senders and slow readers do not hold the proxy up."""

import unittest

from harness import main
from harness.client import Client, request_bytes
from harness.der import shaped
from harness.origin import Answer, Origin
from harness.process import Revcache, total
from harness.waiting import turns

LONG = "Cache-Control: max-age=1000"


class Limits(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = lambda request: Answer(fields=("Cache-Control: no-store",),
                                                      body=b"ok")

    def start(self, limits=None, **settings):
        revcache = Revcache(main.binary(), [self.origin.authority],
                            {"limits": limits or {}, **settings}).start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return revcache

    def counted(self, revcache, limit):
        """How often a limit was hit; the wait is for the loop that counts it."""
        for _ in turns():
            count = total(revcache.metrics(), "revcache_client_rejected_total", reason=limit)
            if count:
                break
        return count

    def refused(self, revcache, data, status, limit):
        with Client(revcache.proxy) as client:
            client.send(data)
            self.assertEqual(client.response().status, status)
            self.assertTrue(client.closed())
        self.assertEqual(self.counted(revcache, limit), 1)
        self.assertEqual(self.origin.octets, b"")

    def url(self, path="/x"):
        return self.origin.url(path)

    # Sizes

    def test_header_bytes(self):
        self.refused(self.start({"header_bytes": "2KiB", "target_bytes": "1KiB"}),
                     request_bytes(self.url(), "X-A: " + "a" * 3000), 431, "header_bytes")

    def test_header_fields(self):
        self.refused(self.start({"header_fields": 20}),
                     request_bytes(self.url(), *["X-%d: a" % n for n in range(30)]), 431,
                     "header_fields")

    def test_target_bytes(self):
        self.refused(self.start({"target_bytes": "512B"}),
                     request_bytes(self.url("/" + "a" * 600)), 414, "target_bytes")

    def test_within_the_sizes_all_is_well(self):
        revcache = self.start({"header_bytes": "2KiB", "header_fields": 20, "target_bytes": "512B",
                               "request_body_bytes": "1KiB"})
        answer = revcache.fetch(self.url("/" + "a" * 400), "X-A: " + "a" * 1000,
                                *["X-%d: a" % n for n in range(10)], method="POST",
                                body=b"b" * 1024)
        self.assertEqual(answer.status, 200)

    def test_request_body_bytes(self):
        self.refused(self.start({"request_body_bytes": "1KiB"}),
                     request_bytes(self.url(), method="POST", body=b"b" * 1025), 413, "body_bytes")

    def test_ocsp_request_bytes(self):
        self.refused(self.start({"ocsp_request_bytes": "1KiB"}),
                     request_bytes(self.url(), "Content-Type: application/ocsp-request",
                                   method="POST", body=b"b" * 1025), 413, "body_bytes")

    def test_object_max_refuses_what_must_be_held(self):
        revcache = self.start({"streamed_body_bytes": "64KiB"}, cache={"object_max": "64KiB"})
        self.origin.script("/big.crl", *[Answer(fields=(LONG,), body=shaped("big", 100000))] * 4)
        self.assertEqual(revcache.fetch(self.url("/big.crl")).status, 502)
        body = b"o" * 100000
        self.origin.script("/big.bin", *[Answer(fields=(LONG,), body=body)] * 2)
        for _ in range(2):  # streamed, not kept
            self.assertEqual(revcache.fetch(self.url("/big.bin")).body, body)
        self.assertEqual(len(self.origin.seen("/big.bin")), 2)

    # Connections

    def test_connections_per_client(self):
        revcache = self.start({"connections_per_client": 3})
        clients = [Client(revcache.proxy, source=("127.0.0.9", 0)) for _ in range(3)]
        for client in clients:
            self.assertEqual(client.ask(self.url()).status, 200)
        with Client(revcache.proxy, source=("127.0.0.9", 0)) as one_more:
            one_more.send(request_bytes(self.url()))
            self.assertTrue(one_more.closed() or one_more.response().status == 503)
        self.assertEqual(self.counted(revcache, "connections_per_client"), 1)
        with Client(revcache.proxy, source=("127.0.0.8", 0)) as another:
            self.assertEqual(another.ask(self.url()).status, 200)
        for client in clients:
            client.close()

    def test_connections_in_all(self):
        revcache = self.start({"connections": 4, "connections_per_client": 4})
        clients = [Client(revcache.proxy) for _ in range(4)]
        for client in clients:
            self.assertEqual(client.ask(self.url()).status, 200)
        with Client(revcache.proxy) as one_more:
            one_more.send(request_bytes(self.url()))
            self.assertTrue(one_more.closed() or one_more.response().status == 503)
        self.assertGreaterEqual(self.counted(revcache, "connections"), 1)
        for client in clients:
            client.close()
        for _ in turns():
            with Client(revcache.proxy) as later:
                if later.send(request_bytes(self.url())) and not later.closed():
                    self.assertEqual(later.response().status, 200)
                    return
        self.fail("no connection is taken although all others are closed")

    def test_requests_per_connection(self):
        revcache = self.start({"requests_per_connection": 2})
        with Client(revcache.proxy) as client:
            self.assertEqual(client.ask(self.url()).status, 200)
            last = client.ask(self.url())
            self.assertEqual(last.fields.get("Connection"), "close")
            self.assertTrue(client.closed())

    # Time

    def test_header_timeout(self):
        revcache = self.start({"header_timeout": "1s"})
        with Client(revcache.proxy) as client:
            client.send(b"GET " + self.url().encode() + b" HTTP/1.1\r\nHos")
            self.assertEqual(client.response().status, 408)
            self.assertTrue(client.closed())
        self.assertEqual(self.counted(revcache, "header_timeout"), 1)
        self.assertEqual(self.origin.octets, b"")

    def test_header_timeout_is_not_put_off_by_single_octets(self):
        revcache = self.start({"header_timeout": "1s"})
        with Client(revcache.proxy, timeout=0.05) as client:
            data = b"GET " + self.url().encode() + b" HTTP/1.1\r\n" + b"X-A: a\r\n" * 100000
            for position in range(2000):
                if not client.send(data[position:position + 1]):
                    break
                try:
                    if client.sock.recv(100):
                        break
                except TimeoutError:
                    pass  # the pace of a slow sender: one octet in 50 ms
                except ConnectionResetError:
                    break
            else:
                self.fail("a slow sender is served for ever")
        self.assertEqual(self.counted(revcache, "header_timeout"), 1)

    def test_body_timeout(self):
        revcache = self.start({"body_timeout": "1s"})
        with Client(revcache.proxy) as client:
            client.send(request_bytes(self.url(), "Content-Length: 100", method="POST",
                                      body=b"abc"))
            self.assertEqual(client.response("POST").status, 408)
            self.assertTrue(client.closed())
        self.assertEqual(self.counted(revcache, "body_timeout"), 1)
        self.assertEqual(self.origin.requests, [])

    def test_idle_timeout_closes_without_a_word(self):
        revcache = self.start({"idle_timeout": "1s"})
        with Client(revcache.proxy) as client:
            self.assertEqual(client.ask(self.url()).status, 200)
            self.assertTrue(client.closed())
        with Client(revcache.proxy) as silent:
            self.assertTrue(silent.closed())

    def test_write_timeout_cuts_a_client_that_does_not_read(self):
        revcache = self.start({"write_timeout": "1s", "idle_timeout": "1h"})
        body = b"w" * (32 << 20)
        self.origin.script("/w", Answer(fields=("Cache-Control: no-store",), body=body))
        with Client(revcache.proxy) as client:
            client.send(request_bytes(self.url("/w")))
            self.assertGreaterEqual(self.counted(revcache, "write_timeout"), 1)
            self.assertLess(len(client.rest()), len(body))

    def test_a_slow_reader_does_not_hold_others_up(self):
        revcache = self.start()
        self.origin.script("/s", Answer(fields=("Cache-Control: no-store",), body=b"s" * (8 << 20)))
        with Client(revcache.proxy) as slow:
            slow.send(request_bytes(self.url("/s")))
            slow.reader.exactly(1)
            for _ in range(20):
                self.assertEqual(revcache.fetch(self.url()).status, 200)
            slow.reader.buffer = slow.reader.taken + slow.reader.buffer
            self.assertEqual(len(slow.response().body), 8 << 20)

    # Upstream

    def silent(self, revcache, status=504):
        self.origin.script("/silent", *[Answer(raw=b"", then="stall")] * 8)
        answer = revcache.fetch(self.url("/silent"))
        self.assertEqual(answer.status, status)

    def test_a_silent_origin_is_504(self):
        self.silent(self.start(upstream={"timeout": "2s", "attempt_timeout": "1s",
                                         "connect_timeout": "1s"}))

    def test_an_origin_that_stops_in_the_middle_is_no_answer(self):
        revcache = self.start(upstream={"timeout": "2s", "attempt_timeout": "1s",
                                        "connect_timeout": "1s"})
        self.origin.script("/half.crl", *[Answer(fields=(LONG,), body=shaped("half"), length=5000,
                                                 then="stall")] * 8)
        self.assertIn(revcache.fetch(self.url("/half.crl")).status, (502, 504))

    def test_a_stale_copy_answers_for_a_silent_origin(self):
        revcache = self.start(upstream={"timeout": "2s", "attempt_timeout": "1s",
                                        "connect_timeout": "1s"})
        self.origin.script("/stale", Answer(fields=("Cache-Control: max-age=1, stale-if-error=999",
                                                    "Age: 9"), body=b"stale"),
                           *[Answer(raw=b"", then="stall")] * 8)
        for _ in range(2):
            self.assertEqual(revcache.fetch(self.url("/stale")).body, b"stale")


if __name__ == "__main__":
    main.run()
