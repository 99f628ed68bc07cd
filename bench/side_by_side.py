#!/usr/bin/env python3
"""revcache beside other caches, the same hits in turns on the same cores: `./dev bench --compare`.

Each server has core 0 to itself while it is asked, with all its processes and threads; the load
has core 1. All have the same objects of the same origin in memory, get the same bytes of request,
and must answer with the same body; the origin must not hear of it. How the peers are tuned is told
in bench/peers/, one file each. What a server costs is CPU per request, of all its processes, as a
ratio to the bare libuv + llhttp program of the same round; besides that system calls (strace) and
instructions in user space (callgrind), which do not change with what else the machine does, and
memory.
"""

import argparse
import contextlib
import functools
import pathlib
import statistics
import sys
import tempfile
import time

import hits
import instructions
import measure
import record
import system_calls
from measure import Ceiling, Load, exchange, pinned
from misses import Misses, added, told
from peers import PEERS
from revcache_process import START_SECONDS_MAX, RevcacheProcess  # found through measure
from sample_origin import SampleOrigin
from turns import cheapest, median_cost, median_rate, ratios, take_turns

SETTLE_TRIES = 250
LOOPS_RATIO_MAX = 1.03
LOOPS_REQUESTS = 5000
QUICK_SCENARIOS = ("crl-1k", "ocsp-get")
# Nothing is to be fetched while hits are measured.
SETTINGS = measure.OPEN_ACCESS + """
[refresh]
interval = "1h"
"""


class Extent:
    """How much is done: rounds, requests, what is counted."""

    def __init__(self, args):
        self.rounds = 1 if args.smoke else 3 if args.quick else args.rounds
        self.scale = 0.004 if args.smoke else 0.05 if args.quick else 0.5
        self.calls = not args.smoke
        self.instructions = not args.smoke
        self.misses = 20 if args.smoke else 500 if args.quick else 2000
        self._counted_scenarios = QUICK_SCENARIOS if args.quick else None

        self._counted = 200 if args.quick else 1000

    def counted(self, scenarios):
        """Those whose instructions are counted."""
        return [scenario for scenario in scenarios
                if self._counted_scenarios is None or scenario.name in self._counted_scenarios]

    def counted_requests(self, scenario):
        """Enough for counts, which hardly scatter; strace and callgrind are slow."""
        return 16 if scenario.name == "crl-10m" else self._counted


