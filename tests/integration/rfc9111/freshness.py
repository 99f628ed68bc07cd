"""RFC 9111 section 4.2: how long a response may be used without asking."""

from harness.table import answer, case, hit, miss

ONE = "Cache-Control: max-age=60"


def fresh(name, section, *lines, **options):
    """Two requests, one fetch."""
    return case(name, section, [answer(*lines, **options)], [miss(), hit()])


def stale(name, section, *lines, **options):
    """Two requests, two fetches."""
    return case(name, section, [answer(*lines, **options), answer(*lines, **options)],
                [miss(), miss()])


ROWS = [
    # Explicit lifetimes.
    case("max-age", "9111 4.2.1", [answer(ONE)], [miss(age=(None, None)), hit(age=(0, 30))]),
    stale("max-age-zero", "9111 4.2.1", "Cache-Control: max-age=0"),
    fresh("s-maxage-beats-zero-max-age", "9111 5.2.2.10", "Cache-Control: max-age=0, s-maxage=60"),
    stale("zero-s-maxage-beats-max-age", "9111 5.2.2.10", "Cache-Control: max-age=60, s-maxage=0"),
    fresh("expires-ahead", "9111 5.3", "Expires: {+60}"),
    stale("expires-behind", "9111 5.3", "Expires: {-60}"),
    stale("expires-is-now", "9111 4.2.1", "Expires: {+0}"),
    stale("expires-zero", "9111 5.3", "Expires: 0"),
    stale("expires-is-no-date", "9111 5.3", "Expires: tomorrow"),
    stale("expires-in-another-zone", "9110 5.6.7", "Expires: Thu, 25 Nov 2049 12:00:00 +0100"),
    fresh("expires-rfc850-date", "9110 5.6.7", "Expires: Thursday, 25-Nov-49 12:00:00 GMT"),
    fresh("expires-asctime-date", "9110 5.6.7", "Expires: Fri Nov 26 12:00:00 2094"),
    fresh("max-age-beats-old-expires", "9111 5.3", ONE, "Expires: {-60}"),
    stale("zero-max-age-beats-expires", "9111 5.3", "Cache-Control: max-age=0", "Expires: {+60}"),
    fresh("s-maxage-beats-old-expires", "9111 5.3", "Cache-Control: s-maxage=60", "Expires: {-60}"),
    fresh("expires-counts-from-date", "9111 4.2.1", "Date: {-100}", "Expires: {+60}"),
    stale("expires-before-now-after-date", "9111 4.2.3", "Date: {-100}", "Expires: {-40}"),
    fresh("expires-without-date", "9111 4.2.1", "Expires: {+60}", dated=False),
    fresh("very-long-max-age", "9111 1.2.2", "Cache-Control: max-age=99999999999"),
    fresh("max-age-above-2-64", "9111 1.2.2", "Cache-Control: max-age=99999999999999999999999"),
    # Spelling.
    fresh("directive-names-ignore-case", "9111 5.2", "cache-control: MAX-AGE=60"),
    fresh("quoted-max-age-is-accepted", "9111 5.2", 'Cache-Control: max-age="60"'),
    fresh("unknown-directives-are-ignored", "9111 5.2.3",
          "Cache-Control: foo=bar, max-age=60, baz"),
    fresh("comma-inside-a-quoted-string", "9111 5.2",
          'Cache-Control: a="b, max-age=0", max-age=60'),
    fresh("directives-on-two-lines", "9110 5.3", "Cache-Control: public", ONE),
    fresh("empty-list-members", "9110 5.6.1", "Cache-Control: ,, max-age=60 ,"),
    fresh("leading-zeros", "9111 1.2.2", "Cache-Control: max-age=00060"),
    fresh("pragma-in-a-response-means-nothing", "9111 5.4", ONE, "Pragma: no-cache"),
    fresh("immutable-changes-nothing", "8246 2", "Cache-Control: max-age=60, immutable"),
    # Invalid or conflicting.
    stale("max-age-is-no-number", "9111 4.2.1", "Cache-Control: max-age=abc"),
    stale("max-age-is-negative", "9111 4.2.1", "Cache-Control: max-age=-60"),
    stale("max-age-has-a-fraction", "9111 4.2.1", "Cache-Control: max-age=60.5"),
    stale("max-age-has-a-unit", "9111 4.2.1", "Cache-Control: max-age=60s"),
    stale("max-age-has-no-value", "9111 4.2.1", "Cache-Control: max-age"),
    stale("max-age-has-an-empty-value", "9111 4.2.1", "Cache-Control: max-age="),
    stale("bad-s-maxage-beside-max-age", "9111 4.2.1", "Cache-Control: s-maxage=x, max-age=60"),
    stale("max-age-twice-differently", "9111 4.2.1", "Cache-Control: max-age=0, max-age=60"),
    stale("max-age-twice-longer-first", "9111 4.2.1", "Cache-Control: max-age=60, max-age=0"),
    stale("max-age-differs-on-two-lines", "9111 4.2.1", ONE, "Cache-Control: max-age=0"),
    fresh("max-age-twice-the-same", "9111 4.2.1", "Cache-Control: max-age=60, max-age=60"),
    stale("bad-max-age-does-not-fall-back-to-expires", "9111 4.2.1", "Cache-Control: max-age=x",
          "Expires: {+60}"),
    # Age.
    case("age-is-counted", "9111 4.2.3", [answer("Cache-Control: max-age=1000", "Age: 100")],
         [miss(), hit(age=(100, 200))]),
    stale("age-uses-up-the-lifetime", "9111 4.2.3", "Cache-Control: max-age=100", "Age: 100"),
    stale("age-exceeds-the-lifetime", "9111 4.2.3", ONE, "Age: 10000"),
    stale("age-overflows", "9111 1.2.2", ONE, "Age: 99999999999999999999"),
    fresh("age-is-no-number", "9111 5.1", ONE, "Age: abc"),
    fresh("age-is-negative", "9111 5.1", ONE, "Age: -100"),
    stale("age-counts-with-expires", "9111 4.2.3", "Expires: {+60}", "Age: 100"),
    case("date-in-the-past-ages", "9111 4.2.3",
         [answer("Cache-Control: max-age=1000", "Date: {-100}")], [miss(), hit(age=(100, 200))]),
    stale("date-uses-up-the-lifetime", "9111 4.2.3", ONE, "Date: {-100}"),
    fresh("date-in-the-future-does-not-age", "9111 4.2.3", ONE, "Date: {+1000}"),
    fresh("no-date-means-now", "9110 6.6.1", ONE, dated=False),
    fresh("date-is-no-date", "9111 4.2.3", ONE, "Date: today"),
    case("age-and-date-take-the-larger", "9111 4.2.3",
         [answer("Cache-Control: max-age=1000", "Date: {-100}", "Age: 300")],
         [miss(), hit(age=(300, 390))]),
    case("age-of-a-hit-replaces-that-received", "9111 5.1",
         [answer("Cache-Control: max-age=1000", "Age: 7")], [miss(), hit(age=(7, 90)), hit()]),
    # Heuristics.
    fresh("heuristic-from-last-modified", "9111 4.2.2", "Last-Modified: {-8640000}"),
    stale("no-heuristic-without-last-modified", "9111 4.2.2"),
    stale("heuristic-of-a-new-object-is-nothing", "9111 4.2.2", "Last-Modified: {-1}"),
    stale("heuristic-ends-after-a-day", "9111 4.2.2", "Last-Modified: {-86400000}", "Age: 90000"),
    case("heuristic-within-the-day", "9111 4.2.2",
         [answer("Last-Modified: {-86400000}", "Age: 80000")], [miss(), hit(age=(80000, 80100))]),
    stale("no-heuristic-beside-explicit-lifetime", "9111 4.2.2", "Last-Modified: {-8640000}",
          "Cache-Control: max-age=0"),
    stale("no-heuristic-beside-bad-expires", "9111 4.2.2", "Last-Modified: {-8640000}",
          "Expires: never"),
    stale("last-modified-in-the-future", "9111 4.2.2", "Last-Modified: {+86400}"),
    fresh("http-1-0-origin-with-expires", "9112 2.5", "Expires: {+60}", version="1.0"),
]
