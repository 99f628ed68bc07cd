"""Message framing under attack (RFC 9112 sections 6 and 7): when in doubt, 400 and close."""

from harness.hostile import Request, forwarded

SMUGGLED = b"GET http://{allowed}/smuggled HTTP/1.1\r\nHost: {allowed}\r\n\r\n"
START = b"POST http://{allowed}{path} HTTP/1.1\r\nHost: {allowed}\r\n"
REFUSED = (400, 501)


def post(name, section, lines, body, statuses=(400,), **options):
    """A POST with these field lines, then a content that may hide a second request."""
    return Request(name, section, START + lines + b"\r\n" + body, statuses, **options)


def length(name, value, section="9112 6.3"):
    return post("length-" + name, section, b"Content-Length: " + value + b"\r\n",
                b"abcde" + SMUGGLED)


def coding(name, line, section="9112 6.1", **options):
    return post("coding-" + name, section, line + b"\r\n", b"5\r\nabcde\r\n0\r\n\r\n" + SMUGGLED,
                (REFUSED,), **options)


def chunks(name, body, section="9112 7.1", statuses=(400,)):
    """Chunked content: its beginning may have been streamed on, its end must never be."""
    return post("chunk-" + name, section, b"Transfer-Encoding: chunked\r\n", body + SMUGGLED,
                statuses, partial=True)


