"""Methods, CONNECT, loops, expectations and content that is too much."""

from harness.hostile import Request, forwarded

HOST = b"Host: {allowed}\r\n"


def request(name, section, start, lines=b"", body=b"", statuses=(400,), **options):
    return Request(name, section, start + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body,
                   statuses, **{"closes": False, **options})


def connect(name, authority, statuses=((400, 403),), section="9110 9.3.6"):
    return Request("connect-" + name, section,
                   b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority + b"\r\n"
                   b"Connection: close\r\n\r\n", statuses)


def to_us(name, uri, section="8586 2"):
    """Our own listener as the destination: refused, not fetched from ourselves."""
    return request("loop-" + name, section, b"GET " + uri, b"Connection: close\r\n",
                   statuses=((400, 403, 404, 421, 508),), closes=True)


TARGET = b" http://{allowed}{path}"

ROWS = [
    # Methods.
    request("unknown-method", "9110 15.5.6", b"FOO" + TARGET, statuses=(405,)),
    request("lower-case-method", "9110 9.1", b"get" + TARGET, statuses=(405,)),
    request("trace", "9110 9.3.8", b"TRACE" + TARGET, statuses=(405,)),
    request("trace-with-max-forwards-zero", "9110 7.6.2", b"TRACE" + TARGET,
            b"Max-Forwards: 0\r\n", statuses=(405,)),
    request("webdav-method", "9110 15.5.6", b"PROPFIND" + TARGET, statuses=(405,)),
    request("asterisk-with-get", "9112 3.2.4", b"GET *", closes=True),
    request("asterisk-with-post", "9112 3.2.4", b"POST *", b"Content-Length: 0\r\n", closes=True),
    request("authority-form-with-get", "9112 3.2.3", b"GET {allowed}", closes=True),
    request("options-asterisk", "9112 3.2.4", b"OPTIONS *", statuses=(200,)),
    request("max-forwards-zero", "9110 7.6.2", b"OPTIONS" + TARGET, b"Max-Forwards: 0\r\n",
            statuses=(200,)),
    # CONNECT.
    connect("not-configured", b"{allowed}", (403,)),
    connect("blocked", b"{blocked}", (403,)),
    connect("ourselves", b"{proxy}", ((403, 508),)),
    connect("smtp", b"127.0.0.1:25", (403,)),
    connect("without-port", b"127.0.0.1", (400,)),
    connect("empty-port", b"127.0.0.1:", (400,)),
    connect("port-zero", b"127.0.0.1:0", (400,)),
    connect("port-too-large", b"127.0.0.1:65536", (400,)),
    connect("userinfo", b"user@127.0.0.1:443", (400,)),
    connect("decimal-address", b"2130706433:443"),
    connect("with-a-path", b"127.0.0.1:443/x", (400,)),
    connect("encoded-host", b"127.0.0%2e1:443", (400,)),
    connect("zone", b"[fe80::1%25lo]:443", (400,)),
    Request("connect-refused-and-more-behind-it", "9110 9.3.6",
            b"CONNECT {blocked} HTTP/1.1\r\nHost: {blocked}\r\n\r\n"
            b"GET http://{allowed}/smuggled HTTP/1.1\r\nHost: {allowed}\r\n\r\n", (403,)),
    Request("connect-absolute-form", "9110 9.3.6",
            b"CONNECT http://{allowed}/ HTTP/1.1\r\nHost: {allowed}\r\n\r\n"),
    Request("connect-origin-form", "9110 9.3.6",
            b"CONNECT / HTTP/1.1\r\nHost: {allowed}\r\nConnection: close\r\n\r\n"),
    Request("connect-with-a-smuggled-request", "9110 9.3.6",
            b"CONNECT {blocked} HTTP/1.1\r\nHost: {blocked}\r\nConnection: close\r\n\r\n"
            b"GET http://{allowed}/smuggled HTTP/1.1\r\nHost: {allowed}\r\n\r\n", (403,)),
    # Loops.
    to_us("by-address", b"http://{proxy}/"),
    to_us("by-configured-name", b"http://revcache.test:{proxyport}/"),
    to_us("by-mapped-address", b"http://[::ffff:127.0.0.1]:{proxyport}/"),
    request("loop-by-cdn-loop", "8586 2", b"GET" + TARGET, b"CDN-Loop: {id}\r\n",
            statuses=(508,)),
    request("loop-by-cdn-loop-among-others", "8586 2", b"GET" + TARGET,
            b"CDN-Loop: foo, {id}; a=b, bar\r\n", statuses=(508,)),
    request("loop-by-cdn-loop-on-two-lines", "8586 2", b"GET" + TARGET,
            b"CDN-Loop: foo\r\nCDN-Loop: {id}\r\n", statuses=(508,)),
    Request("another-cdn-is-no-loop", "8586 2",
            b"GET" + TARGET + b" HTTP/1.1\r\n" + HOST + b"CDN-Loop: foo.example\r\n\r\n", (200,),
            closes=False, reaches=(
                b"GET {path} HTTP/1.1\r\nHost: {allowed}\r\nVia: 1.1 revcache\r\n"
                b"CDN-Loop: foo.example, {id}\r\n\r\n",)),
    Request("another-node-of-the-fleet-is-no-loop", "9110 7.6.3",
            b"GET" + TARGET + b" HTTP/1.1\r\n" + HOST + b"Via: 1.1 revcache\r\n\r\n", (200,),
            closes=False, reaches=(
                b"GET {path} HTTP/1.1\r\nHost: {allowed}\r\nVia: 1.1 revcache, 1.1 revcache\r\n"
                b"CDN-Loop: {id}\r\n\r\n",)),
    # Expectations and upgrades.
    request("unknown-expectation", "9110 10.1.1", b"POST" + TARGET,
            b"Expect: something\r\nContent-Length: 0\r\n", statuses=(417,)),
    request("upgrade-is-ignored", "9110 7.8", b"GET" + TARGET,
            b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
            statuses=(200,),
            reaches=(forwarded(b"GET {path} HTTP/1.1", b"Sec-WebSocket-Key: x"),)),
    request("connection-names-host", "9110 7.6.1", b"GET" + TARGET,
            b"Connection: Host, Via, CDN-Loop\r\n", statuses=(200,),
            reaches=(forwarded(b"GET {path} HTTP/1.1"),)),
    # A content-length field may not be taken away by the client: the framing would be lost.
    request("connection-names-the-length", "9110 7.6.1", b"POST" + TARGET,
            b"Connection: Content-Length, Transfer-Encoding\r\nContent-Length: 3\r\n", b"abc",
            statuses=(200,),
            reaches=(forwarded(b"POST {path} HTTP/1.1", b"Content-Length: 3", body=b"abc"),)),
    # Too much.
    request("declared-content-over-the-limit", "9110 15.5.14", b"POST" + TARGET,
            b"Content-Length: 999999999\r\n", b"abc", statuses=(413,), closes=True, partial=True),
    request("chunked-content-over-the-limit", "9110 15.5.14", b"POST" + TARGET,
            b"Transfer-Encoding: chunked\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n" +
            b"10000\r\n" + b"a" * 65536 + b"\r\n" + b"0\r\n\r\n", statuses=(413,), closes=True,
            partial=True),
    request("ocsp-request-over-the-limit", "9110 15.5.14", b"POST" + TARGET,
            b"Content-Type: application/ocsp-request\r\nContent-Length: 70000\r\n", b"0" * 70000,
            statuses=(413,), closes=True),
]
