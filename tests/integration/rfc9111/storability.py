"""RFC 9111 section 3: what a shared cache may store."""

from harness.table import ANY, answer, ask, case, hit, miss

LONG = "Cache-Control: max-age=1000"
OLD = "Last-Modified: {-8640000}"
CC = "Cache-Control: "
AUTHORIZED = "Authorization: Basic dTpw"


def stored(name, section, *lines, status=200, asks=(), **options):
    return case(name, section, [answer(*lines, status=status, **options)],
                [miss(*asks, status=status), hit(*asks, status=status)])


def not_stored(name, section, *lines, status=200, asks=(), **options):
    one = answer(*lines, status=status, **options)
    return case(name, section, [one, one],
                [miss(*asks, status=status), miss(*asks, status=status)])


def by_heuristic(status):
    return stored("heuristic-%d" % status, "9110 15.1", OLD, status=status)


def not_by_heuristic(status):
    return not_stored("no-heuristic-%d" % status, "9110 15.1", OLD, status=status)


def explicitly(status):
    return stored("explicit-%d" % status, "9111 3", LONG, status=status)


ROWS = [
    *map(by_heuristic, (203, 204, 300, 301, 308, 404, 405, 410, 414, 501)),
    *map(not_by_heuristic, (201, 202, 302, 303, 307, 400, 401, 403, 409)),
    *map(explicitly, (203, 204, 301, 302, 303, 307, 400, 403, 404, 410, 418, 451, 500, 503)),
    # Directives of the response.
    not_stored("no-store", "9111 5.2.2.5", CC + "no-store, max-age=1000"),
    not_stored("no-store-on-a-second-line", "9111 5.2.2.5", LONG, CC + "no-store"),
    not_stored("no-store-ignores-case", "9111 5.2.2.5", CC + "NO-STORE, max-age=1000"),
    not_stored("private", "9111 5.2.2.7", CC + "private, max-age=1000"),
    not_stored("private-despite-s-maxage", "9111 5.2.2.7", CC + "private, s-maxage=1000"),
    not_stored("no-cache-is-used-only-validated", "9111 5.2.2.4", CC + "no-cache, max-age=1000"),
    stored("public", "9111 5.2.2.9", CC + "public, max-age=1000"),
    stored("public-allows-heuristics", "9111 4.2.2", CC + "public", OLD, status=302),
    stored("must-understand-with-known-status", "9111 5.2.2.3",
           CC + "must-understand, no-store, max-age=1000"),
    not_stored("must-understand-with-unknown-status", "9111 5.2.2.3",
               CC + "must-understand, max-age=1000", status=299),
    stored("no-transform", "9111 5.2.2.6", CC + "no-transform, max-age=1000"),
    # Fields of the response.
    stored("set-cookie-alone-changes-nothing", "9111 7.3", LONG, "Set-Cookie: a=b"),
    stored("www-authenticate-with-401", "9111 3", LONG, "WWW-Authenticate: Basic", status=401),
    not_stored("private-with-set-cookie", "9111 5.2.2.7", CC + "private, max-age=1000",
               "Set-Cookie: a=b"),
    case("no-cache-names-a-field", "9111 5.2.2.4",
         [answer(CC + 'no-cache="Set-Cookie", max-age=1000', "Set-Cookie: a=b", "X-A: 1")],
         [miss(has=("Set-Cookie: a=b",)), hit(has=("X-A: 1",), lacks=("Set-Cookie",))]),
    case("private-names-a-field", "9111 5.2.2.7",
         [answer(CC + 'private="X-Secret", max-age=1000', "X-Secret: s", "X-A: 1")],
         [miss(has=("X-Secret: s",)), hit(has=("X-A: 1",), lacks=("X-Secret",))]),
    # Authorization.
    not_stored("authorization", "9111 3.5", LONG, asks=(AUTHORIZED,)),
    stored("authorization-with-public", "9111 3.5", CC + "public, max-age=1000",
           asks=(AUTHORIZED,)),
    stored("authorization-with-s-maxage", "9111 3.5", CC + "s-maxage=1000", asks=(AUTHORIZED,)),
    stored("authorization-with-must-revalidate", "9111 3.5",
           CC + "max-age=1000, must-revalidate", asks=(AUTHORIZED,)),
    case("authorized-answer-is-not-for-others", "9111 3.5", [answer(LONG), answer(LONG)],
         [miss(AUTHORIZED, sees=(AUTHORIZED,)), miss(sees_not=("Authorization",))]),
    # Methods.
    case("post-is-not-stored", "9111 3", [answer(LONG), answer(LONG), answer(LONG)],
         [miss(method="POST", sends=b"a"), miss(method="POST", sends=b"a"), miss()]),
    case("options-is-not-stored", "9111 3", [answer(LONG), answer(LONG), answer(LONG)],
         [miss(method="OPTIONS"), miss(method="OPTIONS"), miss()]),
    case("options-does-not-use-the-cache", "9111 3", [answer(LONG), answer(LONG)],
         [miss(), miss(method="OPTIONS"), hit(of=0)]),
    case("post-content-reaches-the-origin", "9110 9.3.3", [answer(LONG)],
         [miss(method="POST", sends=b"x=1&y=2", sees=("Content-Length: 7",))]),
    case("put-is-not-stored", "9111 3", [answer(LONG, status=201), answer(LONG)],
         [miss(method="PUT", sends=b"a", status=201), miss()]),
    case("head-is-not-stored-for-get", "9111 3", [answer(LONG), answer(LONG)],
         [ask(method="HEAD", upstream=None), ask(upstream=None, body=ANY), hit(body=ANY)]),
    # Keys.
    case("query-is-part-of-the-key", "9111 2", [answer(LONG), answer(LONG)],
         [miss(path="?a=1"), miss(path="?a=2"), hit(path="?a=1", of=0), hit(path="?a=2", of=1)]),
    case("path-case-is-part-of-the-key", "9110 4.2.3", [], [miss(path="/x"), miss(path="/X")],
         more={"/x": [answer(LONG)], "/X": [answer(LONG)]}),
    case("get-with-content-is-not-a-key", "9110 9.3.1", [answer(LONG), answer(LONG)],
         [miss(sends=b"abc", sees=("Content-Length: 3",)), miss(), hit(of=1)]),
    # Bodies.
    stored("empty-body", "9111 3", LONG, body=b""),
    stored("binary-body", "9111 3", LONG, body=bytes(range(256)) * 40),
    stored("body-of-300-kib", "9111 3", LONG, body=b"0123456789abcdef" * 19200),
    stored("chunked-body", "9111 3", LONG, framing="chunked"),
    stored("body-until-close", "9112 6.3", LONG, framing="close"),
    case("chunked-becomes-a-length", "9112 6.3",
         [answer(LONG, framing="chunked", body=b"x" * 40)],
         [miss(), hit(has=("Content-Length: 40",), lacks=("Transfer-Encoding",))]),
    case("206-is-not-stored", "9111 3.3",
         [answer(LONG, "Content-Range: bytes 0-3/10", status=206, body=b"abcd"), answer(LONG)],
         [miss("Range: bytes=0-3", status=206), miss()]),
    # 1xx before the final answer.
    stored("after-a-103", "9110 15.2", LONG,
           interim=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
]
