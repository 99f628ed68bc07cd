"""What a miss takes longer than a fetch from the origin itself, at p50.

One connection, kept, a new URL each time; origins are the bare libuv + llhttp program. A processor that
sleeps, as an idle virtual one does within microseconds, has to wake for a message, and that is much of
a miss. Load, server and origin stand for three machines, so every message here goes to the other core:
a server asks the origin on the load's core, a direct fetch is from the one on the server's. Two
processors wake for a fetch then, and four for a miss: what a server adds are its own two. A direct
fetch within one core wakes none; beside it a miss would be charged with the load's waking and the
origin's as well. It is measured too, to compare with figures from before 2026-11-23, which were that.

All of it twice: as the machine is, and with its processors kept awake, as latency profiles of servers
have it, and cyclictest while it measures.
"""

import contextlib
import statistics
import time

import measure
from hits import get
from measure import Ceiling

DIRECT = "direct"
WITHIN_ONE_CORE = "direct, within one core"


class Misses:
    """`with Misses(load, folder, answer) as misses:` origins that give `answer` to everything."""

    def __init__(self, load, folder, answer):
        self._load = load
        self._request = folder / "miss"
        self._beside_load = Ceiling(load.build, folder, answer, core=measure.LOAD_CORE)
        self._beside_server = Ceiling(load.build, folder, answer, core=measure.SERVER_CORE)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self._beside_load.__exit__(*failure)
        self._beside_server.__exit__(*failure)

    @property
    def port(self):
        """Of the origin that servers are to ask."""
        return self._beside_load.port

    def p50(self, port, count):
        """Microseconds, of the server at `port`; %N% is the load's number of the request."""
        url = f"http://127.0.0.1:{self.port}/miss-{time.time_ns()}-%N%.crl"
        self._request.write_bytes(get(url))
        return self._load.run(port, self._request, 1, count)["p50_us"]

    def in_turns(self, ports, rounds, count):
        """`ports`, by name; gives the median of each one's rounds, and of direct fetches."""
        ports = {DIRECT: self._beside_server.port, WITHIN_ONE_CORE: self._beside_load.port, **ports}
        seen = {name: [] for name in ports}
        for _ in range(rounds):
            for name, port in ports.items():
                seen[name].append(self.p50(port, count))
        return {name: statistics.median(values) for name, values in seen.items()}

    def measure(self, ports, rounds, count):
        """{"as_is": in_turns(), "awake": the same, if the processors can be kept awake}."""
        found = {"as_is": self.in_turns(ports, rounds, count)}
        with processors_awake() as awake:
            if awake:
                found["awake"] = self.in_turns(ports, rounds, count)
        return found


@contextlib.contextmanager
def processors_awake():
    """No processor sleeps meanwhile (Linux, Power Management QoS: /dev/cpu_dma_latency; the profile
    latency-performance of tuned does the same). Gives whether that could be asked for: root can."""
    try:
        latency = open("/dev/cpu_dma_latency", "wb", buffering=0)
    except OSError:
        yield False
        return
    with latency:
        latency.write(bytes(4))  # at most 0 us, for as long as the file is open
        yield True


def added(found, name):
    """What `name` adds, in microseconds, by how the processors were."""
    return {how: seen[name] - seen[DIRECT] for how, seen in found.items()}


def told(adds):
    """For people: "76 us with the processors awake, 152 us as the machine is"."""
    names = {"awake": "with the processors kept awake", "as_is": "as the machine is"}
    return ", ".join(f"{adds[how]:.0f} us {name}" for how, name in names.items() if how in adds)
