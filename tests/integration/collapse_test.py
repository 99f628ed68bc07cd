"""One fetch per key however many ask, hand-over when it fails, and negative answers."""

import re
import threading
import unittest

from harness import main
from harness.client import Client, request_bytes
from harness.der import shaped
from harness.origin import Answer, Origin
from harness.process import Revcache, free_port, total
from harness.waiting import turns

LONG = "Cache-Control: max-age=1000"
MANY = 20


class Collapse(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.dead = "127.0.0.1:%d" % free_port("127.0.0.1")
        self.revcache = Revcache(main.binary(), [self.origin.authority, self.dead]).start()
        self.addCleanup(self.revcache.remove)
        self.addCleanup(self.revcache.stop)

    def ask_many(self, path, gate, count=MANY, lines=()):
        """`count` clients that ask at once; the origin answers when all their requests are with
        the proxy and waiting there."""
        waiting = total(self.revcache.metrics(), "revcache_requests_in_flight")
        clients = [Client(self.revcache.proxy) for _ in range(count)]
        for client in clients:
            client.send(request_bytes(self.origin.url(path), *lines))
        self.origin.wait_for(path, 1)
        for _ in turns():
            now = total(self.revcache.metrics(), "revcache_requests_in_flight")
            if now - waiting >= count:
                break
        self.assertGreaterEqual(now - waiting, count)
        gate.set()
        responses = [client.response() for client in clients]
        for client in clients:
            client.close()
        return responses

    def test_many_clients_share_one_fetch(self):
        gate = threading.Event()
        self.origin.script("/one", Answer(fields=(LONG,), gate=gate, body=b"shared"))
        responses = self.ask_many("/one", gate)
        self.assertEqual({(r.status, r.body) for r in responses}, {(200, b"shared")})
        self.assertEqual(len(self.origin.seen("/one")), 1)
        # One that was still looking on disk when the fetch ended finds its answer in memory.
        shared = [r for r in responses
                  if re.search("collapsed|hit", r.fields.get("Cache-Status") or "")]
        self.assertEqual(len(shared), MANY - 1)

    def test_many_clients_share_one_fetch_of_a_crl(self):
        gate = threading.Event()
        body = shaped("collapse", 100000)
        self.origin.script("/one.crl", Answer(fields=(LONG,), gate=gate, body=body))
        responses = self.ask_many("/one.crl", gate)
        self.assertEqual({(r.status, r.body) for r in responses}, {(200, body)})
        self.assertEqual(len(self.origin.seen("/one.crl")), 1)

    def test_many_clients_share_one_validation(self):
        gate = threading.Event()
        self.origin.script("/val", Answer(fields=("Cache-Control: max-age=0", 'ETag: "a"'),
                                          body=b"kept"),
                           Answer(fields=(LONG, 'ETag: "a"'), status=304, gate=gate))
        self.assertEqual(self.revcache.fetch(self.origin.url("/val")).body, b"kept")
        clients = [Client(self.revcache.proxy) for _ in range(MANY)]
        for client in clients:
            client.send(request_bytes(self.origin.url("/val")))
        self.origin.wait_for("/val", 2)
        gate.set()
        self.assertEqual({client.response().body for client in clients}, {b"kept"})
        for client in clients:
            client.close()
        self.assertEqual(len(self.origin.seen("/val")), 2)

    def test_an_uncacheable_answer_is_not_shared(self):
        gate = threading.Event()
        self.origin.fallback = lambda request: Answer(fields=("Cache-Control: no-store",),
                                                      gate=gate, body=b"%d" % id(request))
        responses = self.ask_many("/private", gate)
        self.assertEqual(len({r.body for r in responses}), MANY)

    def test_a_fetch_that_dies_is_handed_over(self):
        gate = threading.Event()
        self.origin.script("/dies", Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Le", then="reset",
                                           gate=gate),
                           *[Answer(fields=(LONG,), body=b"second")] * MANY)
        responses = self.ask_many("/dies", gate)
        self.assertTrue({r.status for r in responses} <= {200, 502})
        self.assertIn(b"second", {r.body for r in responses})
        self.assertLessEqual(len(self.origin.seen("/dies")), 6)

    def test_the_fetch_goes_on_when_its_first_client_leaves(self):
        gate = threading.Event()
        self.origin.script("/leaves", Answer(fields=(LONG,), gate=gate, body=b"for the others"),
                           Answer(fields=(LONG,), body=b"for the others"))
        first = Client(self.revcache.proxy)
        first.send(request_bytes(self.origin.url("/leaves")))
        self.origin.wait_for("/leaves", 1)
        with Client(self.revcache.proxy) as second:
            second.send(request_bytes(self.origin.url("/leaves")))
            first.close()
            gate.set()
            self.assertEqual(second.response().body, b"for the others")

    def test_another_key_does_not_wait(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.origin.script("/slow", Answer(fields=(LONG,), gate=gate))
        with Client(self.revcache.proxy) as slow:
            slow.send(request_bytes(self.origin.url("/slow")))
            self.origin.wait_for("/slow", 1)
            self.assertEqual(self.revcache.fetch(self.origin.url("/quick")).status, 500)
            gate.set()
            self.assertEqual(slow.response().status, 200)

    def test_a_refused_connection_is_502_and_remembered_for_a_moment(self):
        for _ in range(3):
            answer = self.revcache.fetch("http://%s/x.crl" % self.dead)
            self.assertEqual(answer.status, 502)
            self.assertTrue(answer.body)

    def test_a_failure_never_hides_a_good_copy(self):
        self.origin.script("/good", Answer(fields=("Cache-Control: max-age=100, "
                                                   "stale-if-error=1000", "Age: 200"),
                                           body=b"good"), *[Answer(status=500)] * 5)
        self.assertEqual(self.revcache.fetch(self.origin.url("/good")).body, b"good")
        for _ in range(3):
            answer = self.revcache.fetch(self.origin.url("/good"))
            self.assertEqual((answer.status, answer.body), (200, b"good"))


if __name__ == "__main__":
    main.run()
