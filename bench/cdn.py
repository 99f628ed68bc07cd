"""The CDN of the scenarios: an origin that is slow, loses answers, or is gone, and is told when."""

import asyncio
import itertools
import threading
import time

from sample_origin import SampleOrigin

SILENT_SECONDS = 20


class Cdn(SampleOrigin):
    """With `fault_every` = 3 each third answer is, by turns, cut in the middle, reset, or not given."""

    def __init__(self, delay=0.0, fault_every=0):
        super().__init__(delay)
        self.fault_every = fault_every
        self.faults = 0
        self._answers = itertools.count(1)
        self._kinds = itertools.cycle(("cut", "reset", "silent"))

    def __exit__(self, *unused):
        self._run(self._end_conversations())
        super().__exit__(*unused)

    @staticmethod
    async def _end_conversations():
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve_one(self, reader, writer):
        if self.fault_every and next(self._answers) % self.fault_every == 0:
            self.faults += 1
            writer = FaultyWriter(writer, next(self._kinds))
        try:
            return await super()._serve_one(reader, writer)
        except asyncio.CancelledError:  # at the end; asyncio would report it as an error
            raise ConnectionError("ended") from None


class FaultyWriter:
    """Stands for a stream writer, and does not do as it is told."""

    def __init__(self, writer, kind):
        self._writer = writer
        self._kind = kind

    def write(self, data):
        if self._kind == "cut":
            self._writer.write(data[:len(data) // 2])

    async def drain(self):
        if self._kind == "silent":
            await asyncio.sleep(SILENT_SECONDS)
        elif self._kind == "cut":
            await self._writer.drain()
            self._writer.close()
        else:
            self._writer.transport.abort()
        raise ConnectionError(self._kind)


class Timeline:
    """Runs actions at their seconds, counted from begin(), in a thread of its own."""

    def __init__(self, actions):
        self._actions = sorted(actions, key=lambda action: action[0])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure = None
        self._done = threading.Event()

    def begin(self):
        self._thread.start()

    def end(self):
        """Waits for the action that is under way; raises what one has raised. True: all was done
        before."""
        done = not self._actions or self._done.is_set()
        self._over.set()
        if self._thread.ident:
            self._thread.join()
        if self._failure:
            raise self._failure
        return done

    def _run(self):
        begun = time.monotonic()
        for second, what, action in self._actions:
            if self._over.wait(max(0.0, begun + second - time.monotonic())):
                return
            print(f"    second {time.monotonic() - begun:.1f}: {what}", flush=True)
            try:
                action()
            except Exception as failure:  # told by end(), in the thread that can act on it
                self._failure = failure
                return
        self._done.set()
