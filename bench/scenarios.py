#!/usr/bin/env python3
"""Runs the scenarios of bench/scenarios/ against revcache: `./dev bench --scenarios`.

For each one a CDN on loopback (bench/cdn.py), a fresh revcache and revcache-bench are started; what
happens in between (an outage, a publication, kill -9) is told with its second. Each scenario states
what it claims, and whether it held is printed. Figures of a busy machine are worth little: the load
average is printed and recorded; claims that are counted do not depend on it.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import typing

import measure
import record
from cdn import Cdn, Timeline
from crl_import import LargeCrl, body_of_answer
from measure import exchange
from revcache_process import RevcacheProcess  # found through measure
from sample_pki import SamplePki, openssl

FOLDER = measure.TOP / "bench/scenarios"
LOOPS = (1, 2, 4, 8, 16)
LARGE_ENTRIES = 1_000_000
PRIME_TRIES = 2000
SIGNER = """
[[signer]]
name = "{name}"
certificate = "{certificate}"
key = "{key}"
"""
AUTHORITY = """
[[authority]]
name = "{name}"
certificate = "{certificate}"
crls = {crls}
"""


class World:
    """What one scenario runs in: a PKI, a CDN, a revcache."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.pki = SamplePki(folder / "pki")
        self.cdn = None
        self.proxy = None

    def url(self, path):
        return f"http://127.0.0.1:{self.cdn.port}{path}"

    def settings(self, issuer, crls):
        """`issuer` ("root" or "issuing") is answered for, by its own key."""
        certificate = self.pki.folder / f"{issuer}.pem"
        os.chmod(self.pki.key(issuer), 0o600)
        text = measure.OPEN_ACCESS + SIGNER.format(name=issuer, certificate=certificate, key=self.pki.key(issuer))
        text += AUTHORITY.format(name=issuer, certificate=certificate, crls=json.dumps(
            [self.url(path) for path in crls[issuer]])) + f'signer = "{issuer}"\n'
        for other in crls.keys() - {issuer}:
            text += AUTHORITY.format(name=other, certificate=self.pki.folder / f"{other}.pem",
                                     crls=json.dumps([self.url(path) for path in crls[other]]))
        return text

    def question(self, issuer, *subject):
        """Writes the OCSP request that the scenario's files name."""
        file = self.pki.folder / "question.der"
        openssl("ocsp", "-issuer", self.pki.folder / f"{issuer}.pem", *subject, "-no_nonce", "-reqout",
                file)
        return file.read_bytes()

    def get(self, path):
        url = self.url(path)
        return (f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1:{self.cdn.port}\r\n"
                f"User-Agent: Microsoft-CryptoAPI/10.0\r\n\r\n").encode()

    def prime(self, paths):
        """Makes objects known: each is asked for until there is a good answer."""
        for path in paths:
            self._until(lambda path=path: exchange(self.proxy.port, self.get(path)).startswith(
                b"HTTP/1.1 200"), path)

    def prime_responder(self, question):
        request = (f"POST /ocsp HTTP/1.1\r\nHost: 127.0.0.1:{self.proxy.port}\r\nContent-Type: "
                   f"application/ocsp-request\r\nContent-Length: {len(question)}\r\n\r\n"
                   ).encode() + question
        self._until(lambda: len(exchange(self.proxy.port, request)) > 500, "/ocsp")

    def _until(self, condition, what):
        for _ in range(PRIME_TRIES):
            if condition():
                return
            time.sleep(0.01)
        raise RuntimeError(f"{what} does not become known:\n{self.proxy.log.read_text()[-3000:]}")

    def kill_and_start(self):
        os.kill(self.proxy.pid, signal.SIGKILL)
        self.proxy.__exit__()
        self.proxy.__enter__()


@dataclasses.dataclass
class Case:
    name: str
    prepare: typing.Callable  # (world): fills world.cdn, gives the settings
    prime: typing.Callable = lambda world: None  # (world): once revcache runs
    actions: typing.Callable = lambda world: []  # (world) -> [(second, text, action)]
    cdn: dict = dataclasses.field(default_factory=dict)


# --- Logins: the leaf's CRL through the proxy, the issuing CA's status from the responder. ---------

def prepare_logins(world, max_age=3600, refresh=""):
    world.cdn.put("/leaf.crl", world.pki.crl(revoked=12), "application/pkix-crl", f"max-age={max_age}")
    world.cdn.put("/root.crl", world.pki.root_crl(), "application/pkix-crl", f"max-age={max_age}")
    return world.settings("root", {"root": ["/root.crl"], "issuing": ["/leaf.crl"]}) + refresh


