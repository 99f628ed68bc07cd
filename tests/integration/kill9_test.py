"""kill -9 under load: whatever the disk holds afterwards, an answer is the origin's own bytes, and
what was written before is still warm."""

import random
import threading
import unittest

from harness import main
from harness.client import Client
from harness.der import shaped
from harness.origin import Answer, Origin, path_of
from harness.process import Revcache, total

ROUNDS = 8
KEYS = 120
LOADERS = 4
SEED = 20240607


def body_of(path):
    """What the origin has under a path: from 300 octets to 300 KiB, the same for ever."""
    size = random.Random(path).choice([300, 3000, 30000, 300000])
    return shaped(path, size)


class Kill9(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = lambda request: Answer(
            fields=("Cache-Control: max-age=100000", 'ETag: "%s"' % path_of(request.target)[1:]),
            body=body_of(path_of(request.target)))
        self.revcache = Revcache(main.binary(), [self.origin.authority])
        self.addCleanup(self.revcache.remove)
        self.damaged = []

    def load(self, seed, stop, asked):
        """One loader: random keys until told to stop or the proxy is gone."""
        choice = random.Random(seed)
        client = None
        while not stop.is_set():
            path = "/%d.crl" % choice.randrange(KEYS)
            try:
                client = client or Client(self.revcache.proxy)
                response = client.ask(self.origin.url(path))
                if response.status != 200 or response.body != body_of(path):
                    self.damaged.append((path, response.start, len(response.body)))
            except (OSError, EOFError):  # killed in the middle: nothing was claimed complete
                client = None
            asked.release()
        if client:
            client.close()

    def kill_under_load(self, number):
        """Starts, loads, kills after a seeded number of answers."""
        self.revcache.start()
        stop = threading.Event()
        asked = threading.Semaphore(0)
        loaders = [threading.Thread(target=self.load, args=(repr((SEED, number, loader)),
                                                            stop, asked))
                   for loader in range(LOADERS)]
        for loader in loaders:
            loader.start()
        for _ in range(random.Random(SEED + number).randrange(20, 300)):
            asked.acquire(timeout=60)
        self.revcache.kill()
        stop.set()
        for loader in loaders:
            loader.join()

    def test_answers_after_each_kill_are_whole_or_misses(self):
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=SEED):
                self.kill_under_load(number)
                self.assertEqual(self.damaged, [])
        self.revcache.start()
        self.addCleanup(self.revcache.stop)
        hits = 0
        for key in range(KEYS):
            path = "/%d.crl" % key
            before = len(self.origin.requests)
            response = self.revcache.fetch(self.origin.url(path))
            self.assertEqual((response.status, response.body), (200, body_of(path)), path)
            hits += len(self.origin.requests) == before
        self.assertGreater(hits, KEYS // 4)  # warm: from disk, memory is new
        self.assertGreaterEqual(total(self.revcache.metrics(), "revcache_cache_lookups_total",
                                      tier="disk", outcome="hit"), hits)
        self.assertNotIn("set aside", self.revcache.log())

    def test_what_was_written_before_a_clean_stop_is_warm(self):
        self.revcache.start()
        for key in range(20):
            self.revcache.fetch(self.origin.url("/%d.crl" % key))
        self.revcache.stop()
        fetches = len(self.origin.requests)
        self.revcache.start()
        self.addCleanup(self.revcache.stop)
        for key in range(20):
            response = self.revcache.fetch(self.origin.url("/%d.crl" % key))
            self.assertEqual(response.body, body_of("/%d.crl" % key))
            self.assertIn("hit", response.fields.get("Cache-Status"))
            self.assertEqual(response.fields.get("ETag"), '"%d.crl"' % key)
        self.assertEqual(len(self.origin.requests), fetches)


if __name__ == "__main__":
    main.run()
