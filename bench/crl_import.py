"""How long the loops are kept busy while a CRL of a million entries comes in: `./dev bench --import`.

A steady load of small hits goes on throughout. Each round looks at three spans of the same length:
the load alone, the load beside a process that only spins, and the load during an import, each by the
histogram revcache_event_loop_lag_seconds. Where an import shows no more than the spinning process,
what is left is the scheduler's work and not ours.
"""

import random
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from measure import OPEN_ACCESS, Load, exchange
from revcache_process import RevcacheProcess  # found through measure
from sample_origin import SampleOrigin
from sample_pki import SamplePki, openssl

LOAD_CONNECTIONS = 4
REQUESTS_PER_RUN = 2000
LAG_P99_SECONDS_MAX = 0.002
CRL_NUMBER = bytes.fromhex("0603551d14")  # the OID as in an extension, RFC 5280 5.2.3
LIST_TAG = 0x30
NUMBER_TAG = 0x02
LAG = re.compile(r'revcache_event_loop_lag_seconds_(bucket|sum)\{loop="(worker\d+)"'
                 r'(?:,le="([^"]+)")?\} (\S+)')


def element(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def elements(content):
    """The DER elements that `content` consists of, each with its header."""
    found = []
    while content:
        size, header = content[1], 2
        if size >= 0x80:
            header += size - 0x80
            size = int.from_bytes(content[2:header], "big")
        found.append(content[:header + size])
        content = content[header + size:]
    return found


def content_of(whole):
    return whole[2:] if whole[1] < 0x80 else whole[2 + whole[1] - 0x80:]


class LargeCrl:
    """A small CRL of openssl's, taken apart; a list is put into it, and it is signed anew."""

    def __init__(self, pki, entries):
        self._key = pki.key("issuing")
        self._file = pki.folder / "tbs"
        small = elements(content_of(pki.crl()))
        self._algorithm = small[1]
        fields = elements(content_of(small[0]))
        self._before, extensions = b"".join(fields[:5]), content_of(content_of(fields[-1]))
        self._extensions = [one for one in elements(extensions) if CRL_NUMBER not in one]
        draw = random.Random(entries)
        rest = b"\x17\x0d260601120000Z" + bytes.fromhex("300c300a0603551d1504030a0101")
        # The first octet keeps each number positive and without a zero in front.
        self._list = element(LIST_TAG, b"".join(
            b"\x30\x2f\x02\x10" + bytes((draw.randrange(0x40, 0x80),)) + draw.randbytes(15) + rest
            for _ in range(entries)))

    def signed(self, number):
        octets = element(NUMBER_TAG, number.to_bytes(4, "big").lstrip(b"\0"))
        extensions = [*self._extensions, element(0x30, CRL_NUMBER + element(0x04, octets))]
        tbs = element(0x30, self._before + self._list +
                      element(0xa0, element(0x30, b"".join(extensions))))
        self._file.write_bytes(tbs)
        signature = self._file.with_suffix(".signature")
        openssl("dgst", "-sha256", "-sign", self._key, "-out", signature, self._file)
        return element(0x30, tbs + self._algorithm + element(0x03, b"\0" + signature.read_bytes()))


class SteadyLoad:
    """Small hits, run after run, until it is ended; each run checks its answers."""

    def __init__(self, load, port, request):
        self._run = lambda: load.run(port, request, LOAD_CONNECTIONS, REQUESTS_PER_RUN)
        self._over = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._go_on)

    def _go_on(self):
        try:
            while not self._over.is_set():
                self._run()
        except RuntimeError as failure:
            self._failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure


