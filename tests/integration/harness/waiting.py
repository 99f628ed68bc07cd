"""Waiting until something is so; never for a time."""

import time

from .wire import TIMEOUT

PAUSE = 0.01  # seconds


def turns(seconds=TIMEOUT, pause=PAUSE):
    """For the loop that looks: pauses between its turns and ends at last. What is waited for may be
    behind a disk that other tests keep busy."""
    for turn in range(int(seconds / pause)):
        if turn:
            time.sleep(pause)
        yield turn
