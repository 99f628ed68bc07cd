"""Origins that err or attack (RFC 9112 sections 4, 6 and 7, RFC 9110 section 15): a client gets a
whole and harmless answer, or 502, or a cut connection; never a mixture."""

from harness.der import shaped
from harness.hostile import INCOMPLETE, Reply
from harness.origin import Answer

OK = b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n"
SPLIT = b"HTTP/1.1 200 OK\r\nX-Injected: 1\r\nContent-Length: 4\r\n\r\nevil"
CRL = shaped("answers", 2000)


def reply(name, section, raw, outcome=502, then="close", **options):
    return Reply(name, section, Answer(raw=raw, then=then), outcome, **options)


def lines(name, extra, section="9112 5", outcome=502, **options):
    """Good framing, bad field lines."""
    return reply("field-" + name, section, OK + extra + b"\r\nContent-Length: 2\r\n\r\nok", outcome,
                 **options)


def framing(name, extra, content, section="9112 6.3", outcome=INCOMPLETE, **options):
    return reply("framing-" + name, section, OK + extra + b"\r\n\r\n" + content,
                 outcome, **options)


def surplus(name, extra):
    """A complete answer with more behind it: the surplus belongs to nobody."""
    return reply("surplus-" + name, "9112 9.3", OK + b"Content-Length: 2\r\n\r\nok" + extra, 200,
                 "continue", body=b"ok")


