"""Hosts in all their spellings (RFC 3986, RFC 9110 section 4, RFC 9112 section 3.2): normalised or
refused, never a way around the list of destinations or to a private address."""

from harness.hostile import Request, forwarded

DENIED = (400, 403)


def target(name, uri, statuses=(400,), section="3986 3.2", closes=True, **options):
    """An absolute-form target; the Host field is a harmless one."""
    return Request(name, section,
                   b"GET " + uri + b" HTTP/1.1\r\nHost: {allowed}\r\n"
                   b"Connection: close\r\n\r\n", statuses, closes=closes, **options)


def denied(name, uri, statuses=(DENIED,), section="3986 3.2.2"):
    """A way to name what may not be reached."""
    return target("denied-" + name, uri, statuses, section)


def allowed(name, uri, seen=b"{path}", host=b"{allowed}", section="3986 6.2"):
    return target("allowed-" + name, uri, (200,), section,
                  reaches=(forwarded(b"GET " + seen + b" HTTP/1.1", host=host),))


def host(name, lines, statuses=(400,), section="9112 3.2", start=b"GET http://{allowed}{path}",
         **options):
    """Host fields beside a good absolute-form target."""
    return Request("host-" + name, section, start + b" HTTP/1.1\r\n" + lines + b"\r\n", statuses,
                   **options)


