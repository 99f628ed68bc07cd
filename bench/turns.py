"""Servers that are measured in turns, so that what the machine does meanwhile meets all of them."""

import dataclasses
import statistics

import measure


@dataclasses.dataclass
class Turn:
    cpu_us: float  # of the server, per request
    per_second: float
    body_hash: str


def take_turns(load, servers, rounds, arguments, after=lambda server: None):
    """{server: one Turn a round}; every other round goes backwards. `after` is called after each
    turn. All servers have to answer with the same body."""
    turns = {server: [] for server in servers}
    for number in range(rounds):
        for server in servers if number % 2 == 0 else reversed(servers):
            cost, seen = measure.cpu_per_request(load, server, *arguments)
            turns[server].append(Turn(cost, seen["requests"] / seen["seconds"], seen["body_hash"]))
            after(server)
    if len({turn.body_hash for row in turns.values() for turn in row}) != 1:
        raise RuntimeError("different bodies: " + ", ".join(
            f"{type(server).__name__} {row[0].body_hash}" for server, row in turns.items()))
    return turns


def median_cost(turns):
    return statistics.median(turn.cpu_us for turn in turns)


def median_rate(turns):
    return statistics.median(turn.per_second for turn in turns)


def cheapest(turns, servers):
    """The one of `servers` with the least median cost."""
    return min(servers, key=lambda server: median_cost(turns[server]))


def ratios(numerator, denominator):
    """(min, median, max) of the rounds' ratios of CPU per request."""
    each = sorted(ours.cpu_us / theirs.cpu_us for ours, theirs in zip(numerator, denominator))
    return each[0], statistics.median(each), each[-1]
