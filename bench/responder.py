"""What an answer of our own costs: ready ones against the ceiling program, and whether a flood of
nonces, each of which wants a signature of its own, makes them dearer.
"""

import base64
import json
import os
import statistics
import subprocess
import time
import urllib.parse

import measure
from hits import Scenario
from measure import cpu_seconds, exchange
from revcache_process import RevcacheProcess  # found through measure

READY_TARGET = 1.35
FLOOD_TARGET = 1.10
# A difference of two costs scatters more than a cost: 0.92, 1.06 and 1.14 were medians of five rounds.
FLOOD_ROUNDS_FOR_EACH = 5
CONNECTIONS = 32
SETTINGS = measure.OPEN_ACCESS + """
[[signer]]
name = "own"
certificate = "{pki.issuing}"
key = "{key}"

[[authority]]
name = "contoso"
certificate = "{pki.issuing}"
crls = ["{crl}"]
signer = "own"
"""


def get(port, der):
    path = "/ocsp/" + urllib.parse.quote(base64.b64encode(der), safe="")
    return (f"GET {path} HTTP/1.1\r\nConnection: Keep-Alive\r\nAccept: */*\r\n"
            f"User-Agent: Microsoft-CryptoAPI/10.0\r\nHost: 127.0.0.1:{port}\r\n\r\n").encode()


def post(port, der):
    return (f"POST /ocsp HTTP/1.1\r\nConnection: Keep-Alive\r\n"
            f"Content-Type: application/ocsp-request\r\nUser-Agent: Microsoft-CryptoAPI/10.0\r\n"
            f"Host: 127.0.0.1:{port}\r\nContent-Length: {len(der)}\r\n\r\n").encode() + der


def with_nonce(pki):
    """The same question with a nonce, as `openssl ocsp` asks it."""
    request = pki.folder / "ocsp-nonce.der"
    subprocess.run(["openssl", "ocsp", "-issuer", str(pki.issuing), "-cert", str(pki.user), "-nonce",
                    "-reqout", str(request)], check=True, capture_output=True)
    return request.read_bytes()


def wait_until_ready(port, request):
    """The first answers say tryLater: the CRL is being fetched."""
    for _ in range(2000):
        if len(exchange(port, request)) > 500:
            return
        time.sleep(0.01)
    raise RuntimeError("the responder has no evidence")


class Flood:
    """CPU of cached answers, alone and beside a flood of nonces."""

    def __init__(self, bench, proxy, requests):
        self.bench = bench
        self.proxy = proxy
        self.requests = requests

    def start(self, name, request):
        file = self.bench.folder / f"flood-{name}"
        file.write_bytes(request)
        return subprocess.Popen(
            self.bench.load.command(self.proxy.port, file, CONNECTIONS, self.requests),
            stdout=subprocess.PIPE, text=True)

    def finish(self, load):
        """The few answers within the budget have a nonce: the load takes them, or if the first was
        one all others, for wrong."""
        seen = json.loads(load.communicate(timeout=300)[0])
        if seen["status"] != 200 or min(seen["failed"], self.requests - seen["failed"]) > 500:
            raise RuntimeError(f"the load failed: {seen}")

    def alone(self, request):
        before = cpu_seconds(self.proxy.pid)
        self.finish(self.start("alone", request))
        return (cpu_seconds(self.proxy.pid) - before) * 1e6 / self.requests

    def together(self, cached, nonce, nonce_cost):
        """Of the cached ones, what is left when each nonce is taken to cost what it costs alone."""
        before = cpu_seconds(self.proxy.pid)
        for load in [self.start("cached", cached), self.start("nonce", nonce)]:
            self.finish(load)
        spent = (cpu_seconds(self.proxy.pid) - before) * 1e6
        return spent / self.requests - nonce_cost

    def run(self, cached, nonce, rounds):
        ratios = []
        for _ in range(rounds):
            alone = self.alone(cached)
            flood = self.alone(nonce)
            ratios.append(self.together(cached, nonce, flood) / alone)
        ratios.sort()
        result = {"ratio_min": ratios[0], "ratio_median": statistics.median(ratios),
                  "ratio_max": ratios[-1], "target": FLOOD_TARGET, "nonce_us": flood,
                  "cached_us": alone}
        self.bench.results["nonce-flood"] = result
        print(f"  nonce-flood     {ratios[0]:.2f} {result['ratio_median']:.2f} {ratios[-1]:.2f}   (at "
              f"most {FLOOD_TARGET})   a cached answer beside a flood of nonces, against alone "
              f"({alone:.2f} us; a nonce {flood:.2f} us)", flush=True)


def run(bench, binary, pki, origin, chosen, scale):
    key = pki.key("issuing")
    os.chmod(key, 0o600)
    der, _ = pki.ocsp()
    settings = SETTINGS.format(pki=pki, key=key, crl=f"http://127.0.0.1:{origin.port}/1k.crl")
    with RevcacheProcess(binary, bench.folder / "responder", settings,
                         prefix=measure.pinned(measure.SERVER_CORE)) as proxy:
        wait_until_ready(proxy.port, get(proxy.port, der))
        for name, request in (("own-ocsp-get", get(proxy.port, der)),
                              ("own-ocsp-post", post(proxy.port, der))):
            if chosen(name):
                bench.compare(Scenario(name, request, int(150_000 * scale), READY_TARGET), proxy)
        if chosen("nonce-flood"):
            Flood(bench, proxy, int(60_000 * scale)).run(
                get(proxy.port, der), get(proxy.port, with_nonce(pki)),
                FLOOD_ROUNDS_FOR_EACH * bench.rounds)
