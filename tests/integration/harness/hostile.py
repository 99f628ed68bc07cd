"""Rows of hostile traffic and the runner that plays them through the binary.

In what is sent, these stand for their values: {allowed} and {blocked} the authorities of two
origins, of which only the first is an allowed destination; {port} and {blockedport} their ports;
{proxy} our own listener; {path} a path of the row's own; {id} the instance's name in CDN-Loop.
"""

import re
from dataclasses import dataclass
from typing import Optional

from .client import Client
from .origin import Answer
from .table import expect
from .wire import Malformed

GOOD_BODY = b"the right body"
NO_STORE = "Cache-Control: no-store"


@dataclass
class Request:
    """Octets of a client, and what may come of them."""

    id: str
    section: str
    sent: bytes
    statuses: tuple = (400,)  # of the responses in order; each a number or a tuple of them
    closes: bool = True  # afterwards the proxy closes; else it goes on serving the connection
    reaches: tuple = ()  # the requests that the origin gets, byte for byte; see normal()
    finish: bool = False  # the client closes its sending side after `sent`
    partial: bool = False  # a streamed request's beginning may have reached the origin, no more


@dataclass
class Reply:
    """Octets of an origin, and what may reach the client."""

    id: str
    section: str
    answer: Answer
    outcome: object  # a status, a tuple of them, or INCOMPLETE
    body: Optional[bytes] = None  # the exact content, when the outcome is the origin's own status
    suffix: str = ""  # of the path: ".crl" is held until admitted
    lacks: tuple = ()  # names of fields that must not reach the client
    method: str = "GET"


INCOMPLETE = "incomplete"  # 502, 504 or a connection cut before the end: never a whole message


