"""Rows of cache behaviour and the runner that plays them through the binary.

A row is a list of origin answers and a list of client requests with what must happen to each:

    case("fresh-max-age", "9111 4.2.1", [answer("Cache-Control: max-age=60")],
         [miss(), hit(age=(0, 30))])

All requests of a row go over one connection, one after the other. Besides what a row says, every
response is checked for what always holds: framing, Via, Date, Cache-Status, Age, Connection.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Optional

from .client import Client
from .origin import Answer, expand, path_of

EVENTUALLY_MAX = 2000  # requests of an eventually() step, no more
HOP_BY_HOP = ("Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade", "Proxy-Authenticate")


def answer(*fields, **options):
    return Answer(fields=fields, **options)


@dataclass
class Step:
    """One client request and what must come of it."""

    lines: tuple = ()
    upstream: Optional[int] = 1  # requests that reach the origin because of it; None: any
    of: Optional[int] = None  # the answer whose body must come back; None: the newest taken
    method: str = "GET"
    status: object = 200  # or a tuple, where the standard leaves a choice
    body: Optional[bytes] = None  # the exact content, instead of that of an answer
    sends: bytes = b""  # content of the request
    path: str = ""  # appended to the path of the row
    version: str = "1.1"
    sees: tuple = ()  # field lines of the upstream request; a name alone: present
    sees_not: tuple = ()  # names that must not be in the upstream request
    has: tuple = ()  # field lines of the response; "Name ~ regex", or a name alone
    lacks: tuple = ()
    age: Optional[tuple] = None  # bounds of Age, inclusive; (None, None): no Age at all
    cache: Optional[str] = None  # regex for the parameters of our Cache-Status member
    again: bool = False  # eventually: repeated until it holds
    wait: Optional[tuple] = None  # (path, count): afterwards the origin must have got so many


@dataclass
class Case:
    """One row of a table."""

    id: str
    section: str
    answers: list
    steps: list
    more: dict = field(default_factory=dict)  # answers to other paths: {"/b": [...]}
    suffix: str = ""  # of the path: ".crl"


def case(*args, **options):
    return Case(*args, **options)


def ask(*lines, **options):
    return Step(lines=lines, **options)


def miss(*lines, **options):
    """Goes to the origin and brings its next answer."""
    return Step(lines=lines, **{"cache": r"; fwd=(?!request-cached)", **options})


def hit(*lines, **options):
    """Is answered without the origin; with the newest answer unless `of` says otherwise."""
    return Step(lines=lines, **{"upstream": 0, "cache": r"; hit", **options})


def validated(*lines, of=0, **options):
    """Goes to the origin, which says 304, and brings the stored body."""
    return Step(lines=lines, of=of, **options)


def refused(status, *lines, **options):
    """Is answered by the proxy itself, without the origin."""
    return Step(lines=lines, **{"upstream": 0, "status": status, "body": ANY, **options})


def eventually(step):
    """For what happens behind the client's back: repeats the request until the step holds."""
    step.again = True
    return step


ANY = b"\0any"  # as `body`: not compared


class Player:
    """Plays rows against one proxy and one origin."""

    def __init__(self, proxy, origin, prefix="/t/"):
        self.proxy = proxy
        self.origin = origin
        self.prefix = prefix

    def play(self, row):
        path = self.prefix + row.id + row.suffix
        for suffix, answers in {"": row.answers, **row.more}.items():
            self.origin.script(path + suffix, *[self.placed(one, path) for one in answers])
        with Client(self.proxy) as client:
            for number, step in enumerate(row.steps):
                try:
                    client = self.step(client, path, step)
                except (AssertionError, EOFError, OSError, ValueError) as failure:
                    raise AssertionError("%s (RFC %s), request %d: %s" % (
                        row.id, row.section, number + 1, failure)) from None

    def placed(self, one, path):
        """The answer with {path} and {authority} of its row filled in."""
        fields = tuple(line.replace("{path}", path).replace("{authority}", self.origin.authority)
                       .replace("{port}", str(self.origin.port)) for line in one.fields)
        return replace(one, fields=fields)

    def step(self, client, path, step):
        for attempt in range(EVENTUALLY_MAX if step.again else 1):
            asked = path_of(path + step.path)
            before = len(self.origin.seen(asked))
            response, client = self.send(client, path, step)
            seen = self.origin.seen(asked)
            try:
                check_step(step, response, seen, before)
                self.check_body(step, response, seen, asked)
                break
            except AssertionError:
                if not step.again or attempt + 1 == EVENTUALLY_MAX:
                    raise
        if step.wait:
            self.origin.wait_for(path + step.wait[0], step.wait[1])
        return client

    def send(self, client, path, step):
        lines = [expand(line) for line in step.lines]
        response = client.ask(self.origin.url(path + step.path), *lines, method=step.method,
                              body=step.sends, version=step.version)
        connection = (response.fields.get("Connection") or "").lower()
        if connection == "close" or response.version == "HTTP/1.0" or (
                step.version == "1.0" and connection != "keep-alive"):
            expect(client.closed(), "the connection stays open after Connection: close")
            client.close()
            client = Client(self.proxy)
        return response, client

    def check_body(self, step, response, seen, path):
        if step.body is ANY:
            return
        if step.method == "HEAD" or response.status in (204, 304):
            expect(response.body == b"", "a body where none may be")
            return
        index = len(seen) - 1 if step.of is None else step.of
        wanted = step.body
        if wanted is None:
            script = self.origin.scripts.get(path, [])
            wanted = script[index].body if 0 <= index < len(script) else None
        if wanted is None:
            wanted = self.origin.body_of(path, index)
        expect(response.body == wanted, "body %r instead of %r" % (response.body[:80],
                                                                   wanted[:80]))