class SideBySide:
    def __init__(self, build, folder, origin, extent):
        self.build = build
        self.folder = folder
        self.origin = origin
        self.extent = extent
        self.load = Load(build)
        self.request = folder / "request"
        self.counter = instructions.Counter(self.load, self.request, extent.counted_requests)
        self.answers = {}  # revcache's, which the ceiling gives too

    def start_revcache(self, prefix=(), workers=1):
        under = instructions.START_SECONDS_MAX if prefix else START_SECONDS_MAX
        return RevcacheProcess(self.build / "revcache", self.folder / f"run-{time.time_ns()}",
                               SETTINGS, workers=workers,
                               prefix=(*pinned(measure.SERVER_CORE), *prefix),
                               start_seconds_max=under)

    def start_peer(self, kind, prefix=()):
        return kind(self.origin.port, (*pinned(measure.SERVER_CORE), *prefix),
                    *([instructions.START_SECONDS_MAX] if prefix else []))

    def start_ceiling(self, scenario, prefix=(), options=()):
        return Ceiling(self.build, self.folder, self.answers[scenario.name], *options, prefix=prefix)

    def asked(self):
        return sum(self.origin.asked.values())

    def settle(self, server, scenario):
        """Asks until the origin hears nothing of it any more; gives the answer."""
        for _ in range(SETTLE_TRIES):
            before = self.asked()
            answer = exchange(server.port, scenario.request)
            if not answer.startswith(f"HTTP/1.1 {scenario.status} ".encode()):
                raise RuntimeError(f"{name_of(server)}, {scenario.name}:\n{answer[:600].decode('latin-1')}")
            if self.asked() == before:
                measure.wait_until_idle(server.pid)
                return answer
            time.sleep(0.02)
        raise RuntimeError(f"{name_of(server)}, {scenario.name}: each request goes on to the origin")

    def measure(self, scenario, servers):
        """`servers`, revcache the first of them; gives what is recorded of this scenario."""
        can = [server for server in servers if scenario.name not in cannot_of(server)]
        answers = {name_of(server): self.settle(server, scenario) for server in can}
        self.answers[scenario.name] = answers["revcache"]
        asked = self.asked()

        def only_hits(server):
            if self.asked() != asked:
                raise RuntimeError(f"{scenario.name}: {name_of(server)} asked the origin")

        with contextlib.ExitStack() as running:
            ceilings = [running.enter_context(self.start_ceiling(scenario, options=options))
                        for options in scenario.ceilings]
            turns = take_turns(self.load, [*ceilings, *can], self.extent.rounds,
                               scenario.arguments(self.request), only_hits)
            best = cheapest(turns, ceilings)
            result = {"requests": scenario.requests, "rounds": self.extent.rounds,
                      "ceiling": best.options}
            result["servers"] = {name_of(server): self.figures(scenario, server, turns, best)
                                 for server in (best, *can)}
        result["cannot"] = {name_of(server): cannot_of(server)[scenario.name] for server in servers
                            if server not in can}
        self.against_best_peer(result, turns, can)
        show(scenario, result)
        return result

    def figures(self, scenario, server, turns, best):
        found = {"cpu_us": median_cost(turns[server]), "ratio": ratios(turns[server], turns[best]),
                 "per_second": median_rate(turns[server])}
        if self.extent.calls:
            count = self.extent.counted_requests(scenario)
            found["system_calls"] = system_calls.per_request(
                server.pid, self.load, server.port,
                scenario.arguments(self.request, 1, count), count)
        return found

    @staticmethod
    def against_best_peer(result, turns, can):
        revcache, *peers = can
        if not peers:
            return
        ours, best = turns[revcache], cheapest(turns, peers)
        faster = max(peers, key=lambda peer: median_rate(turns[peer]))
        rates = sorted(mine.per_second / theirs.per_second
                       for mine, theirs in zip(ours, turns[faster]))
        result["to_best_peer"] = {
            "cheapest": best.name, "cpu": ratios(ours, turns[best]), "fastest": faster.name,
            "per_second": (rates[0], statistics.median(rates), rates[-1])}

    def misses(self, answer, kinds):
        """Of revcache and all peers, in front of an origin on the load's core (bench/misses.py)."""
        with contextlib.ExitStack() as running:
            misses = running.enter_context(Misses(self.load, self.folder, answer))
            servers = [running.enter_context(self.start_revcache()),
                       *(running.enter_context(kind(misses.port, pinned(measure.SERVER_CORE)))
                         for kind in kinds)]
            found = misses.measure({name_of(server): server.port for server in servers},
                                   self.extent.rounds, self.extent.misses)
        print(f"  a miss adds to a direct fetch, p50 of {self.extent.misses} requests, "
              f"{self.extent.rounds} rounds", flush=True)
        for server in servers:
            print(f"    {name_of(server):14} {told(added(found, name_of(server)))}", flush=True)
        return found

    def memory(self, servers):
        found = {}
        print("memory with all objects stored, MiB: resident (all processes), files in memory",
              flush=True)
        for server in servers:
            name = name_of(server)
            resident = measure.proportional_bytes(server.pid)
            files = files_in_memory(server)
            found[name] = {"resident_bytes": resident, "file_bytes": files}
            print(f"  {name:14} {resident / (1 << 20):7.1f} {files / (1 << 20):7.1f}",
                  flush=True)
        return found

    def instructions(self, scenarios, kinds):
        """Per request and server; if one does not run in valgrind, the reason is recorded."""
        print("instructions of a request in user space", flush=True)
        found = {"ceiling": {}}
        for scenario in scenarios:
            found["ceiling"] |= self.counter.per_request(
                functools.partial(self.start_ceiling, scenario), [scenario])
        show_instructions("ceiling", found["ceiling"])
        found["revcache"] = self.counter.per_request(self.start_revcache, scenarios, self.settle)
        show_instructions("revcache", found["revcache"])
        for kind in kinds:
            able = [scenario for scenario in scenarios if scenario.name not in kind.cannot]
            try:
                found[kind.name] = self.counter.per_request(
                    functools.partial(self.start_peer, kind), able, self.settle)
            except RuntimeError as failure:
                found[kind.name] = {"failed": str(failure)[-500:]}
            show_instructions(kind.name, found[kind.name])
        return found

    def loops(self, scenario):
        """Whether a hit takes the same instructions with two loops as with one. A round of a loop is
        shared by fewer requests then: so there are many connections."""
        counter = instructions.Counter(self.load, self.request, lambda _: LOOPS_REQUESTS,
                                       scenario.connections)
        one, two = (counter.per_request(
            functools.partial(self.start_revcache, workers=workers), [scenario],
            self.settle)[scenario.name] for workers in (1, 2))
        print(f"  two loops: {two:,.0f} instructions a hit, one loop: {one:,.0f}; ratio "
              f"{two / one:.3f} (at most {LOOPS_RATIO_MAX})", flush=True)
        return {"one": one, "two": two, "ratio": two / one, "target": LOOPS_RATIO_MAX}


