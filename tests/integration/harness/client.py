"""A client that sends exactly the bytes it is told to."""

import socket

from .wire import TIMEOUT, Reader


class Client:
    """One connection. Usable in a with statement."""

    def __init__(self, address, source=None, timeout=TIMEOUT):
        self.sock = socket.create_connection(address, timeout=timeout, source_address=source)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """False if the peer closed or reset before all was taken: it need not read on."""
        try:
            self.sock.sendall(data)
            return True
        except (ConnectionResetError, BrokenPipeError):
            return False

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def response(self, method="GET"):
        return self.reader.response(method)

    def ask(self, target, *lines, method="GET", body=b"", version="1.1", host=None):
        """Sends a well-formed request and reads its response."""
        self.send(request_bytes(target, *lines, method=method, body=body, version=version,
                                host=host))
        return self.response(method)

    def closed(self):
        """Waits for the close; False when more bytes come instead."""
        return self.reader.at_end()

    def rest(self):
        try:
            return self.reader.rest()
        except ConnectionResetError:
            return self.reader.buffer


def request_bytes(target, *lines, method="GET", body=b"", version="1.1", host=None):
    """`host` None: taken from an absolute-form target; "": no Host line."""
    if host is None and target.startswith(("http://", "https://")):
        host = target.split("/", 3)[2]
    head = ["%s %s HTTP/%s" % (method, target, version)]
    if host:
        head.append("Host: " + host)
    head += lines
    if body and not any(line.lower().startswith("content-length") for line in lines):
        head.append("Content-Length: %d" % len(body))
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def fetch(address, target, *lines, **options):
    """One request on its own connection."""
    with Client(address) as client:
        return client.ask(target, "Connection: close", *lines, **options)
