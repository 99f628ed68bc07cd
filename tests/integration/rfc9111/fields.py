"""RFC 9110 section 7, RFC 9111 section 5, RFC 9211: what is added, kept and taken away."""

from harness.table import answer, ask, case, hit, miss, refused, validated

LONG = "Cache-Control: max-age=1000"
OLD = "Cache-Control: max-age=0"
TAG = 'ETag: "v1"'


def kept(name, section, *lines):
    """The origin's lines reach the client, at first and from the cache."""
    return case(name, section, [answer(LONG, *lines)], [miss(has=lines), hit(has=lines)])


def taken(name, section, lines, names):
    """Lines of the origin that no client may see."""
    return case(name, section, [answer(LONG, *lines)], [miss(lacks=names), hit(lacks=names)])


def forwarded(name, section, *lines):
    return case(name, section, [answer(LONG)], [miss(*lines, sees=lines)])


def held_back(name, section, lines, names, method="GET"):
    """Lines of the client that the origin may not see."""
    return case(name, section, [answer(LONG)], [miss(*lines, method=method, sees_not=names)])


ROWS = [
    # Via and Date.
    case("via-to-the-origin", "9110 7.6.3", [answer(LONG)], [miss(sees=("Via ~ ^1.1 revcache$",))]),
    case("via-of-the-client-is-continued", "9110 7.6.3", [answer(LONG)],
         [miss("Via: 1.0 fred", sees=("Via ~ (^1.0 fred, )?1.1 revcache$", "Via ~ ^1.0 fred"))]),
    case("via-to-the-client", "9110 7.6.3", [answer(LONG)],
         [miss(has=("Via: 1.1 revcache",)), hit(has=("Via: 1.1 revcache",))]),
    case("via-of-the-origin-is-continued", "9110 7.6.3", [answer(LONG, "Via: 1.1 cdn")],
         [miss(has=("Via ~ ^1.1 cdn",)), hit(has=("Via ~ ^1.1 cdn",))]),
    case("date-is-kept", "9110 6.6.1",
         [answer("Cache-Control: max-age=2147483647", "Date: Sun, 06 Nov 1994 08:49:37 GMT")],
         [miss(has=("Date: Sun, 06 Nov 1994 08:49:37 GMT",)),
          hit(has=("Date: Sun, 06 Nov 1994 08:49:37 GMT",), age=(10 ** 9, 2 * 10 ** 9))]),
    case("date-is-added", "9110 6.6.1", [answer(LONG, dated=False)],
         [miss(has=("Date ~ GMT$",)), hit(has=("Date ~ GMT$",))]),
    # End-to-end fields.
    kept("validators-are-kept", "9110 8.8", TAG, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"),
    kept("content-fields-are-kept", "9110 8", "Content-Type: text/plain; charset=utf-8",
         "Content-Language: de", "Content-Encoding: gzip", "Content-Location: /x"),
    kept("unknown-fields-are-kept", "9110 5.1", "X-Anything: a, b;c=\"d\"", "x-lower: 1"),
    kept("server-is-kept", "9110 10.2.4", "Server: origin/1"),
    kept("repeated-lines-are-kept", "9110 5.3", "X-A: a=1", "X-A: b=2", "Link: </a>",
         "Link: </b>"),
    # A cookie is for the client that was given it: the first sees it, those after it do not.
    case("cookies-reach-their-client-only", "9111 7.3",
         [answer(LONG, "Set-Cookie: a=1", "Set-Cookie: b=2")],
         [miss(has=("Set-Cookie: a=1", "Set-Cookie: b=2")), hit(lacks=("Set-Cookie",))]),
    kept("eight-bit-values-are-kept", "9110 5.5", "X-A: caf\xe9"),
    kept("empty-values-are-kept", "9110 5.5", "X-A: "),
    kept("location-is-kept", "9110 10.2.2", "Location: /somewhere"),
    kept("no-transform", "9110 7.7", "Cache-Control: max-age=1000, no-transform",
         "Content-Encoding: identity"),
    case("a-redirect-is-handed-on", "9110 15.4", [answer(LONG, "Location: /x", status=302)],
         [miss(status=302, has=("Location: /x",)), hit(status=302, has=("Location: /x",))]),
    case("head-has-the-fields-of-get", "9110 9.3.2", [answer(LONG, TAG, "Content-Type: a/b")],
         [miss(), hit(method="HEAD", has=(TAG, LONG, "Content-Type: a/b", "Content-Length",
                                          "Age"))]),
    # Hop-by-hop fields of the origin.
    taken("connection-and-what-it-names", "9110 7.6.1",
          ("Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5"),
          ("X-Hop", "Keep-Alive")),
    taken("connection-names-ignore-case", "9110 7.6.1", ("connection: x-HOP", "X-Hop: 1"),
          ("X-Hop",)),
    taken("proxy-connection", "9112 C.2.2", ("Proxy-Connection: keep-alive",),
          ("Proxy-Connection",)),
    taken("proxy-authentication", "9110 11.7",
          ("Proxy-Authenticate: Basic", "Proxy-Authentication-Info: a=b"),
          ("Proxy-Authenticate", "Proxy-Authentication-Info")),
    taken("upgrade", "9110 7.8", ("Upgrade: h2c", "Connection: upgrade"), ("Upgrade",)),
    taken("transfer-fields", "9110 7.6.1", ("TE: trailers", "Trailer: X-T"), ("TE", "Trailer")),
    case("connection-may-not-take-cache-fields-away", "9111 7.1",
         [answer(LONG, TAG, "Connection: close, ETag, Cache-Control, Date, Age, X-A", "X-A: 1",
                 then="close")],
         [miss(lacks=("X-A",)), ask(upstream=None, body=None, of=0, lacks=("X-A",))]),
    case("close-of-the-origin-is-not-ours", "9112 9.6",
         [answer(LONG, "Connection: close", then="close")],
         [miss(lacks=("Keep-Alive",)), hit()]),
    case("trailers-do-not-become-fields", "9110 6.5.1",
         [answer(LONG, "Trailer: X-T", framing="chunked", trailers=("X-T: 1", "ETag: \"no\""))],
         [miss(lacks=("X-T", "ETag")), hit(lacks=("X-T", "ETag"))]),
    # Hop-by-hop fields of the client.
    held_back("request-connection-and-what-it-names", "9110 7.6.1",
              ("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5"),
              ("X-Hop", "Keep-Alive")),
    held_back("request-proxy-connection", "9112 C.2.2", ("Proxy-Connection: Keep-Alive",),
              ("Proxy-Connection",)),
    held_back("request-proxy-authorization", "9110 11.7.2", ("Proxy-Authorization: Basic dTpw",),
              ("Proxy-Authorization",)),
    held_back("request-te", "9110 10.1.4", ("TE: trailers, deflate", "Connection: TE"), ("TE",)),
    held_back("request-upgrade", "9110 7.8",
              ("Upgrade: websocket", "Connection: upgrade"), ("Upgrade",)),
    held_back("request-http2-settings", "7540 3.2.1",
              ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: Upgrade, "
               "HTTP2-Settings"), ("Upgrade", "HTTP2-Settings")),
    forwarded("request-fields-reach-the-origin", "9110 7.6", "User-Agent: Microsoft-CryptoAPI/10.0",
              "Accept: */*", "X-Anything: 1"),
    forwarded("cookies-reach-the-origin", "9110 7.6", "Cookie: a=b"),
    case("host-comes-from-the-target", "9112 3.2.2", [answer(LONG)],
         [miss(sees=("Host ~ ^127.0.0.1:",))]),
    case("max-forwards-of-get-is-handed-on", "9110 7.6.2", [answer(LONG)],
         [miss("Max-Forwards: 0", sees_not=())]),
    case("max-forwards-of-options-counts-down", "9110 7.6.2", [answer()],
         [miss("Max-Forwards: 5", method="OPTIONS", sees=("Max-Forwards: 4",))]),
    case("max-forwards-zero-of-options-ends-here", "9110 7.6.2", [],
         [ask("Max-Forwards: 0", method="OPTIONS", upstream=0, body=b"", status=200)]),
    # Clients of HTTP/1.0.
    case("http-1-0-client", "9112 2.5", [answer(LONG, framing="chunked")],
         [miss(version="1.0"), hit(version="1.0")]),
    case("http-1-0-client-keeps-alive", "9112 C.2.2", [answer(LONG)],
         [miss("Connection: keep-alive", version="1.0", has=("Connection ~ (?i)keep-alive",)),
          hit("Connection: keep-alive", version="1.0", has=("Connection ~ (?i)keep-alive",))]),
    case("http-1-0-and-1-1-share-an-entry", "9111 2", [answer(LONG)],
         [miss(version="1.0"), hit(), hit(version="1.0")]),
    case("the-origin-hears-http-1-1", "9112 2.5", [answer(LONG)], [miss(version="1.0")]),
    # Cache-Status.
    case("status-of-a-miss", "9211 2.2", [answer(LONG)],
         [miss(cache="^revcache; fwd=(uri-miss|miss)\\b.*; stored")]),
    case("status-of-an-uncacheable-miss", "9211 2.5", [answer("Cache-Control: no-store")],
         [miss(cache="^revcache; fwd=(uri-miss|miss)(?!.*stored)")]),
    case("status-of-a-hit", "9211 2.1", [answer(LONG, "Age: 100")],
         [miss(), hit(cache="^revcache; hit; ttl=(900|[78]\\d\\d)$")]),
    case("status-of-a-validated-answer", "9211 2.3", [answer(OLD, TAG),
                                                      answer(LONG, TAG, status=304)],
         [miss(), validated(cache="^revcache; fwd=stale; fwd-status=304")]),
    case("status-of-a-forced-refresh", "9211 2.2", [answer(LONG), answer(LONG)],
         [miss(), miss("Cache-Control: no-cache", cache="^revcache; fwd=request")]),
    case("status-of-another-variant", "9211 2.2", [answer(LONG, "Vary: X-A")] * 2,
         [miss("X-A: 1"), miss("X-A: 2", cache="^revcache; fwd=vary-miss")]),
    case("status-of-a-post", "9211 2.2", [answer()],
         [miss(method="POST", sends=b"a", cache="^revcache; fwd=(method|bypass)")]),
    case("status-of-the-origin-is-kept", "9211 2", [answer(LONG, "Cache-Status: cdn; hit")],
         [miss(has=("Cache-Status ~ cdn; hit",)), hit(has=("Cache-Status ~ cdn; hit",))]),
    case("status-of-a-304-from-the-cache", "9211 2.1", [answer(LONG, TAG)],
         [miss(), hit('If-None-Match: "v1"', status=304)]),
    case("status-of-only-if-cached", "9211 2", [],
         [refused(504, "Cache-Control: only-if-cached")]),
]
