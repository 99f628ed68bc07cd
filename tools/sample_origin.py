"""An HTTP origin on loopback that plays a CDN: keep-alive, validators, a delay, an outage. Knows
absolute-form too, so that it can stand where a parent proxy is expected.

Runs in a thread of its own. For the demonstration and for warming up benchmarks, not for measuring.
"""

import asyncio
import collections
import dataclasses
import email.utils
import hashlib
import threading
import time
import urllib.parse

HEAD_BYTES_MAX = 64 * 1024


@dataclasses.dataclass
class Resource:
    body: bytes
    content_type: str
    cache_control: str
    etag: str
    last_modified: str


class SampleOrigin:
    """`with SampleOrigin() as origin: origin.put("/a.crl", body, "application/pkix-crl")`."""

    def __init__(self, delay=0.0):
        self.delay = delay                        # seconds before each answer
        self.port = 0
        self.asked = collections.Counter()        # (method, path) -> requests
        self.not_modified = collections.Counter()  # path -> answers 304
        self._resources = {}
        self._fallback = None
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._writers = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def put(self, path, body, content_type, cache_control="max-age=86400"):
        self._resources[path] = self._resource(body, content_type, cache_control)

    def put_everywhere(self, body, content_type, cache_control="max-age=86400"):
        """What any other path answers."""
        self._fallback = self._resource(body, content_type, cache_control)

    def __enter__(self):
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(self, *_):
        self.go_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def go_down(self):
        """Connections are cut, and new ones are refused."""
        self._run(self._close())

    def come_back(self):
        self._run(self._open())

    @staticmethod
    def _resource(body, content_type, cache_control):
        return Resource(body, content_type, cache_control,
                        etag=f'"{hashlib.sha256(body).hexdigest()[:16]}"',
                        last_modified=email.utils.formatdate(time.time() - 3600, usegmt=True))

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _open(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024,
                                                  limit=HEAD_BYTES_MAX)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self):
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._server = None

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _serve_one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        start, *lines = head.split("\r\n")[:-2]
        method, target, _ = start.split(" ", 2)
        fields = {name.lower(): value.strip() for name, value in
                  (line.split(":", 1) for line in lines)}
        await reader.readexactly(int(fields.get("content-length", 0)))
        if target.startswith("http://"):
            parts = urllib.parse.urlsplit(target)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
        self.asked[method, target] += 1
        if self.delay:
            await asyncio.sleep(self.delay)
        writer.write(self._answer(method, target, fields))
        await writer.drain()
        return fields.get("connection", "").lower() != "close"

    def _answer(self, method, target, fields):
        resource = self._resources.get(target, self._fallback)
        date = f"Date: {email.utils.formatdate(usegmt=True)}\r\n"
        if resource is None:
            return f"HTTP/1.1 404 Not Found\r\n{date}Content-Length: 0\r\n\r\n".encode()
        common = (f"{date}ETag: {resource.etag}\r\nLast-Modified: {resource.last_modified}\r\n"
                  f"Cache-Control: {resource.cache_control}\r\n")
        if fields.get("if-none-match") == resource.etag:
            self.not_modified[target] += 1
            return f"HTTP/1.1 304 Not Modified\r\n{common}\r\n".encode()
        head = (f"HTTP/1.1 200 OK\r\n{common}Content-Type: {resource.content_type}\r\n"
                f"Content-Length: {len(resource.body)}\r\n\r\n").encode()
        return head if method == "HEAD" else head + resource.body
