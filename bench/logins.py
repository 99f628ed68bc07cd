#!/usr/bin/env python3
"""How long a login waits for revocation: `./dev bench --logins`.

The same logins (bench/scenarios/logins.toml) at a CDN that takes 30 ms, asked directly, through
revcache, and through other proxies, one after the other; all of them know both answers beforehand.
The load is open: latency counts from when a login was due. The load and the CDN have core 1, the
proxy core 0.
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

import hits
import measure
import record
from cdn import Cdn
from measure import exchange, pinned
from peers import PEERS
from revcache_process import RevcacheProcess  # found through measure
from sample_pki import SamplePki

SCENARIO = measure.TOP / "bench/scenarios/logins.toml"
DELAY_SECONDS = 0.03
PRIMED = 3  # the second is a hit already; a third does not hurt
QUANTILES = ("50", "99", "99.9")


class Logins:
    def __init__(self, args, folder, cdn):
        self.args = args
        self.folder = folder
        self.cdn = cdn
        self.pki = SamplePki(folder / "pki")
        self.question, answer = self.pki.ocsp(issuer="root", subject="issuing")
        cdn.put("/leaf.crl", self.pki.crl(revoked=12), "application/pkix-crl")
        cdn.put(hits.ocsp_path(self.question), answer, "application/ocsp-response")

    def prime(self, port):
        base = f"http://127.0.0.1:{self.cdn.port}"
        for path in ("/leaf.crl", hits.ocsp_path(self.question)):
            for _ in range(PRIMED):
                exchange(port, hits.get(base + path))

    def run(self, name, port=None):
        """The document of revcache-bench, directly or through the proxy at `port`."""
        out = self.folder / f"{name}.json"
        proxy = ["--proxy", f"http://127.0.0.1:{port}"] if port else []
        command = [*pinned(measure.LOAD_CORE), str(self.args.build / "revcache-bench"), "run",
                   "--scenario", str(SCENARIO), "--set", f"origin=127.0.0.1:{self.cdn.port}",
                   "--set", f"pki={self.pki.folder}", "--duration", str(self.args.duration),
                   "--json", str(out), *proxy]
        asked = sum(self.cdn.asked.values())
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=self.args.duration + 120)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stdout[-3000:]}{done.stderr}")
        document = json.loads(out.read_text())
        found = {load["name"]: {key: load[key] for key in (
            "arrivals", "failed", "requests", "from_client_cache", "latency_us")}
                 for load in document["loads"]}
        return {"loads": found, "generator_late_us": document["generator_late_us"],
                "asked_the_cdn": sum(self.cdn.asked.values()) - asked}

    def all(self, kinds):
        results = {"direct": self.run("direct")}
        show("direct", results["direct"])
        server = pinned(measure.SERVER_CORE)
        starts = {"revcache": lambda: RevcacheProcess(
            self.args.build / "revcache", self.folder / "run", measure.OPEN_ACCESS, prefix=server)}
        starts |= {kind.name: lambda kind=kind: kind(self.cdn.port, server) for kind in kinds}
        for name, start in starts.items():
            with start() as proxy:
                self.prime(proxy.port)
                results[name] = self.run(name, proxy.port)
            show(name, results[name])
        return results


def show(name, result):
    for load, found in result["loads"].items():
        each = found["latency_us"]
        times = "".join(f"{each['percentiles'][quantile] / 1000:10.2f}" for quantile in QUANTILES)
        print(f"  {name:14} {load:10} {found['arrivals']:6} {found['failed']:4} {times}"
              f"{each['max'] / 1000:10.2f}", flush=True)
    print(f"  {'':14} the CDN was asked {result['asked_the_cdn']} times; the generator was late by "
          f"{result['generator_late_us']['percentiles']['99.9'] / 1000:.2f} ms at p99.9", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=measure.TOP / "build/release")
    parser.add_argument("--duration", type=float, default=30, help="seconds for each; 30")
    parser.add_argument("--peers", default="squid",
                        help="comma-separated; squid, of " + ", ".join(kind.name for kind in PEERS))
    parser.add_argument("--save", action="store_true", help="keep the numbers in bench/results/")
    args = parser.parse_args()
    args.build = args.build.resolve()
    document = record.begin()
    kinds = [kind for kind in PEERS if kind.name in args.peers.split(",")]
    document["peers"] = {kind.name: kind.version() for kind in kinds}
    print("  a login, ms: arrivals, failed, " + ", ".join(f"p{each}" for each in QUANTILES) + ", longest",
          flush=True)
    with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name, contextlib.ExitStack() as stack:
        cdn = stack.enter_context(Cdn(delay=DELAY_SECONDS))
        document["results"] = Logins(args, pathlib.Path(name), cdn).all(kinds)
    record.write(document, args.save, "logins-")
    return 0


if __name__ == "__main__":
    sys.exit(main())