def lags(admin_port):
    """({upper bound: rounds}, seconds) of all workers together."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    buckets, seconds = {}, 0.0
    for kind, _, bound, value in LAG.findall(text):
        if kind == "sum":
            seconds += float(value)
        else:
            buckets[float(bound)] = buckets.get(float(bound), 0) + float(value)
    return buckets, seconds


class LagSpan:
    """What the loops recorded between two moments."""

    def __init__(self, before, after):
        self._up_to = {bound: after[0][bound] - before[0][bound] for bound in sorted(after[0])}
        self.rounds = max(self._up_to.values())

    def quantile(self, fraction):
        """The bound of the bucket in which it lies: it is no more than that."""
        return next(bound for bound, count in self._up_to.items()
                    if count >= fraction * self.rounds)

    def document(self):
        return {"rounds": self.rounds, "p50": self.quantile(0.5), "p99": self.quantile(0.99),
                "max": self.quantile(1.0),
                "above_2ms": self.rounds - self._up_to[LAG_P99_SECONDS_MAX]}


def observed(admin_port, action):
    """(seconds, lags) of what `action` does."""
    before, begun = lags(admin_port), time.monotonic()
    action()
    took = time.monotonic() - begun
    return took, LagSpan(before, lags(admin_port)).document()


def spin(seconds):
    program = f"import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
    subprocess.run([sys.executable, "-c", program], check=True)


def line(name, took, lag):
    bounds = "  ".join(f"{key} {'above 1 s' if lag[key] > 1 else f'{lag[key] * 1000:g} ms':>8}"
                       for key in ("p50", "p99", "max"))
    print(f"    {name:12} {took * 1000:7.0f} ms   {bounds}   {lag['above_2ms']:.0f} of "
          f"{lag['rounds']:.0f} rounds above 2 ms", flush=True)


SETTINGS = OPEN_ACCESS + """
[[authority]]
name = "issuing"
certificate = "{certificate}"
"""


def get(url, *fields):
    return "\r\n".join([f"GET {url} HTTP/1.1", f"Host: {url.split('/')[2]}", *fields, "", ""]).encode()


def body_of_answer(port, request):
    """All until the server closes; `request` asks it to."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(request)
        while piece := connection.recv(1 << 20):
            answer += piece
    return answer.partition(b"\r\n\r\n")[2]


class Import:
    def __init__(self, build, folder, entries):
        self._build = build
        self._folder = folder
        self._pki = SamplePki(folder / "pki")
        self._small = self._pki.crl(revoked=12)  # made first: what is older is refused as rolled back
        self._crl = LargeCrl(self._pki, entries)

    def run(self, rounds):
        settings = SETTINGS.format(certificate=self._pki.issuing)
        with SampleOrigin() as origin, RevcacheProcess(
                self._build / "revcache", self._folder / "import", settings, workers=2,
                memory="1GiB") as proxy:
            base = f"http://127.0.0.1:{origin.port}"
            origin.put("/small.crl", self._small, "application/pkix-crl")
            hit = self._folder / "hit"
            hit.write_bytes(get(f"{base}/small.crl"))
            exchange(proxy.port, hit.read_bytes())
            with SteadyLoad(Load(self._build), proxy.port, hit):
                return [self._round(number, origin, proxy) for number in range(rounds)]

    def _round(self, number, origin, proxy):
        body = self._crl.signed(0x2000 + number)
        origin.put("/large.crl", body, "application/pkix-crl")
        asking = get(f"http://127.0.0.1:{origin.port}/large.crl", "Cache-Control: no-cache",
                     "Connection: close")

        def fetch():
            if body_of_answer(proxy.port, asking) != body:
                raise RuntimeError(f"the CRL was not taken over:\n{proxy.log.read_text()[-3000:]}")

        took, during = observed(proxy.admin_port, fetch)
        _, alone = observed(proxy.admin_port, lambda: time.sleep(took))
        _, beside = observed(proxy.admin_port, lambda: spin(took))
        print(f"  round {number}, {len(body) / (1 << 20):.1f} MiB", flush=True)
        for name, lag in (("import", during), ("spinning", beside), ("load alone", alone)):
            line(name, took, lag)
        return {"import_seconds": took, "der_bytes": len(body), "import": during,
                "spinning": beside, "load_alone": alone}


def run(build, folder, rounds, entries=1_000_000):
    """The document to record; tells what it finds."""
    print(f"import of a CRL of {entries:,} entries: how long a round of an event loop took, at most",
          flush=True)
    results = Import(build, folder, entries).run(rounds)
    worst = max(result["import"]["p99"] for result in results)
    print(f"  p99 during an import: at most {worst * 1000:g} ms (target: "
          f"{LAG_P99_SECONDS_MAX * 1000:g} ms)", flush=True)
    return {"rounds": results, "p99_seconds": worst, "target": LAG_P99_SECONDS_MAX}