ROWS = [
    # Content-Length and Transfer-Encoding together.
    post("length-and-coding", "9112 6.1", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
         b"0\r\n\r\n" + SMUGGLED),
    post("coding-and-length", "9112 6.1", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
         b"0\r\n\r\n" + SMUGGLED),
    post("zero-length-and-coding", "9112 6.1",
         b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    post("length-and-coding-hidden-by-case", "9112 6.1",
         b"content-LENGTH: 5\r\ntransfer-ENCODING: cHuNkEd\r\n", b"0\r\n\r\n" + SMUGGLED),
    # Content-Length.
    length("twice-the-same", b"5\r\nContent-Length: 5"),
    length("twice-differently", b"5\r\nContent-Length: 0"),
    length("list-of-equals", b"5, 5"),
    length("list-of-different", b"5, 0"),
    length("plus", b"+5"),
    length("minus", b"-5"),
    length("hex", b"0x5"),
    length("octal-like-letter", b"5o"),
    length("fraction", b"5.0"),
    length("inner-space", b"0 5"),
    length("parameter", b"5;a=b"),
    length("quoted", b'"5"'),
    length("overflow", b"99999999999999999999"),
    length("overflow-by-one", b"18446744073709551621"),
    length("empty", b""),
    length("empty-then-good", b"\r\nContent-Length: 5"),
    length("folded", b"\r\n 5", "9112 5.2"),
    length("vertical-tab", b"\x0b5", "9110 5.5"),
    length("nul", b"5\0", "9110 5.5"),
    post("length-with-a-space-before-the-colon", "9112 5.1", b"Content-Length : 5\r\n",
         b"abcde" + SMUGGLED),
    post("length-with-a-tab-before-the-colon", "9112 5.1", b"Content-Length\t: 5\r\n",
         b"abcde" + SMUGGLED),
    # Transfer-Encoding.
    coding("gzip-chunked", b"Transfer-Encoding: gzip, chunked"),
    coding("chunked-gzip", b"Transfer-Encoding: chunked, gzip"),
    coding("gzip", b"Transfer-Encoding: gzip"),
    coding("identity", b"Transfer-Encoding: identity"),
    coding("unknown", b"Transfer-Encoding: xchunked"),
    coding("chunked-prefix", b"Transfer-Encoding: chunkedx"),
    coding("chunked-twice", b"Transfer-Encoding: chunked, chunked"),
    coding("two-lines", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    coding("two-lines-one-hidden", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
    coding("quoted", b'Transfer-Encoding: "chunked"'),
    coding("empty", b"Transfer-Encoding:"),
    coding("folded", b"Transfer-Encoding:\r\n chunked", "9112 5.2"),
    coding("folded-tail", b"Transfer-Encoding: chunked\r\n , identity", "9112 5.2"),
    coding("vertical-tab", b"Transfer-Encoding: \x0bchunked", "9110 5.5"),
    coding("nul", b"Transfer-Encoding: chunked\0", "9110 5.5"),
    coding("space-before-the-colon", b"Transfer-Encoding : chunked", "9112 5.1"),
    coding("bare-cr-before", b"X: a\rTransfer-Encoding: chunked", "9112 2.2"),
    coding("cr-after-an-empty-value", b"X:\rTransfer-Encoding: chunked", "9112 2.2"),
    coding("bare-lf-before", b"X: a\nTransfer-Encoding: chunked", "9112 2.2"),
    Request("coding-in-http-1-0", "9112 6.1",
            b"POST http://{allowed}{path} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nabcde\r\n0\r\n\r\n" + SMUGGLED, (REFUSED,)),
    # Chunks.
    chunks("size-is-no-number", b"zz\r\nabcde\r\n0\r\n\r\n"),
    chunks("size-is-negative", b"-5\r\nabcde\r\n0\r\n\r\n"),
    chunks("size-has-0x", b"0x5\r\nabcde\r\n0\r\n\r\n"),
    chunks("size-is-empty", b"\r\nabcde\r\n0\r\n\r\n"),
    chunks("size-overflows", b"10000000000000005\r\nabcde\r\n0\r\n\r\n", statuses=((400, 413),)),
    chunks("size-is-enormous", b"FFFFFFFFFFFFFFFF\r\nabcde\r\n0\r\n\r\n",
           statuses=((400, 413),)),
    chunks("size-then-space", b"5 \r\nabcde\r\n0\r\n\r\n"),
    chunks("space-then-size", b" 5\r\nabcde\r\n0\r\n\r\n"),
    chunks("size-then-lf", b"5\nabcde\r\n0\r\n\r\n"),
    chunks("size-then-cr", b"5\rabcde\r\n0\r\n\r\n"),
    chunks("data-not-followed-by-crlf", b"5\r\nabcdeXX0\r\n\r\n"),
    chunks("data-longer-than-its-size", b"5\r\nabcdef\r\n0\r\n\r\n"),
    chunks("data-followed-by-lf", b"5\r\nabcde\n0\r\n\r\n"),
    chunks("end-with-garbage", b"5\r\nabcde\r\n0\r\n\rX"),
    chunks("extension-with-a-bare-lf", b"5;a\nb\r\nabcde\r\n0\r\n\r\n"),
    chunks("extension-with-a-bare-cr", b"5;a\rb\r\nabcde\r\n0\r\n\r\n"),
    chunks("extension-too-long", b"5;" + b"a" * 70000 + b"\r\nabcde\r\n0\r\n\r\n",
           statuses=((400, 413, 431),)),
    chunks("trailer-with-a-length", b"5\r\nabcde\r\n0\r\nContent-Length: 5\r\n\r\n", "9110 6.5.1"),
    chunks("trailer-with-a-coding", b"5\r\nabcde\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
           "9110 6.5.1"),
    chunks("trailer-without-a-colon", b"5\r\nabcde\r\n0\r\nbroken\r\n\r\n", "9112 7.1.2"),
    chunks("trailer-folded", b"5\r\nabcde\r\n0\r\nX: a\r\n b\r\n\r\n", "9112 5.2"),
    chunks("trailers-too-large", b"5\r\nabcde\r\n0\r\n" + b"X: aaaaaaaa\r\n" * 9000 + b"\r\n",
           statuses=((400, 431),)),
    # What is right must pass, and pass unchanged.
    post("good-length", "9112 6.3", b"Content-Length: 5\r\n", b"abcde", (200,), closes=False,
         reaches=(forwarded(b"POST {path} HTTP/1.1", b"Content-Length: 5", body=b"abcde"),)),
    post("good-length-then-a-second-request", "9112 9.3.2", b"Content-Length: 5\r\n",
         b"abcde" + SMUGGLED, (200, 200), closes=False,
         reaches=(forwarded(b"POST {path} HTTP/1.1", b"Content-Length: 5", body=b"abcde"),
                  forwarded(b"GET /smuggled HTTP/1.1"))),
    post("get-like-content-is-content", "9112 6.3",
         b"Content-Length: 33\r\n", b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n"[:33], (200,),
         closes=False,
         reaches=(forwarded(b"POST {path} HTTP/1.1", b"Content-Length: 33",
                            body=b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n"[:33]),)),
]