ROWS = [
    # Status lines.
    reply("no-answer", "9112 4", b""),
    reply("reset", "9112 4", b"", then="reset"),
    reply("http-0-9", "9112 4", b"<html>hello</html>"),
    reply("garbage", "9112 4", b"\x00\x01\x02\x03" * 100),
    reply("ssh", "9112 4", b"SSH-2.0-OpenSSH_9.2\r\n"),
    reply("tls-alert", "9112 4", b"\x15\x03\x03\x00\x02\x02\x28"),
    reply("smtp", "9112 4", b"220 mail.example ESMTP\r\n"),
    reply("icy", "9112 4", b"ICY 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("http-2", "9112 4", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("http-3-digits", "9112 4", b"HTTP/1.1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("lower-case", "9112 4", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-of-two-digits", "9112 4", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-of-four-digits", "9112 4", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-of-letters", "9112 4", b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-zero", "9112 4", b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-negative", "9112 4", b"HTTP/1.1 -20 OK\r\nContent-Length: 2\r\n\r\nok"),
    reply("status-above-599", "9110 15", b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok",
          (502, 999)),
    reply("status-missing", "9112 4", b"HTTP/1.1\r\nContent-Length: 2\r\n\r\nok"),
    reply("cr-in-the-reason", "9112 4", b"HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nok"),
    reply("nul-in-the-reason", "9112 4", b"HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok"),
    reply("endless-reason", "9112 4", b"HTTP/1.1 200 " + b"a" * 200000 + b"\r\n\r\n"),
    reply("no-reason", "9112 4", b"HTTP/1.1 200 \r\nCache-Control: no-store\r\n"
          b"Content-Length: 2\r\n\r\nok", 200, body=b"ok"),
    reply("head-is-cut", "9112 8", OK + b"Content-Le"),
    reply("head-stops-after-the-status", "9112 8", b"HTTP/1.1 200 OK\r\n"),
    # Field lines.
    lines("folded", b"X-A: a\r\n b", "9112 5.2"),
    lines("folded-splitting", b"X-A: a\r\n X-Injected: 1", "9112 5.2"),
    lines("no-colon", b"broken"),
    lines("empty-name", b": a"),
    lines("space-before-the-colon", b"X-A : a", "9112 5.1"),
    lines("name-is-no-token", b"X(A): a"),
    lines("nul", b"X-A: a\0b", "9110 5.5"),
    lines("control", b"X-A: a\x02b", "9110 5.5"),
    lines("bare-cr", b"X-A: a\rX-Injected: 1", "9110 5.5"),
    lines("cr-after-an-empty-value", b"X-A:\rX-Injected: 1", "9112 2.2"),
    lines("bare-lf", b"X-A: a\nX-Injected: 1", "9112 2.2", (502, 200), lacks=("X-Injected",)),
    lines("too-long", b"X-A: " + b"a" * 200000, "9110 5.4"),
    lines("too-many", b"\r\n".join(b"X-%d: a" % i for i in range(3000)), "9110 5.4"),
    # Lengths.
    framing("length-and-coding", b"Content-Length: 2\r\nTransfer-Encoding: chunked",
            b"2\r\nok\r\n0\r\n\r\n", "9112 6.1", 502),
    framing("two-lengths", b"Content-Length: 2\r\nContent-Length: 5", b"okxxx", outcome=502),
    framing("length-list-of-different", b"Content-Length: 2, 5", b"okxxx", outcome=502),
    framing("length-negative", b"Content-Length: -2", b"ok", outcome=502),
    framing("length-plus", b"Content-Length: +2", b"ok", outcome=502),
    framing("length-hex", b"Content-Length: 0x2", b"ok", outcome=502),
    framing("length-overflow", b"Content-Length: 99999999999999999999", b"ok", outcome=502),
    framing("length-of-letters", b"Content-Length: two", b"ok", outcome=502),
    framing("shorter-than-its-length", b"Content-Length: 20", b"ok"),
    framing("shorter-and-reset", b"Content-Length: 20", b"ok", then="reset"),
    framing("crl-shorter-than-its-length", b"Content-Length: %d" % (len(CRL) + 1), CRL,
            outcome=502, suffix=".crl"),
    framing("large-and-cut", b"Content-Length: 5000000", b"x" * 2000000),
    # Transfer codings.
    framing("gzip-chunked", b"Transfer-Encoding: gzip, chunked", b"2\r\nok\r\n0\r\n\r\n",
            "9112 6.1", 502),
    framing("gzip", b"Transfer-Encoding: gzip", b"\x1f\x8bxx", "9112 6.1", 502),
    framing("identity", b"Transfer-Encoding: identity", b"ok", "9112 6.1", (502, 200)),
    framing("chunked-twice", b"Transfer-Encoding: chunked, chunked", b"2\r\nok\r\n0\r\n\r\n",
            "9112 6.1", 502),
    framing("coding-unknown", b"Transfer-Encoding: xchunked", b"2\r\nok\r\n0\r\n\r\n",
            "9112 6.1", 502),
    framing("coding-folded", b"Transfer-Encoding:\r\n chunked", b"2\r\nok\r\n0\r\n\r\n",
            "9112 5.2", 502),
    reply("framing-coding-in-http-1-0", "9112 6.1",
          b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", (502, 200)),
    framing("chunk-size-of-letters", b"Transfer-Encoding: chunked", b"zz\r\nok\r\n0\r\n\r\n",
            "9112 7.1"),
    framing("chunk-size-overflow", b"Transfer-Encoding: chunked",
            b"10000000000000002\r\nok\r\n0\r\n\r\n", "9112 7.1"),
    framing("chunk-size-negative", b"Transfer-Encoding: chunked", b"-2\r\nok\r\n0\r\n\r\n",
            "9112 7.1"),
    framing("chunk-data-too-long", b"Transfer-Encoding: chunked", b"2\r\nokx\r\n0\r\n\r\n",
            "9112 7.1"),
    framing("chunk-line-endless", b"Transfer-Encoding: chunked", b"2;" + b"a" * 200000, "9112 7.1"),
    framing("chunks-cut-in-data", b"Transfer-Encoding: chunked", b"20\r\nok", "9112 8"),
    framing("chunks-cut-between", b"Transfer-Encoding: chunked", b"2\r\nok\r\n", "9112 8"),
    framing("chunks-cut-before-the-end", b"Transfer-Encoding: chunked", b"2\r\nok\r\n0\r\n",
            "9112 8"),
    framing("chunks-without-data-end", b"Transfer-Encoding: chunked", b"2\r\nok0\r\n\r\n",
            "9112 7.1"),
    framing("chunks-end-badly", b"Transfer-Encoding: chunked", b"2\r\nok\r\n0\r\n\rX", "9112 7.1"),
    framing("trailer-with-a-length", b"Transfer-Encoding: chunked",
            b"2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n", "9110 6.5.1", (INCOMPLETE, 200)),
    framing("trailer-injects", b"Transfer-Encoding: chunked",
            b"2\r\nok\r\n0\r\nX-Injected: 1\r\n\r\n", "9110 6.5.1", 200, body=b"ok"),
    framing("trailers-too-large", b"Transfer-Encoding: chunked",
            b"2\r\nok\r\n0\r\n" + b"X-A: aaaaaaaaaa\r\n" * 20000 + b"\r\n", "9110 6.5.1"),
    framing("crl-in-broken-chunks", b"Transfer-Encoding: chunked",
            b"%x\r\n" % len(CRL) + CRL + b"\r\nzz\r\n", "9112 7.1", 502, suffix=".crl"),
    # Interim responses.
    reply("101-unasked", "9110 15.2.2", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
          b"Connection: upgrade\r\n\r\n" + SPLIT),
    reply("100-unasked", "9110 15.2.1", b"HTTP/1.1 100 Continue\r\n\r\n" + OK +
          b"Content-Length: 2\r\n\r\nok", 200, body=b"ok"),
    reply("100-with-a-length", "9112 6.3", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" +
          OK + b"Content-Length: 2\r\n\r\nok", (200, 502), body=b"ok"),
    reply("1xx-without-end", "9110 15.2", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20000),
    reply("102-then-nothing", "9110 15.2", b"HTTP/1.1 102 Processing\r\n\r\n"),
    # Statuses without content that bring some.
    reply("204-with-content", "9110 15.3.5", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n"
          b"Cache-Control: no-store\r\n\r\n" + SPLIT, (204, 502), "continue"),
    reply("304-unasked", "9110 15.4.5", b"HTTP/1.1 304 Not Modified\r\n\r\n" + SPLIT, (304, 502),
          "continue"),
    reply("206-unasked", "9110 15.3.7", b"HTTP/1.1 206 Partial Content\r\n"
          b"Content-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok", (206, 502)),
    reply("416-unasked", "9110 15.5.17", b"HTTP/1.1 416 Range\r\nContent-Length: 0\r\n"
          b"Cache-Control: no-store\r\n\r\n", (416, 502)),
    reply("head-with-content", "9110 9.3.2", OK + b"Content-Length: 5\r\n\r\n" + SPLIT, 200,
          "continue", method="HEAD"),
    # Surplus behind an answer.
    surplus("response", SPLIT),
    surplus("octets", b"xxxxxxxxxxxx"),
    surplus("line-end", b"\r\n"),
    surplus("1xx", b"HTTP/1.1 100 Continue\r\n\r\n"),
    surplus("half-a-response", SPLIT[:20]),
    # Redirects of what is followed (CRLs), each hop checked anew.
    *[Reply("redirect-" + name, "9110 15.4",
            Answer(fields=("Location: " + location, "Cache-Control: no-store"), status=302),
            (403, 500, 502, 508), suffix=".crl")
      for name, location in {
          "to-the-blocked": "http://{blocked}/x.crl", "to-ourselves": "http://{proxy}/x.crl",
          "to-a-private-address": "http://10.0.0.1/x.crl",
          "to-link-local": "http://169.254.169.254/x.crl",
          "to-decimal": "http://2130706433:{blockedport}/x.crl",
          "to-userinfo": "http://{allowed}@{blocked}/x.crl", "to-a-file": "file:///etc/passwd",
          "to-gopher": "gopher://{blocked}/x", "to-nothing": "", "to-itself": "{path}",
          "to-a-broken-uri": "http://[", "with-a-line-end": "/%0d%0aX-Injected:%201"}.items()],
    Reply("redirect-without-location", "9110 15.4", Answer(status=302), (302, 502), suffix=".crl"),
]
