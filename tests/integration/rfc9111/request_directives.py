"""RFC 9111 section 5.2.1: what a request may demand of a cache."""

from harness.table import answer, case, hit, miss, refused, validated

LONG = "Cache-Control: max-age=1000"
AGED = answer(LONG, "Age: 100")
STALE = answer("Cache-Control: max-age=100", "Age: 150")
CACHE = "Cache-Control: "
TAGGED = 'ETag: "v1"'
SAME = answer(LONG, TAGGED, status=304)


def served(name, section, first, *lines):
    return case(name, section, [first], [miss(), hit(*lines)])


def forwarded(name, section, first, *lines):
    return case(name, section, [first, answer(LONG)], [miss(), miss(*lines)])


ROWS = [
    # max-age
    served("max-age-larger-than-age", "9111 5.2.1.1", AGED, CACHE + "max-age=500"),
    forwarded("max-age-smaller-than-age", "9111 5.2.1.1", AGED, CACHE + "max-age=50"),
    forwarded("max-age-zero", "9111 5.2.1.1", answer(LONG), CACHE + "max-age=0"),
    served("max-age-with-spaces-allows", "9111 5.2.1.1", AGED, CACHE + "max-age = 3600"),
    forwarded("max-age-with-spaces-forbids", "9111 5.2.1.1", AGED, CACHE + "max-age = 50"),
    served("quoted-max-age", "9111 5.2", AGED, CACHE + 'max-age="500"'),
    served("max-age-does-not-extend", "9111 5.2.1.1", AGED, CACHE + "max-age=99999999999"),
    forwarded("max-age-does-not-revive", "9111 5.2.1.1", STALE, CACHE + "max-age=99999"),
    forwarded("directive-case", "9111 5.2", AGED, CACHE + "Max-Age=50"),
    forwarded("directives-on-two-lines", "9110 5.3", AGED, CACHE + "foo", CACHE + "max-age=50"),
    case("max-age-zero-validates", "9111 4.3.1", [answer(LONG, TAGGED), SAME],
         [miss(), validated(CACHE + "max-age=0", sees=('If-None-Match: "v1"',))]),
    # max-stale
    served("max-stale-without-value", "9111 5.2.1.2", STALE, CACHE + "max-stale"),
    served("max-stale-large-enough", "9111 5.2.1.2", STALE, CACHE + "max-stale=1000"),
    forwarded("max-stale-too-small", "9111 5.2.1.2", STALE, CACHE + "max-stale=10"),
    forwarded("max-stale-against-must-revalidate", "9111 5.2.2.2",
              answer("Cache-Control: max-age=100, must-revalidate", "Age: 150"),
              CACHE + "max-stale"),
    forwarded("max-stale-against-proxy-revalidate", "9111 5.2.2.8",
              answer("Cache-Control: max-age=100, proxy-revalidate", "Age: 150"),
              CACHE + "max-stale"),
    forwarded("max-stale-against-s-maxage", "9111 5.2.2.10",
              answer("Cache-Control: s-maxage=100", "Age: 150"), CACHE + "max-stale"),
    forwarded("max-stale-against-no-cache", "9111 5.2.2.4",
              answer("Cache-Control: max-age=100, no-cache"), CACHE + "max-stale"),
    case("max-stale-hit-shows-its-age", "9111 5.1", [STALE],
         [miss(), hit(CACHE + "max-stale", age=(150, 240), cache="ttl=-")]),
    # min-fresh
    served("min-fresh-is-met", "9111 5.2.1.3", AGED, CACHE + "min-fresh=500"),
    forwarded("min-fresh-is-not-met", "9111 5.2.1.3", AGED, CACHE + "min-fresh=950"),
    served("min-fresh-zero", "9111 5.2.1.3", AGED, CACHE + "min-fresh=0"),
    forwarded("min-fresh-overflow", "9111 1.2.2", AGED, CACHE + "min-fresh=99999999999999999999"),
    # no-cache, Pragma
    forwarded("no-cache", "9111 5.2.1.4", answer(LONG), CACHE + "no-cache"),
    case("no-cache-validates", "9111 5.2.1.4", [answer(LONG, TAGGED), SAME],
         [miss(), validated(CACHE + "no-cache", sees=('If-None-Match: "v1"',))]),
    case("no-cache-renews-the-entry", "9111 5.2.1.4", [answer(LONG), answer(LONG)],
         [miss(), miss(CACHE + "no-cache"), hit(of=1)]),
    forwarded("pragma-no-cache", "9111 5.4", answer(LONG), "Pragma: no-cache"),
    served("pragma-beside-cache-control", "9111 5.4", answer(LONG), "Pragma: no-cache",
           CACHE + "max-age=500"),
    served("pragma-of-another-kind", "9111 5.4", answer(LONG), "Pragma: foo"),
    forwarded("cryptoapi-forced-refresh", "9111 5.2.1.4", answer(LONG), CACHE + "no-cache",
              "Pragma: no-cache"),
    # no-store
    case("no-store-is-not-stored", "9111 5.2.1.5", [answer(LONG), answer(LONG)],
         [miss(CACHE + "no-store"), miss()]),
    # only-if-cached
    served("only-if-cached-and-there", "9111 5.2.1.7", answer(LONG), CACHE + "only-if-cached"),
    case("only-if-cached-and-absent", "9111 5.2.1.7", [],
         [refused(504, CACHE + "only-if-cached")]),
    case("only-if-cached-and-stale", "9111 5.2.1.7", [STALE],
         [miss(), refused(504, CACHE + "only-if-cached")]),
    served("only-if-cached-with-max-stale", "9111 5.2.1.7", STALE,
           CACHE + "only-if-cached, max-stale"),
    case("only-if-cached-with-no-cache", "9111 5.2.1.7", [answer(LONG)],
         [miss(), refused(504, CACHE + "only-if-cached, no-cache")]),
    case("only-if-cached-head-and-absent", "9111 5.2.1.7", [],
         [refused(504, CACHE + "only-if-cached", method="HEAD")]),
    # Others.
    served("no-transform-changes-nothing", "9111 5.2.1.6", answer(LONG), CACHE + "no-transform"),
    served("unknown-directives-are-ignored", "9111 5.2.3", answer(LONG), CACHE + "foo=1, bar"),
    served("response-directive-in-a-request", "9111 5.2", answer(LONG), CACHE + "must-revalidate"),
    case("cache-control-reaches-the-origin", "9111 5.2", [answer(LONG)],
         [miss(CACHE + "no-cache, foo=1", sees=("Cache-Control ~ no-cache",))]),
]