def prime_logins(world):
    world.prime(["/leaf.crl"])
    world.prime_responder(world.question("root", "-cert", world.pki.issuing))


# --- Objects by number, all of them the issuing CA's CRL. --------------------------------------------

def prepare_numbered(world):
    world.cdn.put_everywhere(world.pki.crl(revoked=12), "application/pkix-crl")
    return world.settings("issuing", {"issuing": ["/issuing.crl"]})


def prime_numbered(prefix, count):
    return lambda world: world.prime(f"/{prefix}-{number}.crl" for number in range(count))


def prime_lossy(world):
    world.cdn.fault_every = 0
    prime_numbered("known", 20)(world)
    world.cdn.fault_every = 3


# --- A publication. ----------------------------------------------------------------------------------

def prepare_publication(world):
    before = world.pki.crl(revoked=12)
    after = LargeCrl(world.pki, 40).signed(0x1001)
    (world.pki.folder / "before.crl").write_bytes(before)
    (world.pki.folder / "after.crl").write_bytes(after)
    world.after = after
    world.cdn.put("/leaf.crl", before, "application/pkix-crl", "max-age=10")
    return world.settings("issuing", {"issuing": ["/leaf.crl"]}) + '\n[refresh]\ninterval = "10s"\n'


def publish(world):
    world.cdn.put("/leaf.crl", world.after, "application/pkix-crl", "max-age=10")


# --- A large CRL. ------------------------------------------------------------------------------------

def prepare_large(world):
    settings = prepare_numbered(world)
    world.large = LargeCrl(world.pki, LARGE_ENTRIES).signed(0x2000)
    world.cdn.put("/large.crl", world.large, "application/pkix-crl")
    return settings


def import_large(world):
    begun = time.monotonic()
    request = world.get("/large.crl").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    if body_of_answer(world.proxy.port, request) != world.large:
        raise RuntimeError("the large CRL was not taken over")
    print(f"    {len(world.large) / (1 << 20):.1f} MiB were there after "
          f"{time.monotonic() - begun:.2f} s", flush=True)


# --- A million serials. ------------------------------------------------------------------------------

def prepare_serials(world):
    return prepare_numbered(world)


def prime_serials(world):
    world.prime_responder(world.question("issuing", "-serial", "0x5E00000000000000000000000000000001"))


CASES = [
    Case("steady-day", prepare_logins, prime_logins, cdn={"delay": 0.03}),
    Case("monday-9", prepare_logins, prime_logins, cdn={"delay": 0.5}),
    Case("publication", prepare_publication, lambda world: world.prime(["/leaf.crl"]),
         lambda world: [(8, "the CA publishes a new CRL", lambda: publish(world))], cdn={"delay": 0.5}),
    Case("cdn-slow", prepare_numbered, prime_numbered("known", 20), cdn={"delay": 0.5}),
    Case("cdn-lossy", prepare_numbered, prime_lossy),
    Case("cdn-down", lambda world: prepare_logins(world, 15, '\n[refresh]\ninterval = "10s"\n'),
         prime_logins,
         lambda world: [(10, "the CDN goes down", world.cdn.go_down),
                        (130, "the CDN is back", world.cdn.come_back)], cdn={"delay": 0.03}),
    Case("cold-start", prepare_numbered, cdn={"delay": 0.1}),
    Case("kill-restart", prepare_numbered, prime_numbered("known", 200),
         lambda world: [(5, "kill -9, and a start", world.kill_and_start)]),
    Case("million-serials", prepare_serials, prime_serials),
    Case("large-import", prepare_large, prime_numbered("small", 20),
         lambda world: [(5, "a CRL of 47 MiB is fetched", lambda: import_large(world))]),
]


def generate(world, case, out, duration):
    """Runs revcache-bench beside the timeline; gives its document."""
    command = [str(world.build / "revcache-bench"), "run", "--scenario", str(FOLDER / f"{case.name}.toml"),
               "--proxy", f"http://127.0.0.1:{world.proxy.port}",
               "--responder", f"http://127.0.0.1:{world.proxy.port}/ocsp",
               "--set", f"origin=127.0.0.1:{world.cdn.port}", "--set", f"pki={world.pki.folder}",
               "--json", f"{out}.json", "--html", f"{out}.html"]
    if duration:
        command += ["--duration", str(duration)]
    timeline = Timeline(case.actions(world))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            if running.stdout.readline():  # "running …": the first request is due now
                timeline.begin()
            for line in running.stdout:
                print("    " + line, end="", flush=True)
        except BaseException:
            running.kill()
            raise
    done = timeline.end()
    if running.returncode not in (0, 1, 2):
        raise RuntimeError(f"revcache-bench ended with {running.returncode}")
    document = json.loads(pathlib.Path(f"{out}.json").read_text())
    if not done:  # the load has not seen what it was to see
        text = "what was to happen during the load was over before its end"
        document["claims"].append({"text": text, "held": False, "found": "it was not"})
        print(f"    NOT HELD  {text}", flush=True)
    return document


