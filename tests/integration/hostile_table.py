"""Plays one group of hostile/ through the binary: `hostile_table.py --binary B --group syntax`."""

import importlib
import unittest

from harness import group
from harness.hostile import Player
from harness.origin import Origin
from harness.process import Revcache

SETTINGS = {"limits": {"request_body_bytes": "100KiB"}}


def play(test, row):
    try:
        test.player.play(row)
    except Exception as failure:
        raise AssertionError("%s (RFC %s): %r" % (row.id, row.section, failure)) from None


def table(binary, name):
    """All rows against one process, two origins that are allowed and one that is not."""
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

    group.add_rows(Table, importlib.import_module("hostile." + name).ROWS, play)
    return Table


if __name__ == "__main__":
    group.run(table)
