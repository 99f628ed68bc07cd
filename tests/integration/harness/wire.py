"""HTTP/1 on the wire: a strict reader shared by the raw client and the scripted origin.

Nothing here is lenient: whatever deviates from RFC 9112 raises Malformed, so that a proxy which
emits it fails its test.
"""

import re
from dataclasses import dataclass, field

TIMEOUT = 60.0  # seconds; a bound for a hanging test, never a measure
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
NO_CONTENT = (204, 304)


class Malformed(Exception):
    """The peer's bytes do not follow RFC 9112."""


class Fields(list):
    """Field lines in their order: (name, value) pairs."""

    def all(self, name):
        return [value for key, value in self if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return ", ".join(values) if values else default

    def has(self, name):
        return bool(self.all(name))


@dataclass
class Message:
    """One request or response as it was read."""

    start: str = ""
    fields: Fields = field(default_factory=Fields)
    body: bytes = b""
    trailers: Fields = field(default_factory=Fields)
    head: bytes = b""  # start line and fields, verbatim
    raw: bytes = b""  # everything, verbatim
    interim: list = field(default_factory=list)
    connection: int = 0

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])

    @property
    def version(self):
        return self.start.split(" ", 1)[0]

    @property
    def method(self):
        return self.start.split(" ", 1)[0]

    @property
    def target(self):
        return self.start.split(" ")[1]


class Reader:
    """Buffers a socket; every read is bounded by the socket's timeout."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.taken = b""

    def _more(self):
        chunk = self.sock.recv(65536)
        if not chunk:
            raise EOFError("closed with %r pending" % self.buffer[:200])
        self.buffer += chunk

    def _take(self, count):
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        self.taken += taken
        return taken

    def at_end(self):
        """True if the peer has closed and nothing is left; waits for either."""
        if self.buffer:
            return False
        try:
            self._more()
        except (EOFError, ConnectionResetError):
            return True
        return False

    def exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        return self._take(count)

    def until(self, mark, limit=1 << 20):
        while mark not in self.buffer:
            if len(self.buffer) > limit:
                raise Malformed("no %r within %d octets" % (mark, limit))
            self._more()
        return self._take(self.buffer.index(mark) + len(mark))

    def rest(self):
        """Everything up to the close of the connection."""
        try:
            while True:
                self._more()
        except EOFError:
            pass
        return self._take(len(self.buffer))

    def head(self):
        """One start line with its fields."""
        self.taken = b""
        message = Message()
        message.head = self.until(b"\r\n\r\n")
        lines = message.head[:-4].decode("latin-1").split("\r\n")
        message.start = lines[0]
        message.fields = parse_fields(lines[1:])
        return message

    def chunked(self):
        body = b""
        while True:
            line = self.until(b"\r\n")[:-2].decode("latin-1")
            size_text = line.split(";", 1)[0]
            if not re.fullmatch(r"[0-9A-Fa-f]{1,16}", size_text):
                raise Malformed("chunk size %r" % line)
            size = int(size_text, 16)
            if size == 0:
                break
            body += self.exactly(size)
            if self.exactly(2) != b"\r\n":
                raise Malformed("chunk data is not followed by CRLF")
        lines = []
        while True:
            line = self.until(b"\r\n")[:-2].decode("latin-1")
            if not line:
                return body, parse_fields(lines)
            lines.append(line)

    def request(self):
        """One request with its body, or None when the peer closed instead."""
        if self.at_end():
            return None
        message = self.head()
        if not re.fullmatch(r"\S+ \S+ HTTP/1\.[01]", message.start):
            raise Malformed("request line %r" % message.start)
        self._body(message, has_body=False)
        message.raw = self.taken
        return message

    def response(self, method="GET"):
        """The final response to `method`; interim ones are collected in `interim`."""
        interim = []
        while True:
            message = self.head()
            if not re.fullmatch(r"HTTP/1\.[01] [1-9]\d\d [\t -~\x80-\xff]*", message.start):
                raise Malformed("status line %r" % message.start)
            if message.status >= 200 or message.status == 101:
                break
            interim.append(message)
        message.interim = interim
        if method == "HEAD" or message.status in NO_CONTENT:
            pass
        elif method == "CONNECT" and message.status // 100 == 2:
            pass
        else:
            self._body(message, has_body=True)
        message.raw = self.taken
        return message

    def _body(self, message, has_body):
        coding = message.fields.get("Transfer-Encoding")
        lengths = message.fields.all("Content-Length")
        if coding is not None:
            if lengths:
                raise Malformed("Transfer-Encoding beside Content-Length")
            if coding.lower() != "chunked":
                raise Malformed("Transfer-Encoding: %s" % coding)
            message.body, message.trailers = self.chunked()
        elif lengths:
            if len(lengths) != 1 or not re.fullmatch(r"\d{1,18}", lengths[0]):
                raise Malformed("Content-Length %r" % lengths)
            message.body = self.exactly(int(lengths[0]))
        elif has_body:
            message.body = self.rest()


def parse_fields(lines):
    fields = Fields()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.match(name):
            raise Malformed("field line %r" % line)
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise Malformed("control character in %r" % line)
        fields.append((name, value.strip(" \t")))
    return fields
