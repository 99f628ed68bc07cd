"""Plays one group of rfc9111/ through the binary: `rfc9111_table.py --binary B --group vary`."""

import argparse
import importlib
import sys
import unittest

from harness.origin import Origin
from harness.process import Revcache
from harness.table import Player


def suite(binary, group):
    """One unittest per row, all against one process and one origin."""
    rows = importlib.import_module("rfc9111." + group).ROWS

    class Table(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.origin = Origin()
            cls.addClassCleanup(cls.origin.stop)
            places = [host + ":%d" % cls.origin.port for host in ("127.0.0.1", "localhost")]
            cls.revcache = Revcache(binary, places).start()
            cls.addClassCleanup(cls.revcache.remove)
            cls.addClassCleanup(cls.revcache.stop)

        def test_row_ids_are_unique(self):
            self.assertEqual(len({row.id for row in rows}), len(rows))

    for row in rows:
        def play(self, row=row):
            Player(self.revcache.proxy, self.origin).play(row)
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
