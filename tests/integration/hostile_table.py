"""Plays one group of hostile/ through the binary: `hostile_table.py --binary B --group syntax`."""

import argparse
import importlib
import sys
import unittest

from harness.hostile import Player
from harness.origin import Origin
from harness.process import Revcache

SETTINGS = {"limits": {"request_body_bytes": "100KiB"}}


def suite(binary, group):
    """One unittest per row, all against one process and two origins."""
    rows = importlib.import_module("hostile." + group).ROWS

    class Table(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            allowed, streamed, blocked = Origin(), Origin(), Origin()
            for origin in (allowed, streamed, blocked):
                cls.addClassCleanup(origin.stop)
            places = [host + ":%d" % allowed.port for host in ("127.0.0.1", "localhost")]
            places.append(streamed.authority)
            revcache = Revcache(binary, places, SETTINGS).start()
            cls.addClassCleanup(revcache.remove)
            cls.addClassCleanup(revcache.stop)
            cls.player = Player(revcache, allowed, streamed, blocked)
            cls.player.learn_instance()

        def test_row_ids_are_unique(self):
            self.assertEqual(len({row.id for row in rows}), len(rows))

    for row in rows:
        def play(self, row=row):
            try:
                self.player.play(row)
            except Exception as failure:
                raise AssertionError("%s (RFC %s): %r" % (row.id, row.section,
                                                          failure)) from None
        setattr(Table, "test_" + row.id.replace("-", "_"), play)
    return unittest.defaultTestLoader.loadTestsFromTestCase(Table)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--row", help="only the rows whose id contains this")
    options = parser.parse_args()
    tests = suite(options.binary, options.group)
    if options.row:
        tests = unittest.TestSuite(test for test in tests
                                   if options.row.replace("-", "_") in test.id())
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
