"""RFC 5861 and RFC 9111 section 4.2.4: stale answers, wanted and forbidden."""

from harness.table import ANY, answer, ask, case, eventually, hit, miss, validated

LONG = "Cache-Control: max-age=1000"
TAG = 'ETag: "v1"'
DEAD = answer(raw=b"", then="close")
RESET = answer(raw=b"", then="reset")


def behind(*directives, age=150):
    """A stored response that is stale from the start: max-age=100 and an Age above it."""
    return answer("Cache-Control: " + ", ".join(("max-age=100",) + directives),
                  "Age: %d" % age, TAG)


def on_error(name, section, stored, broken, *lines):
    """The stale copy is served although, and because, the origin fails. It went forward, so it is
    no hit (RFC 9211 2.2)."""
    told = "; fwd-status=%d" % broken.status if broken.raw is None else ""
    return case(name, section, [stored] + [broken] * 4,
                [miss(), ask(*lines, upstream=None, of=0, age=(100, 100000),
                             cache="^revcache; fwd=stale%s; ttl=-\\d+; detail=stale-if-error" % told)])


# RFC 9111 4.3.3: a 5xx to a validation that cannot be made up for is handed on as it is.
SHOWN = 503


def error_shown(name, section, stored, broken, status, *lines):
    return case(name, section, [stored] + [broken] * 4,
                [miss(), ask(*lines, upstream=None, status=status,
                             body=None if status == broken.status else ANY)])


SIE = "stale-if-error=1000"

ROWS = [
    # stale-while-revalidate.
    case("while-revalidate-answers-at-once", "5861 3",
         [behind("stale-while-revalidate=1000"), answer(LONG)],
         [miss(), ask(upstream=None, of=0, age=(150, 250), wait=("", 2)),
          eventually(ask(upstream=None, of=1, cache="; hit"))]),
    case("while-revalidate-validates-behind", "5861 3",
         [behind("stale-while-revalidate=1000"), answer(LONG, TAG, "X-A: 2", status=304)],
         [miss(), ask(upstream=None, of=0, wait=("", 2)),
          eventually(ask(upstream=None, of=0, has=("X-A: 2",), cache="; hit"))]),
    case("while-revalidate-has-an-end", "5861 3",
         [behind("stale-while-revalidate=1000", age=5000), answer(LONG)], [miss(), miss()]),
    case("while-revalidate-survives-a-failed-fetch", "5861 3",
         [behind("stale-while-revalidate=1000"), answer(status=500)] + [answer(status=500)] * 3,
         [miss(), ask(upstream=None, of=0, wait=("", 2)), ask(upstream=None, of=0)]),
    case("while-revalidate-not-for-no-cache", "9111 5.2.1.4",
         [behind("stale-while-revalidate=1000"), answer(LONG)],
         [miss(), miss("Cache-Control: no-cache")]),
    case("while-revalidate-not-past-a-requests-max-age", "9111 5.2.1.1",
         [behind("stale-while-revalidate=1000"), answer(LONG)],
         [miss(), miss("Cache-Control: max-age=10")]),
    case("while-revalidate-not-with-must-revalidate", "9111 5.2.2.2",
         [behind("must-revalidate", "stale-while-revalidate=1000"), answer(LONG)],
         [miss(), miss()]),
    case("while-revalidate-of-a-fresh-copy-asks-nobody", "5861 3",
         [answer(LONG + ", stale-while-revalidate=1000")], [miss(), hit(), hit()]),
    case("while-revalidate-is-no-number", "5861 3",
         [behind("stale-while-revalidate=x"), answer(LONG)], [miss(), miss()]),
    # stale-if-error.
    *[on_error("if-error-%d" % status, "5861 4", behind(SIE), answer(status=status))
      for status in (500, 502, 503, 504)],
    on_error("if-error-when-the-origin-closes", "5861 4", behind(SIE), DEAD),
    on_error("if-error-when-the-origin-resets", "5861 4", behind(SIE), RESET),
    on_error("if-error-when-the-origin-talks-nonsense", "5861 4", behind(SIE),
             answer(raw=b"SSH-2.0-x\r\n\r\n")),
    on_error("if-error-from-the-request", "5861 4", behind(), answer(status=503),
             "Cache-Control: stale-if-error=1000"),
    error_shown("if-error-not-for-404", "5861 4", behind(SIE), answer(status=404), 404),
    error_shown("if-error-not-for-403", "5861 4", behind(SIE), answer(status=403), 403),
    error_shown("if-error-has-an-end", "5861 4", behind(SIE, age=5000), answer(status=503), SHOWN),
    error_shown("if-error-zero", "5861 4", behind("stale-if-error=0"), answer(status=503), SHOWN),
    error_shown("an-error-without-permission-is-shown", "9111 4.3.3", behind(),
                answer(status=503), SHOWN),
    error_shown("must-revalidate-forbids-it", "9111 5.2.2.2", behind("must-revalidate", SIE),
                answer(status=503), SHOWN),
    error_shown("must-revalidate-and-a-dead-origin", "9111 5.2.2.2", behind("must-revalidate"),
                DEAD, 504),
    error_shown("no-cache-forbids-it", "9111 5.2.2.4", behind("no-cache", SIE),
                answer(status=503), SHOWN),
    case("an-error-does-not-replace-the-stored", "9111 4.3.3",
         [behind(SIE), answer(status=503), answer(LONG, TAG, status=304)],
         [miss(), ask(upstream=None, of=0),
          eventually(ask(upstream=None, of=0, cache="; hit|304"))]),
    case("a-dead-origin-without-a-copy", "9110 15.6.3", [DEAD] * 4,
         [ask(upstream=None, status=502, body=ANY)]),
    case("a-mangled-answer-without-a-copy", "9110 15.6.3", [answer(raw=b"garbage\r\n\r\n")] * 4,
         [ask(upstream=None, status=502, body=ANY)]),
    case("must-revalidate-while-fresh-is-a-hit", "9111 5.2.2.2",
         [answer(LONG + ", must-revalidate")], [miss(), hit()]),
    case("must-revalidate-when-stale-validates", "9111 5.2.2.2",
         [behind("must-revalidate"), answer(LONG, TAG, status=304)],
         [miss(), validated(sees=('If-None-Match: "v1"',))]),
]