def expect(truth, message):
    if not truth:
        raise AssertionError(message)


def check_step(step, response, seen, before):
    summary = "%s %r; origin saw %d" % (response.start, list(response.fields), len(seen) - before)
    wanted = step.status if isinstance(step.status, tuple) else (step.status,)
    expect(response.status in wanted, "status %d instead of %r: %s %r" % (
        response.status, step.status, summary, response.body[:200]))
    expect(step.upstream is None or len(seen) - before == step.upstream,
           "%d upstream requests instead of %r: %s" % (len(seen) - before, step.upstream, summary))
    check_always(response, step)
    for wanted in step.has:
        expect(field_matches(response.fields, wanted), "no %r in %s" % (expand(wanted), summary))
    for name in step.lacks:
        expect(not response.fields.has(name), "%s in %s" % (name, summary))
    if step.upstream:
        for wanted in step.sees:
            expect(field_matches(seen[-1].fields, wanted),
                   "origin saw no %r: %r" % (expand(wanted), seen[-1].head))
        for name in step.sees_not:
            expect(not seen[-1].fields.has(name), "origin saw %s: %r" % (name, seen[-1].head))
    check_age(step, response, summary)
    if step.cache is not None:
        ours = our_cache_status(response)
        expect(re.search(step.cache, ours), "Cache-Status %r is not %r" % (ours, step.cache))


def check_age(step, response, summary):
    if step.age is None:
        return
    ages = response.fields.all("Age")
    if step.age == (None, None):
        expect(not ages, "Age in " + summary)
        return
    expect(len(ages) == 1 and ages[0].isdigit(), "Age %r in %s" % (ages, summary))
    low, high = step.age
    expect(low <= int(ages[0]) <= high, "Age %s is not in %r" % (ages[0], step.age))


def field_matches(fields, wanted):
    wanted = expand(wanted)
    if " ~ " in wanted:
        name, pattern = wanted.split(" ~ ", 1)
        return any(re.search(pattern, value) for value in fields.all(name))
    name, colon, value = wanted.partition(": ")
    return value in fields.all(name) if colon else fields.has(name)


def our_cache_status(response):
    """Our member of Cache-Status: the last one (RFC 9211 section 2)."""
    lines = response.fields.all("Cache-Status")
    return lines[-1].rsplit(", ", 1)[-1] if lines else ""


CACHE_STATUS = re.compile(
    r"(revcache)(; hit|; fwd=(bypass|method|uri-miss|vary-miss|miss|request|stale|partial))?"
    r"(; (fwd-status=[1-5]\d\d|ttl=-?\d{1,10}|stored|collapsed|stored=\?[01]|collapsed=\?[01]"
    r'|key="[^"]*"|detail=([A-Za-z*][A-Za-z0-9:/!#$%&\'*+\-.^_`|~]*|"[^"]*")))*\Z')


def check_always(response, step):
    """What holds for every response through a cache."""
    fields = response.fields
    for name in ("Date", "Age", "Content-Length", "ETag", "Content-Type", "Location", "Expires"):
        expect(len(fields.all(name)) <= 1, "%s twice: %r" % (name, list(fields)))
    for name in HOP_BY_HOP:
        expect(not fields.has(name), "hop-by-hop %s: %r" % (name, list(fields)))
    if step.version == "1.0":
        expect(not fields.has("Transfer-Encoding"), "chunked to an HTTP/1.0 client")
    expect(fields.has("Date"), "no Date: %r" % list(fields))
    if response.status // 100 == 2 and not (step.method == "POST" and step.upstream == 0):
        expect((fields.get("Via") or "").endswith("revcache"), "Via: %r" % fields.get("Via"))
    if fields.has("Cache-Status"):
        ours = our_cache_status(response)
        expect(CACHE_STATUS.match(ours), "Cache-Status syntax: %r" % ours)
        if "; hit" in ours:
            expect("fwd=" not in ours, "hit and fwd: %r" % ours)  # RFC 9211 2.2
        if step.upstream and response.status < 500:
            expect("; hit" not in ours, "a hit that went upstream: %r" % ours)