def run_case(case, build, folder, out, duration=None):
    print(f"  {case.name}", flush=True)
    world = World(build, folder)
    with Cdn(**case.cdn) as world.cdn:
        settings = case.prepare(world)
        with RevcacheProcess(build / "revcache", folder / "run", settings) as world.proxy:
            case.prime(world)
            return generate(world, case, out, duration)


# --- Loops -------------------------------------------------------------------------------------------

def run_loops(build, folder, requests=200_000):
    """Hits per second with so many event loops, each on a core of its own, and as many loads."""
    results = []
    cores = os.cpu_count()
    world = World(build, folder)
    with Cdn() as world.cdn:
        settings = prepare_numbered(world)
        request = folder / "request"
        for loops in LOOPS:
            if cores < 2 * loops:
                print(f"    {loops:2} loops: not recorded, that takes {2 * loops} cores and here are "
                      f"{cores}", flush=True)
                continue
            prefix = ("taskset", "-c", f"0-{loops - 1}")
            with RevcacheProcess(build / "revcache", folder / f"loops-{loops}", settings, workers=loops,
                                 prefix=prefix) as world.proxy:
                world.prime(["/loop.crl"])
                request.write_bytes(world.get("/loop.crl"))
                results.append(measure_loops(world, loops, request, requests))
    return results


def measure_loops(world, loops, request, requests):
    before = measure.cpu_seconds(world.proxy.pid)
    loads = [subprocess.Popen(
        ["taskset", "-c", str(loops + number), str(world.build / "revcache-closed-loop"), "--port",
         str(world.proxy.port), "--request", str(request), "--connections", "64", "--requests",
         str(requests)], stdout=subprocess.PIPE, text=True) for number in range(loops)]
    seen = [json.loads(load.communicate(timeout=600)[0]) for load in loads]
    if any(one["failed"] for one in seen):
        raise RuntimeError(f"a load failed: {seen}")
    rate = sum(one["requests"] / one["seconds"] for one in seen)
    cost = (measure.cpu_seconds(world.proxy.pid) - before) * 1e6 / (requests * loops)
    print(f"    {loops:2} loops: {rate:,.0f} hits/s, {cost:.2f} us of CPU each", flush=True)
    return {"loops": loops, "hits_per_second": rate, "cpu_us": cost}


# --- All of it ---------------------------------------------------------------------------------------

def without_series(document):
    """For the record: a series of 240 steps and ten loads is for the page, not for git."""
    kept = dict(document)
    kept["total"] = {key: value for key, value in document["total"].items() if key != "series"}
    kept["loads"] = [{key: value for key, value in load.items() if key != "series"}
                     for load in document["loads"]]
    return kept


def run_all(args, out):
    wanted = args.only.split(",") if args.only else [case.name for case in CASES] + ["loops"]
    unknown = set(wanted) - {case.name for case in CASES} - {"loops"}
    if unknown:
        sys.exit(f"no such scenario: {', '.join(sorted(unknown))}")
    results = {}
    for case in CASES:
        if case.name not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name:
            load = measure.machine()["load_average"]
            document = run_case(case, args.build, pathlib.Path(name), out / case.name, args.duration)
            results[case.name] = {"load_average": load, **without_series(document)}
    if "loops" in wanted:
        print("  loops", flush=True)
        with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name:
            results["loops"] = run_loops(args.build, pathlib.Path(name))
    return results


def missed(results):
    return [f"{name}: {claim['text']}" for name, document in results.items() if name != "loops"
            for claim in document["claims"] if not claim["held"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=measure.TOP / "build/release")
    parser.add_argument("--only", help="comma-separated: " +
                        ", ".join(case.name for case in CASES) + ", loops")
    parser.add_argument("--duration", type=float, help="seconds for each, instead of its own; what is "
                        "done at a second of its own (an outage, a kill) keeps it")
    parser.add_argument("--save", action="store_true", help="keep the figures in bench/results/")
    args = parser.parse_args()
    args.build = args.build.resolve()
    document = record.begin()
    out = measure.TOP / "build/bench/scenarios"
    out.mkdir(parents=True, exist_ok=True)
    document["results"] = run_all(args, out)
    print(f"reports: {out.relative_to(measure.TOP)}/*.html")
    record.write(document, args.save, "scenarios-")
    failed = missed(document["results"])
    print("\n".join(["claims that did not hold:", *failed]) if failed else "all claims held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
