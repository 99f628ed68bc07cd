"""Plays one group of rfc9111/ through the binary: `rfc9111_table.py --binary B --group vary`."""

import importlib
import unittest

from harness import group
from harness.origin import Origin
from harness.process import Revcache
from harness.table import Player


def table(binary, name):
    """All rows against one process and one origin."""
    class Table(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.origin = Origin()
            cls.addClassCleanup(cls.origin.stop)
            places = [host + ":%d" % cls.origin.port for host in ("127.0.0.1", "localhost")]
            cls.revcache = Revcache(binary, places).start()
            cls.addClassCleanup(cls.revcache.remove)
            cls.addClassCleanup(cls.revcache.stop)

    group.add_rows(Table, importlib.import_module("rfc9111." + name).ROWS,
                   lambda test, row: Player(test.revcache.proxy, test.origin).play(row))
    return Table


if __name__ == "__main__":
    group.run(table)
