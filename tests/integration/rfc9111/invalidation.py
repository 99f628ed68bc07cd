"""RFC 9111 section 4.4: unsafe methods make stored responses invalid."""

from harness.table import answer, case, hit, miss

LONG = "Cache-Control: max-age=1000"
ONE = answer(LONG)


def invalidates(method, status, *lines):
    return case("%s-%d-invalidates" % (method.lower(), status), "9111 4.4",
                [ONE, answer(*lines, status=status), ONE],
                [miss(), miss(method=method, sends=b"a", status=status), miss()])


def keeps(method, status):
    return case("%s-%d-keeps" % (method.lower(), status), "9111 4.4",
                [ONE, answer(status=status)],
                [miss(), miss(method=method, sends=b"a", status=status), hit(of=0)])


def elsewhere(name, section, line, gone, status=200):
    """A POST that names /b in a field: is what is stored for /b gone?"""
    after = miss(path="/b") if gone else hit(path="/b", of=0)
    return case(name, section, [answer(line, status=status)],
                [miss(path="/b"), miss(method="POST", sends=b"a", status=status), after],
                more={"/b": [ONE, ONE]})


ROWS = [
    *[invalidates("POST", status) for status in (200, 201, 202, 204, 303)],
    *[invalidates("PUT", status) for status in (200, 201, 204)],
    *[invalidates("DELETE", status) for status in (200, 204)],
    invalidates("PATCH", 200),
    *[keeps(method, status) for method in ("POST", "PUT", "DELETE") for status in (400, 404, 500)],
    keeps("POST", 503),
    case("options-is-safe", "9110 9.2.1", [ONE, answer()],
         [miss(), miss(method="OPTIONS"), hit(of=0)]),
    case("head-is-safe", "9110 9.2.1", [ONE], [miss(), hit(method="HEAD"), hit(of=0)]),
    elsewhere("location-on-the-same-origin", "9111 4.4", "Location: http://{authority}{path}/b",
              gone=True, status=201),
    elsewhere("location-as-a-path", "9111 4.4", "Location: {path}/b", gone=True, status=201),
    elsewhere("content-location-as-a-path", "9111 4.4", "Content-Location: {path}/b", gone=True),
    elsewhere("location-on-another-origin", "9111 4.4", "Location: http://localhost:{port}{path}/b",
              gone=False, status=201),
    elsewhere("content-location-on-another-origin", "9111 4.4",
              "Content-Location: http://127.0.0.2:{port}{path}/b", gone=False),
    elsewhere("another-path-is-untouched", "9111 4.4", "X-A: 1", gone=False),
    elsewhere("location-of-an-error", "9111 4.4", "Location: {path}/b", gone=False, status=404),
    elsewhere("location-that-is-no-uri", "9111 4.4", "Location: http://[", gone=False),
    case("another-query-is-another-resource", "9111 4.4", [ONE, answer(), ONE],
         [miss(path="?a=1"), miss(method="POST", sends=b"a", path="?a=2"), hit(path="?a=1", of=0)]),
    case("stale-copies-are-invalidated-too", "9111 4.4",
         [answer("Cache-Control: max-age=0", 'ETag: "v1"'), answer(), ONE],
         [miss(), miss(method="POST", sends=b"a"), miss(), hit(of=2)]),
    case("put-content-reaches-the-origin-unchanged", "9110 9.3.4", [answer(status=204)],
         [miss(method="PUT", sends=bytes(range(256)), status=204,
               sees=("Content-Length: 256",))]),
]
