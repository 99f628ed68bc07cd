"""The disk tier seen from outside: objects larger than memory, damage of every kind, its bound."""

import glob
import os
import random
import unittest

from harness import main
from harness.client import Client
from harness.der import shaped
from harness.origin import Answer, Origin, path_of
from harness.process import Revcache, total
from harness.waiting import turns

SEED = 20240608
LONG = "Cache-Control: max-age=100000"


def body_of(path):
    """The origin's bytes under a path: a size may be named in it, as in /5000/x.crl."""
    parts = path.split("/")
    return shaped(path, int(parts[1]) if parts[1].isdigit() else 3000)


class Disk(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = lambda request: Answer(
            fields=(LONG, 'ETag: "e"'), body=body_of(path_of(request.target)))

    def make(self, **cache):
        revcache = Revcache(main.binary(), [self.origin.authority], {"cache": cache})
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return revcache

    def get(self, revcache, path, *lines):
        return revcache.fetch(self.origin.url(path), *lines)

    def check(self, revcache, path):
        """True when it was no miss; the bytes are right in any case."""
        before = len(self.origin.requests)
        response = self.get(revcache, path)
        self.assertEqual((response.status, response.body), (200, body_of(path)), path)
        return len(self.origin.requests) == before

    def filled_and_stopped(self, count=30):
        revcache = self.make().start()
        for number in range(count):
            self.assertFalse(self.check(revcache, "/%d/%d.crl" % (number * 977, number)))
        revcache.stop()
        return revcache

    def files(self, revcache):
        directory = revcache.settings["cache"]["directory"]
        return sorted(path for path in glob.glob(directory + "/**", recursive=True)
                      if os.path.isfile(path))

    # Sizes

    def test_an_object_too_large_for_memory_is_served_from_disk(self):
        revcache = self.make(memory="4MiB").start()
        path = "/6000000/large.crl"
        self.assertFalse(self.check(revcache, path))
        for _ in turns():  # the write to disk is behind the answer
            hit = self.check(revcache, path)
            if hit:
                break
        self.assertTrue(hit)
        part = self.get(revcache, path, "Range: bytes=1048570-2097160")
        self.assertEqual((part.status, part.body), (206, body_of(path)[1048570:2097161]))
        with Client(revcache.proxy) as client:
            head = client.ask(self.origin.url(path), method="HEAD")
            self.assertEqual(head.fields.get("Content-Length"), str(len(body_of(path))))

    def test_without_disk_nothing_is_written(self):
        revcache = self.make(disk="0", object_max="16MiB").start()
        self.assertFalse(self.check(revcache, "/a.crl"))
        self.assertTrue(self.check(revcache, "/a.crl"))
        self.assertEqual(self.files(revcache), [])

    def test_what_falls_out_of_memory_is_found_on_disk(self):
        revcache = self.make(memory="1MiB").start()
        paths = ["/100000/%d.crl" % number for number in range(40)]
        for path in paths:
            self.check(revcache, path)
        hits = sum(self.check(revcache, path) for path in paths)
        self.assertGreaterEqual(hits, 36)
        self.assertGreater(total(revcache.metrics(), "revcache_cache_lookups_total", tier="disk",
                                 outcome="hit"), 20)

    def test_the_bound_holds_with_garbage_counted(self):
        revcache = self.make(memory="1MiB", disk="32MiB").start()
        for number in range(120):
            self.check(revcache, "/1000000/%d.crl" % number)
        # What is written is bounded by the limit and the slack of files that are being replaced.
        for _ in turns():
            used = sum(os.path.getsize(path) for path in self.files(revcache)
                       if os.path.exists(path))
            if used <= 64 << 20:
                break
            self.check(revcache, "/0.crl")
        self.assertLessEqual(used, 64 << 20)

    # Damage

    def test_a_database_of_garbage_is_set_aside(self):
        revcache = self.filled_and_stopped()
        for path in self.files(revcache):
            with open(path, "wb") as file:
                file.write(b"garbage" * 100)
        revcache.start()
        for number in range(5):
            self.check(revcache, "/%d/%d.crl" % (number * 977, number))
        self.assertTrue(self.check(revcache, "/0/0.crl"))
        self.assertTrue(glob.glob(revcache.settings["cache"]["directory"] + ".corrupt-*"))

    def test_missing_files_do_not_hinder_serving(self):
        for name in ("CURRENT", "MANIFEST*", "*.sst", "*.blob", "*.log"):
            with self.subTest(missing=name):
                revcache = self.filled_and_stopped()
                for path in glob.glob(os.path.join(revcache.settings["cache"]["directory"], "**",
                                                   name), recursive=True):
                    os.unlink(path)
                revcache.start()
                for number in range(30):
                    self.check(revcache, "/%d/%d.crl" % (number * 977, number))

    def test_flipped_bits_are_misses_and_never_answers(self):
        for round_number in range(4):
            with self.subTest(round=round_number, seed=SEED):
                dice = random.Random(SEED + round_number)
                revcache = self.filled_and_stopped()
                for path in self.files(revcache):
                    flip(path, dice)
                revcache.start()
                for number in range(30):
                    self.check(revcache, "/%d/%d.crl" % (number * 977, number))

    def test_truncated_files_are_misses_and_never_answers(self):
        revcache = self.filled_and_stopped()
        for path in self.files(revcache):
            os.truncate(path, os.path.getsize(path) * 2 // 3)
        revcache.start()
        for number in range(30):
            self.check(revcache, "/%d/%d.crl" % (number * 977, number))


def flip(path, dice):
    """One bit in each 4 KiB of a file."""
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        for start in range(0, len(data), 4096):
            position = min(start + dice.randrange(4096), len(data) - 1)
            data[position] ^= 1 << dice.randrange(8)
        file.seek(0)
        file.write(data)


if __name__ == "__main__":
    main.run()
