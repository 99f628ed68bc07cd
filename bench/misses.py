"""What a miss takes longer than a fetch from the origin itself, at p50.

One connection, kept, a new URL each time. The origin is the bare libuv + llhttp program, on the load's
core: a direct fetch wakes no other processor, one through a server wakes the other there and back, to
the origin and for the answer. Where an idle processor falls asleep, as a virtual one does within
microseconds, these wake-ups are much of a miss, and belong to the machine. So it is measured twice: as
the machine is, and with the processors kept awake, which a server's latency profile does too.
"""

import contextlib
import statistics
import time

import measure
from hits import get
from measure import Ceiling

DIRECT = "direct"


class Misses:
    """`with Misses(load, folder, answer) as misses:` an origin that gives `answer` to everything."""

    def __init__(self, load, folder, answer):
        self._load = load
        self._request = folder / "miss"
        self._origin = Ceiling(load.build, folder, answer, core=measure.LOAD_CORE)

    def __enter__(self):
        self._origin.__enter__()
        return self

    def __exit__(self, *failure):
        self._origin.__exit__(*failure)

    @property
    def port(self):
        return self._origin.port

    def p50(self, port, count):
        """Microseconds, of the server at `port`; %N% is the load's number of the request."""
        url = f"http://127.0.0.1:{self.port}/miss-{time.time_ns()}-%N%.crl"
        self._request.write_bytes(get(url))
        return self._load.run(port, self._request, 1, count)["p50_us"]

    def in_turns(self, ports, rounds, count):
        """`ports`, by name; gives the median of each one's rounds, and of direct fetches."""
        seen = {name: [] for name in (DIRECT, *ports)}
        for _ in range(rounds):
            for name, port in ((DIRECT, self.port), *ports.items()):
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