ROWS = [
    # What is not allowed, plainly and in disguise.
    denied("plainly", b"http://{blocked}/", (403,)),
    denied("default-port", b"http://127.0.0.1/", (403,)),
    denied("unknown-name", b"http://blocked.test/", (403,)),
    denied("another-name-of-the-address", b"http://localhost:{blockedport}/", (403,)),
    denied("trailing-dot", b"http://127.0.0.1.:{blockedport}/"),
    denied("decimal-address", b"http://2130706433:{blockedport}/"),
    denied("octal-address", b"http://0177.0.0.1:{blockedport}/"),
    denied("octal-everywhere", b"http://0177.0000.0000.0001:{blockedport}/"),
    denied("hex-address", b"http://0x7f000001:{blockedport}/"),
    denied("hex-octets", b"http://0x7f.0x0.0x0.0x1:{blockedport}/"),
    denied("short-address", b"http://127.1:{blockedport}/"),
    denied("three-part-address", b"http://127.0.1:{blockedport}/"),
    denied("mixed-address", b"http://127.0.0.0x1:{blockedport}/"),
    denied("leading-zeros", b"http://127.000.000.001:{blockedport}/"),
    denied("zero-address", b"http://0.0.0.0:{blockedport}/"),
    denied("zero", b"http://0:{blockedport}/"),
    denied("mapped", b"http://[::ffff:127.0.0.1]:{blockedport}/"),
    denied("mapped-in-hex", b"http://[::ffff:7f00:1]:{blockedport}/"),
    denied("mapped-in-full", b"http://[0:0:0:0:0:ffff:7f00:0001]:{blockedport}/"),
    denied("compatible", b"http://[::127.0.0.1]:{blockedport}/"),
    denied("nat64", b"http://[64:ff9b::7f00:1]:{blockedport}/"),
    denied("6to4", b"http://[2002:7f00:1::]:{blockedport}/"),
    denied("loopback-6", b"http://[::1]:{blockedport}/"),
    denied("unspecified-6", b"http://[::]:{blockedport}/"),
    denied("link-local", b"http://169.254.169.254/latest/meta-data/"),
    denied("link-local-6", b"http://[fe80::1]:{blockedport}/"),
    denied("encoded-octets", b"http://%31%32%37.0.0.1:{blockedport}/"),
    denied("encoded-dot", b"http://127%2e0%2e0%2e1:{blockedport}/"),
    denied("encoded-name", b"http://local%68ost:{blockedport}/"),
    denied("suffix-of-an-allowed-name", b"http://127.0.0.1:{port}.blocked.test/"),
    denied("other-scheme-same-port", b"https://{allowed}.blocked.test/"),
    # What names two hosts, or none.
    target("userinfo", b"http://user@{allowed}/"),
    target("userinfo-with-password", b"http://user:pass@{allowed}/"),
    target("empty-userinfo", b"http://@{allowed}/"),
    target("allowed-as-userinfo", b"http://{allowed}@{blocked}/"),
    target("allowed-as-user-and-password", b"http://127.0.0.1:{port}@blocked.test:80/"),
    target("backslash-before-the-at", b"http://{allowed}\\@{blocked}/"),
    target("backslash-as-a-slash", b"http:\\\\{allowed}\\x"),
    target("fragment", b"http://{allowed}/a#b", section="9112 3.2.1"),
    target("fragment-before-the-path", b"http://{allowed}#@{blocked}/"),
    target("question-mark-before-an-at", b"http://{blocked}?@{allowed}/", (DENIED,)),
    target("empty-host", b"http:///a"),
    target("empty-host-with-a-port", b"http://:{port}/a"),
    target("no-slashes", b"http:{allowed}/a"),
    target("one-slash", b"http:/{allowed}/a"),
    target("scheme-alone", b"http://"),
    target("no-scheme", b"{allowed}/a"),
    target("ftp", b"ftp://{allowed}/a"),
    target("file", b"file:///etc/passwd"),
    target("gopher", b"gopher://{allowed}/a"),
    target("javascript", b"javascript:alert(1)"),
    target("zone", b"http://[fe80::1%25lo]:{port}/", section="6874 2"),
    target("zone-not-encoded", b"http://[::1%lo]:{port}/", section="6874 2"),
    target("bracket-not-closed", b"http://[::1:{port}/"),
    target("bracket-without-an-address", b"http://[]:{port}/"),
    target("name-in-brackets", b"http://[localhost]:{port}/"),
    target("ipv4-in-brackets", b"http://[127.0.0.1]:{port}/"),
    target("future-address", b"http://[v1.a]:{port}/"),
    target("six-without-brackets", b"http://::1/"),
    target("port-zero", b"http://127.0.0.1:0/"),
    target("port-too-large", b"http://127.0.0.1:65536/"),
    target("port-wraps-to-the-allowed", b"http://127.0.0.1:4294967376/"),
    target("port-is-no-number", b"http://127.0.0.1:http/"),
    target("port-with-a-sign", b"http://127.0.0.1:+{port}/"),
    target("port-with-a-space", b"http://127.0.0.1:%20{port}/"),
    target("two-ports", b"http://127.0.0.1:{port}:80/"),
    target("two-dots", b"http://a..test/"),
    target("leading-dot", b"http://.localhost:{port}/"),
    target("label-too-long", b"http://" + b"a" * 64 + b".test/"),
    target("name-too-long", b"http://" + b"a." * 140 + b"test/"),
    target("eight-bit-host", b"http://b\xfccher.test/"),
    target("comma-in-the-host", b"http://{allowed},{blocked}/"),
    target("semicolon-in-the-host", b"http://127.0.0.1;.test/", (DENIED,)),
    target("space-encoded-in-the-host", b"http://127.0.0.1%20.test/"),
    target("nul-encoded-in-the-host", b"http://{blocked}%00.test/"),
    target("line-end-encoded-in-the-host", b"http://127.0.0.1%0d%0aX:.test/"),
    # What is the same thing in another spelling is served, in normal form.
    allowed("plainly", b"http://{allowed}{path}"),
    allowed("scheme-in-upper-case", b"HTTP://{allowed}{path}"),
    allowed("name-in-upper-case", b"http://LOCALHOST:{port}{path}", host=b"localhost:{port}"),
    allowed("name-with-a-trailing-dot", b"http://localhost.:{port}{path}",
            host=b"localhost:{port}"),
    allowed("no-path", b"http://{allowed}", seen=b"/"),
    allowed("query-without-a-path", b"http://{allowed}?a=b", seen=b"/?a=b"),
    allowed("encoded-line-end-in-the-path", b"http://{allowed}{path}%0d%0aX:%20y",
            seen=b"{path}%0d%0aX:%20y"),
    allowed("url-inside-a-path", b"http://{allowed}{path}/http://{blocked}/x",
            seen=b"{path}/http://{blocked}/x"),
    # Host.
    host("missing", b"X-A: a\r\n"),
    host("twice-the-same", b"Host: {allowed}\r\nHost: {allowed}\r\n"),
    host("twice-differently", b"Host: {allowed}\r\nHost: {blocked}\r\n"),
    host("list", b"Host: {allowed}, {blocked}\r\n"),
    host("with-userinfo", b"Host: a@{allowed}\r\n"),
    host("with-a-path", b"Host: {allowed}/x\r\n"),
    host("with-a-space", b"Host: a b\r\n"),
    host("with-a-bad-port", b"Host: 127.0.0.1:x\r\n"),
    host("folded", b"Host: {allowed}\r\n x\r\n", section="9112 5.2"),
    host("differs-from-the-target", b"Host: {blocked}\r\n", (200,), "9112 3.2.2", closes=False,
         reaches=(forwarded(b"GET {path} HTTP/1.1"),)),
    host("differs-and-hides-the-blocked", b"Host: {allowed}\r\n", (403,), "9112 3.2.2",
         start=b"GET http://{blocked}{path}", closes=False),
    # Origin-form: by Host.
    host("of-an-allowed-destination", b"Host: {allowed}\r\n", (200,), "9110 7.2",
         start=b"GET {path}", closes=False, reaches=(forwarded(b"GET {path} HTTP/1.1"),)),
    host("of-a-blocked-destination", b"Host: {blocked}\r\n", (421,), "9110 15.5.20",
         start=b"GET {path}", closes=False),
    host("unknown", b"Host: blocked.test\r\n", (421,), "9110 15.5.20", start=b"GET {path}",
         closes=False),
    host("empty-in-origin-form", b"Host:\r\n", (400,), "9112 3.2", start=b"GET {path}"),
    host("of-our-own", b"Host: revcache.test\r\n", (404,), "9110 7.2", start=b"GET {path}",
         closes=False),
    host("of-our-own-address", b"Host: {proxy}\r\n", (404,), "9110 7.2", start=b"GET {path}",
         closes=False),
    host("missing-in-origin-form", b"X-A: a\r\n", start=b"GET {path}"),
    host("decimal-address-in-origin-form", b"Host: 2130706433:{blockedport}\r\n",
         start=b"GET {path}"),
    host("double-slash-is-a-path", b"Host: {allowed}\r\n", (200,), "9112 3.2.1", closes=False,
         start=b"GET //{blocked}/x", reaches=(forwarded(b"GET //{blocked}/x HTTP/1.1"),)),
]
