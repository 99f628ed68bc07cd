#!/usr/bin/env python3
"""What a request costs revcache, told as a ratio to the least that libuv and llhttp can do.

The server runs on core 0, the load on core 1. revcache (one worker, metrics on, access log at its
default) and the ceiling program, which answers with the very bytes that revcache gave, are measured
in turns, several rounds; a ratio compares two runs of one round. Then: what a miss adds, one fetch
for a thousand clients, memory, system calls.

Numbers from a busy machine are worth little: the load average is printed and recorded.
"""

import argparse
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import crl_import
import hits
import measure
import record
import responder
import system_calls
from hits import get
from measure import Ceiling, Load, exchange, pinned, resident_bytes
from misses import Misses, added, told
from revcache_process import RevcacheProcess  # found through measure
from sample_origin import SampleOrigin
from turns import cheapest, median_cost, ratios, take_turns

IDLE_CONNECTIONS = 10_000
CLIENTS_AT_ONCE = 1_000
MISS_ADDS_US_MAX = 150


class Bench:
    def __init__(self, build, folder, rounds):
        self.build = build
        self.folder = folder
        self.rounds = rounds
        self.load = Load(build)
        self.results = {}

    def request_file(self, request):
        file = self.folder / "request"
        file.write_bytes(request)
        return file

    def compare(self, scenario, proxy):
        """Fills results[name] with microseconds and ratios."""
        exchange(proxy.port, scenario.request)
        response = exchange(proxy.port, scenario.request)
        if b"hit" not in re.search(rb"(?i)cache-status:[^\r]*|$", response).group(0):
            raise RuntimeError(f"{scenario.name}: no hit:\n{response[:600].decode('latin-1')}")
        with contextlib.ExitStack() as running:
            ceilings = [running.enter_context(Ceiling(self.build, self.folder, response, *options))
                        for options in scenario.ceilings]
            turns = take_turns(self.load, [*ceilings, proxy], self.rounds,
                               scenario.arguments(self.folder / "request"))
        best = cheapest(turns, ceilings)
        least, middle, most = ratios(turns[proxy], turns[best])
        self.results[scenario.name] = {
            "ratio_min": least, "ratio_median": middle, "ratio_max": most,
            "target": scenario.target, "revcache_us": median_cost(turns[proxy]),
            "ceiling_us": median_cost(turns[best]), "ceiling": best.options,
            "response_bytes": len(response), "requests": scenario.requests, "rounds": self.rounds}
        report = self.results[scenario.name]
        print(f"  {scenario.name:15} {report['ratio_min']:.2f} {report['ratio_median']:.2f} "
              f"{report['ratio_max']:.2f}   (at most {scenario.target})   {report['revcache_us']:.2f} us "
              f"against {report['ceiling_us']:.2f} us ({best.options})", flush=True)

    def miss_latency(self, proxy, origin_response, count):
        with Misses(self.load, self.folder, origin_response) as misses:
            found = misses.measure({"revcache": proxy.port}, self.rounds, count)
        adds = added(found, "revcache")
        self.results["miss-latency"] = {"p50_us": found, "added_p50_us": adds,
                                        "target": MISS_ADDS_US_MAX}
        print(f"  a miss adds {told(adds)}, at p50 (at most {MISS_ADDS_US_MAX})", flush=True)

    def collapse(self, proxy, origin):
        path = f"/collapse-{time.time_ns()}.crl"
        request = self.request_file(get(f"http://127.0.0.1:{origin.port}{path}"))
        origin.delay = 1.0
        self.load.run(proxy.port, request, CLIENTS_AT_ONCE, CLIENTS_AT_ONCE)
        origin.delay = 0.0
        asked = origin.asked["GET", path]
        self.results["collapse"] = {"clients": CLIENTS_AT_ONCE, "upstream_requests": asked, "target": 1}
        print(f"  {CLIENTS_AT_ONCE} clients at once for one absent key: {asked} upstream request(s)",
              flush=True)

    def memory(self, binary, settings, base):
        with RevcacheProcess(binary, self.folder / "memory", settings, workers=2) as proxy:
            time.sleep(1)
            idle = resident_bytes(proxy.pid)
            request = self.request_file(get(f"{base}/1k.crl"))
            holding = subprocess.Popen(
                self.load.command(proxy.port, request, IDLE_CONNECTIONS, IDLE_CONNECTIONS, "--hold"),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            seen = json.loads(holding.stdout.readline())
            time.sleep(1)
            full = resident_bytes(proxy.pid)
            holding.communicate("")
        if seen["failed"]:
            raise RuntimeError(f"idle connections: {seen}")
        each = (full - idle) / IDLE_CONNECTIONS
        self.results["memory"] = {"idle_rss_bytes": idle, "idle_target": 30 << 20,
                                  "per_connection_bytes": each, "per_connection_target": 4096,
                                  "connections": IDLE_CONNECTIONS}
        print(f"  RSS before traffic, two workers: {idle / (1 << 20):.1f} MiB (below 30); "
              f"{IDLE_CONNECTIONS} idle connections add {each:.0f} bytes each (below 4096)", flush=True)

    def system_calls(self, proxy, request, count):
        """Calls per request of a keep-alive hit, by name."""
        if not shutil.which("strace"):
            print("  system calls: strace is not installed")
            return
        shown = system_calls.per_request(proxy.pid, self.load, proxy.port,
                                         (self.request_file(request), 1, count), count)
        self.results["system-calls"] = {"per_request": shown, "requests": count}
        print(f"  system calls of a hit, one connection: {shown}", flush=True)


def run(bench, args, folder):
    binary = args.build / "revcache"
    wanted = args.only.split(",") if args.only else None
    scale = 0.2 if args.quick else 1.0

    def chosen(name):
        return wanted is None or name in wanted

    with SampleOrigin() as origin:
        pki, ocsp_request = hits.fill(origin, folder)
        base = f"http://127.0.0.1:{origin.port}"
        with RevcacheProcess(binary, folder / "run", measure.OPEN_ACCESS,
                             prefix=pinned(measure.SERVER_CORE)) as proxy:
            print("server CPU per request: min, median, max of revcache / ceiling", flush=True)
            all_scenarios = hits.scenarios(origin, ocsp_request, scale)
            for scenario in all_scenarios:
                if chosen(scenario.name):
                    bench.compare(scenario, proxy)
            if chosen("miss-latency"):
                bench.miss_latency(proxy, hits.small_answer(origin), int(2000 * scale))
            if chosen("collapse"):
                bench.collapse(proxy, origin)
            if chosen("system-calls"):
                bench.system_calls(proxy, all_scenarios[0].request, 2000)
        if any(map(chosen, ("own-ocsp-get", "own-ocsp-post", "nonce-flood"))):
            responder.run(bench, binary, pki, origin, chosen, scale)
        if chosen("memory"):
            bench.memory(binary, measure.OPEN_ACCESS, base)


def missed(results):
    """Names of what is above its target."""
    names = [name for name, result in results.items()
             if result.get("ratio_median", 0) > result.get("target", 0) > 0]
    adds = results.get("miss-latency", {}).get("added_p50_us", {})
    if max(adds.values(), default=0) > MISS_ADDS_US_MAX:
        names.append("miss-latency")
    if results.get("collapse", {}).get("upstream_requests", 1) != 1:
        names.append("collapse")
    if results.get("import", {}).get("p99_seconds", 0) > crl_import.LAG_P99_SECONDS_MAX:
        names.append("import")
    memory = results.get("memory")
    if memory and (memory["idle_rss_bytes"] >= memory["idle_target"] or
                   memory["per_connection_bytes"] >= memory["per_connection_target"]):
        names.append("memory")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=measure.TOP / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a fifth of the requests, three rounds")
    parser.add_argument("--only", help="comma-separated: crl-1k, not-modified, crl-100k, crl-10m, "
                        "new-connection, ocsp-get, ocsp-post, own-ocsp-get, own-ocsp-post, nonce-flood, miss-latency, "
                        "collapse, system-calls, memory")
    parser.add_argument("--import", dest="large_crl", action="store_true",
                        help="only: how long the loops are kept busy while a large CRL comes in")
    parser.add_argument("--save", action="store_true", help="keep the numbers in bench/results/")
    args = parser.parse_args()
    args.build = args.build.resolve()
    document = record.begin()
    with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name:
        bench = Bench(args.build, pathlib.Path(name), 3 if args.quick else args.rounds)
        if args.large_crl:
            bench.results["import"] = crl_import.run(args.build, bench.folder, bench.rounds)
        else:
            run(bench, args, bench.folder)
    document["results"] = bench.results
    record.write(document, args.save)
    above = missed(bench.results)
    print("above target: " + ", ".join(above) if above else "all targets are met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
