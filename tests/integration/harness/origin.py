"""A scripted origin server on loopback: it records every request byte for byte and answers, path
by path, what its script says, right or wrong."""

import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Optional

from .wire import TIMEOUT, Malformed, Reader


def http_date(offset=0):
    """IMF-fixdate of now plus `offset` seconds."""
    return formatdate(time.time() + offset, usegmt=True)


def expand(line):
    """Replaces {+60} and {-60} in a field line by the date that far from now."""
    return re.sub(r"\{([+-]\d+)\}", lambda found: http_date(int(found.group(1))), line)


@dataclass
class Answer:
    """One scripted response. Field lines may contain {+60}: the date in 60 seconds."""

    fields: tuple = ()
    status: int = 200
    body: Optional[bytes] = None  # None: a body that names path and index
    framing: str = "length"  # length | chunked | close | none (no framing field, no body)
    dated: bool = True  # add a Date of now, unless the fields have one
    version: str = "1.1"
    reason: str = "Scripted"
    length: Optional[int] = None  # a Content-Length that may be wrong
    trailers: tuple = ()
    interim: bytes = b""  # sent before the head
    raw: Optional[bytes] = None  # sent verbatim instead of all of the above
    revalidates: bool = False  # 304 instead, when the request's validator is that of the fields
    gate: Optional[threading.Event] = None  # waited for before the first byte
    body_gate: Optional[threading.Event] = None  # waited for after the first half of the body
    then: str = "keep"  # keep | close | reset | stall (until the peer closes); raw: keep closes,
    # continue does not

    def head(self, body):
        lines = ["HTTP/%s %d %s" % (self.version, self.status, self.reason)]
        lines += [expand(line) for line in self.fields]
        if self.dated and not any(line.lower().startswith("date:") for line in lines):
            lines.append("Date: " + http_date())
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "length" and self.status not in (204, 304):
            lines.append("Content-Length: %d" % (len(body) if self.length is None
                                                 else self.length))
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def chosen(self, request):
        """This answer or, with `revalidates`, the 304 that the request's conditions ask for."""
        if not self.revalidates:
            return self
        lines = dict(expand(line).split(": ", 1) for line in self.fields)
        etags = request.fields.get("If-None-Match")
        if etags is not None:
            matched = lines.get("ETag") in [tag.strip() for tag in etags.split(",")]
        else:
            matched = "Last-Modified" in lines and \
                lines["Last-Modified"] == request.fields.get("If-Modified-Since")
        return replace(self, status=304) if matched else self

    def payload(self, body):
        if self.framing != "chunked":
            return body
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                          for piece in (body[:7], body[7:]) if piece)
        return chunks + b"0\r\n" + "".join(t + "\r\n" for t in self.trailers).encode() + b"\r\n"


class Origin:
    """Listens at once; `requests` holds all that came, in order of their arrival."""

    def __init__(self, host="127.0.0.1", tls=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, 0))
        self.listener.listen(512)
        self.host, self.port = self.listener.getsockname()[:2]
        self.tls = tls
        self.requests = []
        self.failures = []  # what was not HTTP
        self.octets = b""  # all that was received, requests or not
        self.connections = 0
        self.scripts = {}
        self.fallback = None  # callable(request) -> Answer, for paths without script
        self.changed = threading.Condition()
        self.open = set()
        self.stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()

    @property
    def authority(self):
        return ("[%s]:%d" if ":" in self.host else "%s:%d") % (self.host, self.port)

    def url(self, path, scheme="http"):
        return "%s://%s%s" % (scheme, self.authority, path)

    def script(self, path, *answers):
        """The answers to requests for `path`, one each; further requests get a 599-like 500."""
        with self.changed:
            self.scripts[path] = list(answers)

    def seen(self, path):
        """The requests for `path` so far (any query)."""
        with self.changed:
            return [request for request in self.requests if path_of(request.target) == path]

    def wait_for(self, path, count, timeout=TIMEOUT):
        """Waits until `count` requests for `path` have come."""
        with self.changed:
            done = self.changed.wait_for(
                lambda: sum(path_of(r.target) == path for r in self.requests) >= count, timeout)
        if not done:
            raise AssertionError("origin: no %d requests for %s" % (count, path))

    def stop(self):
        with self.changed:
            self.stopping = True
            doomed = list(self.open)
        shut(self.listener)
        for sock in doomed:
            shut(sock)

    def drop_connections(self):
        """Closes what is open now; the listener stays."""
        with self.changed:
            doomed = list(self.open)
        for sock in doomed:
            shut(sock)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections += 1
                number = self.connections
                self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        plain = sock
        try:
            sock.settimeout(TIMEOUT)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self._converse(sock, number)
        except Malformed as broken:
            with self.changed:
                self.failures.append(str(broken))
                self.changed.notify_all()
        except (OSError, EOFError):
            pass
        finally:
            with self.changed:
                self.open.discard(plain)
            shut(sock)

    def _converse(self, sock, number):
        reader = RecordingReader(sock, self)
        while (request := reader.request()) is not None:
            request.connection = number
            with self.changed:
                path = path_of(request.target)
                index = sum(path_of(r.target) == path for r in self.requests)
                self.requests.append(request)
                self.changed.notify_all()
                answer = self._choose(path, index, request)
            if not play(sock, answer, request, self.body_of(path, index)):
                return

    def _choose(self, path, index, request):
        script = self.scripts.get(path)
        if script is not None and index < len(script):
            return script[index]
        if script is None and self.fallback is not None:
            return self.fallback(request)
        return Answer(status=500, fields=("Cache-Control: no-store", "X-Unexpected: 1"))

    @staticmethod
    def body_of(path, index):
        """The body of the answer number `index` to `path`, where the script gives none."""
        return b"answer %d of %s\n" % (index, path.encode("latin-1"))


class RecordingReader(Reader):
    """Tells the origin every octet that comes, also those of incomplete requests."""

    def __init__(self, sock, origin):
        super().__init__(sock)
        self.origin = origin

    def _more(self):
        before = len(self.buffer)
        super()._more()
        with self.origin.changed:
            self.origin.octets += self.buffer[before:]


def play(sock, answer, request, default_body):
    """Sends one answer; False when the connection is over."""
    answer = answer.chosen(request)
    if answer.gate:
        answer.gate.wait(TIMEOUT)
    if answer.raw is not None:
        sock.sendall(answer.raw)
    else:
        body = default_body if answer.body is None else answer.body
        if request.method == "HEAD" or answer.status in (204, 304) or answer.framing == "none":
            sock.sendall(answer.interim + answer.head(body))
        else:
            send_body(sock, answer, answer.interim + answer.head(body), answer.payload(body))
    if answer.then == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    elif answer.then == "stall":
        Reader(sock).at_end()
    elif answer.then == "continue":
        return True
    elif answer.then == "keep" and answer.framing != "close" and answer.raw is None:
        return True
    return False


def send_body(sock, answer, head, payload):
    if answer.body_gate is None:
        sock.sendall(head + payload)
        return
    half = len(payload) // 2
    sock.sendall(head + payload[:half])
    answer.body_gate.wait(TIMEOUT)
    sock.sendall(payload[half:])


def path_of(target):
    """The path of an origin-form or absolute-form target, without query."""
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    return target.split("?", 1)[0]


def shut(sock):
    for step in (lambda: sock.shutdown(socket.SHUT_RDWR), sock.close):
        try:
            step()
        except OSError:
            pass
