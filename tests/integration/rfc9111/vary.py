"""RFC 9111 section 4.1: stored responses that belong to some requests only."""

from harness.table import answer, case, hit, miss, validated

LONG = "Cache-Control: max-age=1000"
ENGLISH = "Accept-Language: en"
GERMAN = "Accept-Language: de"
VARYING = answer(LONG, "Vary: Accept-Language")


def same(name, section, vary, first, second):
    """Two requests that the Vary lines do not tell apart."""
    return case(name, section, [answer(LONG, *vary)], [miss(*first), hit(*second)])


def different(name, section, vary, first, second):
    one = answer(LONG, *vary)
    return case(name, section, [one, one], [miss(*first), miss(*second)])


V = ("Vary: Accept-Language",)

ROWS = [
    same("equal-values", "9111 4.1", V, (ENGLISH,), (ENGLISH,)),
    different("unequal-values", "9111 4.1", V, (ENGLISH,), (GERMAN,)),
    same("both-absent", "9111 4.1", V, (), ()),
    different("absent-then-present", "9111 4.1", V, (), (ENGLISH,)),
    different("present-then-absent", "9111 4.1", V, (ENGLISH,), ()),
    different("empty-is-not-absent-or-is-asked-for", "9111 4.1", V, (ENGLISH,),
              ("Accept-Language:",)),
    same("whitespace-around-commas", "9111 4.1", V, ("Accept-Language: en, de",),
         ("Accept-Language: en ,de",)),
    same("lines-are-combined", "9111 4.1", V, ("Accept-Language: en, de",), (ENGLISH, GERMAN)),
    different("order-of-members-counts", "9111 4.1", V, ("Accept-Language: en, de",),
              ("Accept-Language: de, en",)),
    same("other-fields-do-not-count", "9111 4.1", V, (ENGLISH, "X-A: 1"), (ENGLISH, "X-A: 2")),
    same("name-case-of-vary", "9111 4.1", ("Vary: ACCEPT-LANGUAGE",), (ENGLISH,), (ENGLISH,)),
    different("name-case-of-vary-still-selects", "9111 4.1", ("Vary: ACCEPT-LANGUAGE",),
              (ENGLISH,), (GERMAN,)),
    same("name-case-of-the-request", "9111 4.1", V, (ENGLISH,), ("accept-language: en",)),
    same("several-names-equal", "9111 4.1", ("Vary: Accept-Language, X-A",), (ENGLISH, "X-A: 1"),
         ("X-A: 1", ENGLISH)),
    different("several-names-one-differs", "9111 4.1", ("Vary: Accept-Language, X-A",),
              (ENGLISH, "X-A: 1"), (ENGLISH, "X-A: 2")),
    different("names-on-two-lines", "9111 4.1", ("Vary: X-A", "Vary: X-B"),
              ("X-A: 1", "X-B: 1"), ("X-A: 1", "X-B: 2")),
    same("empty-vary", "9111 4.1", ("Vary:",), (ENGLISH,), (GERMAN,)),
    different("star", "9111 4.1", ("Vary: *",), (), ()),
    different("star-among-names", "9111 4.1", ("Vary: Accept-Language, *",), (ENGLISH,),
              (ENGLISH,)),
    different("user-agent", "9111 4.1", ("Vary: User-Agent",), ("User-Agent: a",),
              ("User-Agent: b",)),
    same("accept-encoding-equal", "9111 4.1", ("Vary: Accept-Encoding",),
         ("Accept-Encoding: gzip",), ("Accept-Encoding: gzip",)),
    different("accept-encoding-differs", "9111 4.1", ("Vary: Accept-Encoding",),
              ("Accept-Encoding: gzip",), ()),
    same("values-are-case-sensitive-but-equal", "9111 4.1", ("Vary: X-A",), ("X-A: a",),
         ("X-A: a",)),
    different("values-are-case-sensitive", "9111 4.1", ("Vary: X-A",), ("X-A: a",), ("X-A: A",)),
    case("variants-live-side-by-side", "9111 4.1", [VARYING, VARYING],
         [miss(ENGLISH), miss(GERMAN), hit(ENGLISH, of=0), hit(GERMAN, of=1),
          hit(ENGLISH, of=0)]),
    case("three-variants", "9111 4.1", [VARYING, VARYING, VARYING],
         [miss(ENGLISH), miss(GERMAN), miss(), hit(of=2), hit(GERMAN, of=1), hit(ENGLISH, of=0)]),
    case("a-variant-is-renewed-alone", "9111 4.1", [VARYING, VARYING, VARYING],
         [miss(ENGLISH), miss(GERMAN), miss("Cache-Control: no-cache", ENGLISH),
          hit(ENGLISH, of=2), hit(GERMAN, of=1)]),
    case("vary-names-accumulate", "9111 4.1",
         [VARYING, answer(LONG, "Vary: X-A")],
         [miss(ENGLISH, "X-A: 1"), miss(GERMAN, "X-A: 2"), hit(GERMAN, "X-A: 2", of=1)]),
    case("a-stale-variant-is-validated-with-its-own-tag", "9111 4.3.1",
         [answer("Cache-Control: max-age=0", "Vary: Accept-Language", 'ETag: "en"'),
          answer(LONG, "Vary: Accept-Language", 'ETag: "de"'),
          answer(LONG, "Vary: Accept-Language", 'ETag: "en"', status=304)],
         [miss(ENGLISH), miss(GERMAN), validated(ENGLISH, of=0, sees=('If-None-Match ~ "en"',)),
          hit(GERMAN, of=1)]),
    case("invalidation-takes-all-variants", "9111 4.4", [VARYING, VARYING, answer(), VARYING,
                                                        VARYING],
         [miss(ENGLISH), miss(GERMAN), miss(method="POST", sends=b"a"), miss(ENGLISH),
          miss(GERMAN)]),
    case("vary-reaches-the-client", "9110 12.5.5", [VARYING],
         [miss(ENGLISH, has=("Vary: Accept-Language",)),
          hit(ENGLISH, has=("Vary: Accept-Language",))]),
    case("cryptoapi-fields-do-not-split", "9111 4.1", [answer(LONG, "Vary: Accept-Encoding")],
         [miss("Accept: */*", "User-Agent: Microsoft-CryptoAPI/10.0"),
          hit("Accept: text/html", "User-Agent: other")]),
]
