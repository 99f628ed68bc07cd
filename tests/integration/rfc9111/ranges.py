"""RFC 9110 section 14: parts of a stored complete response."""

from harness.table import ANY, answer, case, hit, miss

LONG = "Cache-Control: max-age=1000"
BODY = b"0123456789"
TAG = 'ETag: "v1"'
MODIFIED = "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"


def part(name, section, asked, body, content_range, *lines, stored=(TAG,)):
    """A range that is answered with 206 from the stored response."""
    return case(name, section, [answer(LONG, *stored, body=BODY)],
                [miss(), hit("Range: " + asked, *lines, status=206, body=body,
                             has=("Content-Range: " + content_range,
                                  "Content-Length: %d" % len(body)))])


def whole(name, section, asked, *lines, stored=(TAG,), **options):
    """A Range that is ignored."""
    return case(name, section, [answer(LONG, *stored, body=BODY)],
                [miss(), hit("Range: " + asked, *lines, body=BODY, lacks=("Content-Range",),
                             **options)])


def unsatisfiable(name, section, asked):
    return case(name, section, [answer(LONG, TAG, body=BODY)],
                [miss(), hit("Range: " + asked, status=416, cache=None, body=ANY,
                             has=("Content-Range: bytes */10",))])


ROWS = [
    part("first-octets", "9110 14.1.2", "bytes=0-3", b"0123", "bytes 0-3/10"),
    part("one-octet", "9110 14.1.2", "bytes=4-4", b"4", "bytes 4-4/10"),
    part("all-octets", "9110 14.1.2", "bytes=0-9", BODY, "bytes 0-9/10"),
    part("open-end", "9110 14.1.2", "bytes=7-", b"789", "bytes 7-9/10"),
    part("suffix", "9110 14.1.2", "bytes=-3", b"789", "bytes 7-9/10"),
    part("suffix-longer-than-all", "9110 14.1.2", "bytes=-99", BODY, "bytes 0-9/10"),
    part("end-beyond-the-last", "9110 14.1.2", "bytes=8-99", b"89", "bytes 8-9/10"),
    part("unit-ignores-case", "9110 14.1", "Bytes=0-1", b"01", "bytes 0-1/10"),
    unsatisfiable("first-beyond-the-last", "9110 15.5.17", "bytes=10-"),
    unsatisfiable("suffix-of-nothing", "9110 15.5.17", "bytes=-0"),
    whole("unknown-unit", "9110 14.2", "lines=0-3"),
    whole("end-before-begin", "9110 14.1.1", "bytes=5-2"),
    whole("no-number", "9110 14.1.1", "bytes=a-b"),
    whole("no-range-at-all", "9110 14.1.1", "bytes="),
    whole("head-ignores-range", "9110 14.2", "bytes=0-3", method="HEAD",
          has=("Content-Length: 10",)),
    whole("number-overflows", "9110 14.1.1", "bytes=99999999999999999999999-x"),
    # If-Range.
    part("if-range-strong-match", "9110 13.1.5", "bytes=0-3", b"0123", "bytes 0-3/10",
         'If-Range: "v1"'),
    whole("if-range-mismatch", "9110 13.1.5", "bytes=0-3", 'If-Range: "v2"'),
    whole("if-range-with-a-weak-tag", "9110 13.1.5", "bytes=0-3", 'If-Range: W/"v1"',
          stored=('ETag: W/"v1"',)),
    part("if-range-with-the-exact-date", "9110 13.1.5", "bytes=0-3", b"0123", "bytes 0-3/10",
         "If-Range: Sun, 06 Nov 1994 08:49:37 GMT", stored=(MODIFIED,)),
    whole("if-range-with-a-later-date", "9110 13.1.5", "bytes=0-3",
          "If-Range: Mon, 07 Nov 1994 08:49:37 GMT", stored=(MODIFIED,)),
    whole("if-range-without-validators", "9110 13.1.5", "bytes=0-3", 'If-Range: "v1"',
          stored=()),
    # Precedence and statuses.
    case("condition-goes-before-range", "9110 13.2.2", [answer(LONG, TAG, body=BODY)],
         [miss(), hit("Range: bytes=0-3", 'If-None-Match: "v1"', status=304)]),
    case("no-ranges-of-a-404", "9110 14.2", [answer(LONG, body=BODY, status=404)],
         [miss(status=404), hit("Range: bytes=0-3", status=404, body=BODY)]),
    case("206-keeps-the-fields", "9110 15.3.7",
         [answer(LONG, TAG, "Content-Type: text/x", body=BODY)],
         [miss(), hit("Range: bytes=0-0", status=206, body=b"0", has=(TAG, "Content-Type: text/x"),
                      age=(0, 90))]),
]
