#!/usr/bin/env python3
"""What share of the instructions of a memory hit metrics take.

Counted by callgrind in the release build, so that a busy machine changes nothing: the same answer
each time. The instructions of the kernel are not counted, which makes the share larger than the one
of the CPU. Metrics are what is written in metrics/counter.h and metrics.h, wherever it was inlined,
and all of ClientConnection::record_request with what it calls (the clock and the question whether
the access log wants a line among it): more than they are.
"""

import argparse
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

import instructions
import measure
from revcache_process import RevcacheProcess  # found through measure
from sample_origin import SampleOrigin
from sample_pki import SamplePki

COUNTERS = re.compile(r"(?:^|/)metrics/(?:counter|metrics)\.h$")
RECORD = "ClientConnection::record_request"


class Hits:
    """One connection that asks for the same CRL again and again."""

    def __init__(self, port, url):
        self._request = (f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n"
                         "User-Agent: Microsoft-CryptoAPI/10.0\r\nAccept: */*\r\n\r\n").encode()
        measure.exchange(port, self._request)
        answer = measure.exchange(port, self._request)
        if b"hit" not in re.search(rb"(?i)cache-status:[^\r]*|$", answer).group(0):
            raise RuntimeError(f"no hit:\n{answer[:600].decode('latin-1')}")
        self._length = len(answer)
        self._socket = socket.create_connection(("127.0.0.1", port), 60)

    def run(self, count):
        for _ in range(count):
            self._socket.sendall(self._request)
            left = self._length
            while left > 0:
                left -= len(measure.read_some(self._socket))


def rows(file, *options):
    """(instructions, file, function) of callgrind_annotate, and their total."""
    said = subprocess.run(["callgrind_annotate", "--threshold=100", "--show-percs=no", "--auto=no",
                           *options, str(file)], capture_output=True, text=True, check=True).stdout
    total = 0
    found = []
    for line in said.splitlines():
        row = re.match(r"\s*([\d,]+)\s+(.*)$", line)
        if not row:
            continue
        cost, rest = int(row.group(1).replace(",", "")), row.group(2)
        if rest.startswith("PROGRAM TOTALS"):
            total = cost
        elif ":" in rest:
            path, function = rest.split(":", 1)
            found.append((cost, path.strip(), function))
    return total, found


def share(file, hits):
    total, alone = rows(file)
    _, inclusive = rows(file, "--inclusive=yes")
    counters = sum(cost for cost, path, function in alone
                   if COUNTERS.search(path) and RECORD not in function)
    record = max((cost for cost, _, function in inclusive if RECORD in function), default=0)
    if record == 0 or counters == 0:
        raise RuntimeError("the binary has no line tables, or no such functions")
    clock = max((cost for cost, _, function in inclusive if "SystemClock::monotonic" in function),
                default=0)
    print(f"instructions of a hit, without the kernel: {total / hits:.0f}")
    print(f"  record_request and all it calls:         {record / hits:.1f}")
    print(f"  counters elsewhere (loop, look-up):      {counters / hits:.1f}")
    print(f"  of the clock, in and out of it:          {clock / hits:.1f}")
    print(f"share of metrics: {100 * (record + counters) / total:.2f} % (at most 3 % of the CPU)")


def measured(binary, folder, hits):
    with SampleOrigin() as origin, instructions.Callgrind() as callgrind:
        crl = SamplePki(folder / "pki").crl(revoked=12)
        origin.put("/1k.crl", crl, "application/pkix-crl")
        with RevcacheProcess(binary, folder / "run", measure.OPEN_ACCESS, prefix=callgrind.prefix,
                             start_seconds_max=instructions.START_SECONDS_MAX) as proxy:
            connection = Hits(proxy.port, f"http://127.0.0.1:{origin.port}/1k.crl")
            connection.run(100)
            counted, = callgrind.counted(proxy.pid, lambda: connection.run(hits))
        out = folder / "callgrind.out"
        out.write_bytes(counted.read_bytes())
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=measure.TOP / "build/release/revcache")
    parser.add_argument("--hits", type=int, default=3000)
    parser.add_argument("--keep", type=pathlib.Path, help="copy callgrind's file there")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name:
        out = measured(args.binary.resolve(), pathlib.Path(name), args.hits)
        if args.keep:
            args.keep.write_bytes(out.read_bytes())
        share(out, args.hits)
    return 0


if __name__ == "__main__":
    sys.exit(main())