def name_of(server):
    return {RevcacheProcess: "revcache", Ceiling: "ceiling"}.get(type(server)) or server.name


def cannot_of(server):
    return getattr(server, "cannot", {})


def files_in_memory(server):
    """What a peer keeps in /dev/shm; what revcache writes to disk is a copy of what it has in memory."""
    if isinstance(server, RevcacheProcess):
        return 0
    return sum(path.stat().st_blocks * 512 for path in server.folder.rglob("*") if path.is_file())


def show_instructions(name, found):
    print(f"  {name:14} " + "  ".join(
        f"does not run in valgrind: {value}" if key == "failed" else f"{key} {value:,.0f}"
        for key, value in found.items()), flush=True)


def show(scenario, result):
    print(f"  {scenario.name}, {result['requests']} requests, {result['rounds']} rounds: CPU us, its "
          "ratio to the ceiling (min median max), requests/s, system calls", flush=True)
    for name, figures in result["servers"].items():
        least, middle, most = figures["ratio"]
        calls = sum(figures.get("system_calls", {}).values())
        print(f"    {name:14} {figures['cpu_us']:9.2f}   {least:5.2f} {middle:5.2f} {most:5.2f} "
              f"{figures['per_second']:10,.0f} {calls:7.2f}", flush=True)
    for name, reason in result["cannot"].items():
        print(f"    {name:14} cannot: {reason}", flush=True)
    if "to_best_peer" in result:
        best = result["to_best_peer"]
        print("    revcache's CPU to that of {cheapest}: {:.2f} {:.2f} {:.2f}; ".format(
            *best["cpu"], **best) + "its requests/s to those of {fastest}: {:.2f} {:.2f} {:.2f}".format(
                *best["per_second"], **best), flush=True)


def run(args, folder, extent):
    kinds = [kind for kind in PEERS if not args.peers or kind.name in args.peers.split(",")]
    document = {"peers": {kind.name: kind.version() for kind in kinds}, "results": {}}
    for version in dict.fromkeys(document["peers"].values()):
        print(f"  {version}", flush=True)
    with SampleOrigin() as origin:
        _, question = hits.fill(origin, folder)
        side = SideBySide(args.build, folder, origin, extent)
        scenarios = [scenario for scenario in hits.scenarios(origin, question, extent.scale)
                     if not args.only or scenario.name in args.only.split(",")]
        with contextlib.ExitStack() as running:
            servers = [running.enter_context(side.start_revcache()),
                       *(running.enter_context(side.start_peer(kind)) for kind in kinds)]
            for scenario in scenarios:
                document["results"][scenario.name] = side.measure(scenario, servers)
            if scenarios:
                document["memory"] = side.memory(servers)
        if not args.only or "miss" in args.only.split(","):
            document["misses"] = side.misses(hits.small_answer(origin), kinds)
        if extent.instructions and scenarios:
            document["instructions"] = side.instructions(extent.counted(scenarios), kinds)
            document["loops"] = side.loops(scenarios[0])
    return document


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=measure.TOP / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the requests, three rounds, "
                        "instructions of two scenarios only")
    parser.add_argument("--smoke", action="store_true", help="hardly any requests: whether every peer "
                        "starts, hits, and answers with the same bytes")
    parser.add_argument("--only", help="comma-separated: crl-1k, not-modified, crl-100k, crl-10m, "
                        "new-connection, ocsp-get, ocsp-post, miss")
    parser.add_argument("--peers", help="comma-separated: " + ", ".join(kind.name for kind in PEERS))
    parser.add_argument("--save", action="store_true", help="keep the numbers in bench/results/")
    args = parser.parse_args()
    args.build = args.build.resolve()
    document = record.begin()
    with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name:
        document |= run(args, pathlib.Path(name), Extent(args))
    record.write(document, args.save, "side-by-side-")
    return 0


if __name__ == "__main__":
    sys.exit(main())
