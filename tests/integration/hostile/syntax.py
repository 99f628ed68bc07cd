"""Request lines and field lines that are not HTTP (RFC 9112 sections 2 to 5)."""

from harness.hostile import Request, forwarded

HOST = b"Host: {allowed}\r\n"
GET = b"GET http://{allowed}{path} HTTP/1.1\r\n"


def line(name, start, statuses=(400,), section="9112 3", **options):
    """A start line, otherwise a good request."""
    return Request(name, section, start + b"\r\n" + HOST + b"\r\n", statuses, **options)


def field(name, lines, statuses=(400,), section="9112 5", **options):
    return Request(name, section, GET + HOST + lines + b"\r\n\r\n", statuses, **options)


def good(name, sent, *lines, section="9112 3", target=b"{path}"):
    return Request(name, section, sent, (200,), closes=False,
                   reaches=(forwarded(b"GET " + target + b" HTTP/1.1", *lines),))


ROWS = [
    # Start lines.
    line("no-version", b"GET http://{allowed}{path}"),
    line("http-0-9", b"GET /", section="9112 A"),
    line("http-2", b"GET http://{allowed}{path} HTTP/2.0", ((400, 505),), "9110 15.6.6"),
    line("http-3", b"GET http://{allowed}{path} HTTP/3", ((400, 505),), "9110 15.6.6"),
    line("http-2-preface", b"PRI * HTTP/2.0", ((400, 505),), "9113 3.4"),
    line("http-0-9-in-words", b"GET http://{allowed}{path} HTTP/0.9", ((400, 505),)),
    line("version-in-lower-case", b"GET http://{allowed}{path} http/1.1", section="9112 2.3"),
    line("version-with-three-parts", b"GET http://{allowed}{path} HTTP/1.1.1"),
    line("version-without-a-dot", b"GET http://{allowed}{path} HTTP/11"),
    line("version-too-long", b"GET http://{allowed}{path} HTTP/1.11"),
    line("version-of-letters", b"GET http://{allowed}{path} HTTP/a.b"),
    line("another-protocol", b"GET http://{allowed}{path} RTSP/1.0", ((400, 505),)),
    line("icap", b"GET http://{allowed}{path} ICAP/1.0", ((400, 505),)),
    line("two-spaces-before-the-target", b"GET  http://{allowed}{path} HTTP/1.1"),
    line("two-spaces-before-the-version", b"GET http://{allowed}{path}  HTTP/1.1"),
    line("tab-instead-of-space", b"GET\thttp://{allowed}{path}\tHTTP/1.1"),
    line("space-at-the-end", b"GET http://{allowed}{path} HTTP/1.1 "),
    line("space-at-the-beginning", b" GET http://{allowed}{path} HTTP/1.1"),
    line("space-inside-the-target", b"GET http://{allowed}{path} x HTTP/1.1"),
    line("tab-inside-the-target", b"GET http://{allowed}{path}\tx HTTP/1.1"),
    line("no-target", b"GET HTTP/1.1"),
    line("method-is-no-token", b"G@T http://{allowed}{path} HTTP/1.1"),
    line("method-is-empty", b" http://{allowed}{path} HTTP/1.1"),
    line("method-with-a-nul", b"GE\0T http://{allowed}{path} HTTP/1.1"),
    line("nul-in-the-target", b"GET http://{allowed}{path}\0 HTTP/1.1"),
    line("eight-bit-target", b"GET http://{allowed}{path}/\xe9 HTTP/1.1"),
    line("delete-in-the-target", b"GET http://{allowed}{path}\x7f HTTP/1.1"),
    line("quote-in-the-target", b'GET http://{allowed}{path}" HTTP/1.1'),
    line("braces-in-the-target", b"GET http://{allowed}{path}{} HTTP/1.1"),
    line("bar-in-the-target", b"GET http://{allowed}{path}| HTTP/1.1"),
    line("angle-bracket-in-the-target", b"GET http://{allowed}{path}<a> HTTP/1.1"),
    line("bare-cr-in-the-start-line", b"GET http://{allowed}{path}\rX HTTP/1.1"),
    line("bare-cr-before-the-version", b"GET http://{allowed}{path} \rHTTP/1.1"),
    line("target-too-long", b"GET http://{allowed}{path}/" + b"a" * 60000 + b" HTTP/1.1", (414,),
         "9110 15.5.15"),
    line("method-too-long", b"A" * 60000 + b" http://{allowed}{path} HTTP/1.1",
         ((400, 405, 414, 431, 501),)),
    # Not HTTP at all.
    Request("tls-hello", "9112 3", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 200),
    Request("ssh-banner", "9112 3", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    Request("socks5-greeting", "9112 3", b"\x05\x01\x00" + b"\0" * 60),
    Request("nul-octets", "9112 3", b"\0" * 100),
    Request("long-garbage-without-a-line-end", "9112 3", b"x" * 100000, ((400, 414, 431),)),
    # Field lines.
    field("folded", b"X-A: a\r\n b", section="9112 5.2"),
    field("folded-with-a-tab", b"X-A: a\r\n\tb", section="9112 5.2"),
    Request("space-before-the-first-field", "9112 2.2", GET + b" X-A: a\r\n" + HOST + b"\r\n"),
    field("no-colon", b"X-A"),
    field("empty-name", b": a"),
    field("space-before-the-colon", b"X-A : a", section="9112 5.1"),
    field("tab-before-the-colon", b"X-A\t: a", section="9112 5.1"),
    field("space-inside-the-name", b"X A: a"),
    field("name-is-no-token", b"X(A): a"),
    field("eight-bit-name", b"X-\xe9: a"),
    field("nul-in-the-name", b"X-\0A: a"),
    field("nul-in-the-value", b"X-A: a\0b", section="9110 5.5"),
    field("control-in-the-value", b"X-A: a\x01b", section="9110 5.5"),
    field("delete-in-the-value", b"X-A: a\x7fb", section="9110 5.5"),
    field("bare-cr-in-the-value", b"X-A: a\rb", section="9110 5.5"),
    field("bare-cr-as-a-line-end", b"X-A: a\rX-B: b", section="9112 2.2"),
    field("cr-after-an-empty-value", b"X-A:\rX-B: b", section="9112 2.2"),
    field("bare-lf-as-a-line-end", b"X-A: a\nX-B: b", section="9112 2.2"),
    Request("lf-only-line-ends", "9112 2.2",
            b"GET http://{allowed}{path} HTTP/1.1\nHost: {allowed}\n\n"),
    Request("lf-cr-line-ends", "9112 2.2",
            b"GET http://{allowed}{path} HTTP/1.1\n\rHost: {allowed}\n\r\n\r"),
    Request("head-ends-in-lf-lf", "9112 2.2", GET + HOST + b"X-A: a\n\n"),
    field("value-too-long", b"X-A: " + b"a" * 60000, (431,), "6585 5"),
    field("name-too-long", b"X" * 60000 + b": a", (431,), "6585 5"),
    field("too-many-fields", b"\r\n".join(b"X-%d: a" % i for i in range(1000)), (431,), "6585 5"),
    field("too-many-octets-in-many-fields",
          b"\r\n".join(b"X-%d: %s" % (i, b"a" * 900) for i in range(60)), (431,), "6585 5"),
    # Accepted, and what the origin then gets.
    good("one-empty-line-first", b"\r\n" + GET + HOST + b"\r\n", section="9112 2.2"),
    good("spaces-around-a-value", GET + HOST + b"X-A: \t a b \t\r\n\r\n", b"X-A: a b",
         section="9112 5.1"),
    good("no-space-after-the-colon", GET + b"Host:{allowed}\r\nX-A:a\r\n\r\n", b"X-A: a",
         section="9112 5.1"),
    good("dots-and-doubled-slashes-stay",
         b"GET http://{allowed}{path}/a//b/../c/./d%2e%2E HTTP/1.1\r\n" + HOST + b"\r\n",
         target=b"{path}/a//b/../c/./d%2e%2E", section="3986 6"),
    good("base64-in-a-path-stays",
         b"GET http://{allowed}{path}/MF+w/A==?q=%2F%2b HTTP/1.1\r\n" + HOST + b"\r\n",
         target=b"{path}/MF+w/A==?q=%2F%2b", section="6960 A.1"),
    good("eight-bit-value", GET + HOST + b"X-A: caf\xc3\xa9\r\n\r\n", b"X-A: caf\xc3\xa9",
         section="9110 5.5"),
    good("repeated-fields-keep-their-order", GET + HOST + b"X-A: 2\r\nX-A: 1\r\n\r\n",
         b"X-A: 2", b"X-A: 1", section="9110 5.3"),
    Request("second-request-is-broken", "9112 9.3.2",
            GET + HOST + b"\r\nGET http://{allowed}/x HTTP/1.1\r\nHost : a\r\n\r\n", (200, 400),
            reaches=(forwarded(b"GET {path} HTTP/1.1"),)),
    Request("half-a-request-then-nothing", "9112 3", GET + b"Hos", (),
            finish=True),
    Request("half-closed-after-a-whole-request", "9112 9.6", GET + HOST + b"\r\n", (200,),
            finish=True, reaches=(forwarded(b"GET {path} HTTP/1.1"),)),
]