class Player:
    """Plays rows against one proxy and three origins."""

    def __init__(self, revcache, allowed, streamed, blocked):
        """`streamed` stands for the allowed origin in rows whose beginning may reach it, also
        late: what `allowed` gets must belong to the row being played."""
        self.proxy = revcache.proxy
        self.allowed = allowed
        self.streamed = streamed
        self.blocked = blocked
        self.count = 0
        self.instance = b"unknown"

    def learn_instance(self):
        """The proxy's name in CDN-Loop, from a request of its own."""
        self.sentinel()
        loops = self.allowed.requests[-1].fields.get("CDN-Loop") or ""
        self.instance = loops.encode("latin-1")

    def filled(self, data, path, origin=None):
        origin = origin or self.allowed
        values = {"allowed": origin.authority, "blocked": self.blocked.authority,
                  "port": origin.port, "blockedport": self.blocked.port,
                  "proxy": "%s:%d" % self.proxy, "proxyport": self.proxy[1], "path": path}
        for name, value in values.items():
            data = data.replace(b"{%s}" % name.encode(), str(value).encode())
        return data.replace(b"{id}", self.instance)

    def sentinel(self):
        """An ordinary request that must come through unharmed, over a connection of its own."""
        self.count += 1
        path = "/sentinel/%d" % self.count
        body = GOOD_BODY + b" %d" % self.count
        self.allowed.script(path, Answer(fields=(NO_STORE,), body=body))
        with Client(self.proxy) as client:
            response = client.ask(self.allowed.url(path), "Connection: close")
        expect(response.status == 200 and response.body == body,
               "afterwards another client gets %s %r" % (response.start, response.body[:100]))

    def play(self, row):
        if isinstance(row, Reply):
            self.play_reply(row)
        else:
            self.play_request(row)

    def play_request(self, row):
        path = "/h/" + row.id
        origin = self.streamed if row.partial else self.allowed
        for one in (self.allowed, self.streamed):
            one.fallback = lambda request: Answer(fields=(NO_STORE,), body=GOOD_BODY)
        requests, octets = len(origin.requests), len(origin.octets)
        failures = len(origin.failures)
        with Client(self.proxy) as client:
            client.send(self.filled(row.sent, path, origin))
            if row.finish:
                client.finish_sending()
            self.check_responses(row, client)
            self.sentinel()
        expect(not self.blocked.octets, "the blocked origin got %r" % self.blocked.octets[:300])
        arrived = [r for r in origin.requests[requests:]
                   if not r.target.startswith(("/sentinel/", "/alive"))]
        wanted = [self.filled(one, path, origin) for one in row.reaches]
        got = [normal(one.raw) for one in arrived]
        expect(got == [normal(one) for one in wanted], "the origin got %r instead of %r"
               % (got, wanted))
        expect(len(origin.failures) == failures,
               "the origin could not read: %r" % origin.failures[failures:])
        if not row.reaches and not row.partial:
            later = origin.octets[octets:]
            expect(all(part.startswith(b"GET /sentinel/") or part.startswith(b"GET /alive")
                       for part in later.split(b"\r\n\r\n") if part),
                   "octets reached the origin: %r" % later[:400])

    def check_responses(self, row, client):
        methods = re.findall(rb"(?m)^([A-Z]+) \S+ HTTP/", row.sent)
        for index, status in enumerate(row.statuses):
            method = methods[index].decode() if index < len(methods) else "GET"
            allowed = status if isinstance(status, tuple) else (status,)
            response = client.response(method)
            expect(response.status in allowed, "%r instead of %r: %r" % (
                response.start, allowed, response.body[:200]))
            refused = response.status >= 400
            if refused and method != "HEAD":
                kind = response.fields.get("Content-Type", "")
                expect(response.body and kind.startswith("text/plain"),
                       "a refusal without text: %r" % response.head)
        if row.closes:
            expect(client.closed(), "more follows: %r" % client.reader.buffer[:200])
        else:
            again = client.ask(self.allowed.url("/alive"))
            expect(again.status == 200, "the connection does not go on: " + again.start)

    def play_reply(self, row):
        path = "/r/" + row.id + row.suffix
        # The same answer for every attempt: a retry may not turn it into something better.
        self.allowed.script(path, *[self.placed(row.answer, path)] * 12)
        outcome = self.outcome(row, path)
        expect(not self.blocked.octets, "the blocked origin got %r" % self.blocked.octets[:300])
        for _ in range(3):  # the pool's connections must not hold surplus of this answer
            self.sentinel()
        wanted = row.outcome if isinstance(row.outcome, tuple) else (row.outcome,)
        if INCOMPLETE in wanted:
            wanted += (502, 504)
        expect(outcome in wanted, "%r instead of %r" % (outcome, wanted))

    def placed(self, answer, path):
        if answer.raw is None:
            fields = tuple(self.filled(line.encode("latin-1"), path).decode("latin-1")
                           for line in answer.fields)
            return Answer(**{**vars(answer), "fields": fields})
        return Answer(**{**vars(answer), "raw": self.filled(answer.raw, path)})

    def outcome(self, row, path):
        with Client(self.proxy) as client:
            try:
                response = client.ask(self.allowed.url(path), method=row.method)
            except Malformed:
                raise
            except (EOFError, ConnectionResetError):
                return INCOMPLETE
            for name in row.lacks:
                expect(not response.fields.has(name), "%s reached the client" % name)
            for name, value in response.fields:
                expect(name.lower() != "x-injected", "an injected field reached the client")
            if row.body is not None and response.status < 400:
                expect(response.body == row.body, "body %r" % response.body[:200])
            return response.status


def normal(request):
    """A request with its field lines sorted by name and the instance's name in CDN-Loop made
    plain; all else byte for byte."""
    head, _, body = request.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    lines = [re.sub(rb"revcache-[0-9a-f]{16}", b"{id}", line) for line in lines]
    return start + b"\r\n" + b"\r\n".join(sorted(lines, key=name_of)) + b"\r\n\r\n" + body


def name_of(line):
    return line.split(b":", 1)[0].lower()


def forwarded(start, *lines, body=b"", host=b"{allowed}"):
    """What the origin must get for an accepted request."""
    own = [b"Host: " + host, b"Via: 1.1 revcache", b"CDN-Loop: {id}"]
    return start + b"\r\n" + b"\r\n".join(own + list(lines)) + b"\r\n\r\n" + body
