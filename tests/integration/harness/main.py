"""Entry point of every test file: `x_test.py --binary PATH [unittest arguments]`."""

import argparse
import sys
import unittest

BINARY = None


def binary():
    return BINARY


def run():
    """Runs the tests of the calling module; a run without tests or with skips fails."""
    global BINARY  # set once, before any test runs
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    options, rest = parser.parse_known_args()
    sys.modules["harness.main"].BINARY = options.binary
    BINARY = options.binary
    program = unittest.main(module="__main__", argv=[sys.argv[0]] + rest, exit=False, verbosity=2)
    result = program.result
    sys.exit(0 if result.wasSuccessful() and result.testsRun and not result.skipped else 1)
