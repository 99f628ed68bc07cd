"""Entry point of the table tests: `x_table.py --binary B --group G [--row PART]`. Each row of a group
becomes one unittest, all against what one set-up has started."""

import argparse
import sys
import unittest


def add_rows(table, rows, play):
    """Gives the TestCase class `table` a test per row: `play(test, row)`."""
    def check_ids(self):
        self.assertEqual(len({row.id for row in rows}), len(rows))

    table.test_row_ids_are_unique = check_ids
    for row in rows:
        def play_row(self, row=row):
            play(self, row)
        setattr(table, "test_" + row.id.replace("-", "_"), play_row)


def run(make_table):
    """`make_table(binary, group)` gives the TestCase class. A run without tests fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--row", help="only the rows whose id contains this")
    options = parser.parse_args()
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(
        make_table(options.binary, options.group))
    if options.row:
        tests = unittest.TestSuite(test for test in tests
                                   if options.row.replace("-", "_") in test.id())
    result = unittest.TextTestRunner(verbosity=2).run(tests)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
