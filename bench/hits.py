"""The hits whose cost is measured: what is asked, of which origin, and what it may cost at most."""

import base64
import dataclasses
import re
import urllib.parse

from crl_import import LargeCrl
from measure import exchange
from sample_pki import SamplePki  # found through measure

CONNECTIONS = 64
LARGE_CONNECTIONS = 8
LARGE_ENTRIES = 214_000  # 49 bytes each: 10 MiB
LARGE_NUMBER = 0x2000
CRYPTO_API = "User-Agent: Microsoft-CryptoAPI/10.0\r\n"


@dataclasses.dataclass
class Scenario:
    name: str
    request: bytes
    requests: int
    target: float  # revcache's CPU per request as a multiple of the ceiling's, at most
    status: int = 200
    options: tuple = ()
    ceilings: tuple = ((),)  # options of each ceiling program to try; the best one counts
    connections: int = CONNECTIONS

    def arguments(self, file, connections=None, requests=None):
        """What Load.run() takes behind the port; `file` receives the request."""
        file.write_bytes(self.request)
        return (file, connections or self.connections, requests or self.requests, "--status",
                str(self.status), *self.options)


def get(url, *fields, connection="Proxy-Connection: Keep-Alive"):
    host = urllib.parse.urlsplit(url).netloc
    lines = [f"GET {url} HTTP/1.1", connection, "Accept: */*", CRYPTO_API.strip(), *fields,
             f"Host: {host}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(url, body):
    host = urllib.parse.urlsplit(url).netloc
    return (f"POST {url} HTTP/1.1\r\nProxy-Connection: Keep-Alive\r\n"
            f"Content-Type: application/ocsp-request\r\n{CRYPTO_API}Host: {host}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def ocsp_path(request):
    return "/ocsp/" + urllib.parse.quote(base64.b64encode(request), safe="")


def fill(origin, folder):
    """What the origin has for all of them; gives the hierarchy and the OCSP request."""
    pki = SamplePki(folder / "pki")
    request, response = pki.ocsp()
    origin.put_everywhere(pki.crl(revoked=12), "application/pkix-crl")
    origin.put("/100k.crl", pki.crl(revoked=2080), "application/pkix-crl")
    origin.put("/10m.crl", LargeCrl(pki, LARGE_ENTRIES).signed(LARGE_NUMBER), "application/pkix-crl")
    for path in ("/ocsp", ocsp_path(request)):
        origin.put(path, response, "application/ocsp-response")
    return pki, request


def small_answer(origin):
    """The origin's own answer, head and all, where the small CRL is."""
    return exchange(origin.port, get(f"http://127.0.0.1:{origin.port}/1k.crl"))


def scenarios(origin, ocsp_request, scale):
    base = f"http://127.0.0.1:{origin.port}"
    small, ocsp = f"{base}/1k.crl", f"{base}/ocsp"
    etag = re.search(rb"(?i)etag: (\S+)", small_answer(origin)).group(1).decode()
    many, some, few = (max(CONNECTIONS, int(number * scale)) for number in (150_000, 40_000, 30_000))
    fewest = max(LARGE_CONNECTIONS, int(1_000 * scale))
    accepts = ((), ("--defer-accept",), ("--eager-read",), ("--defer-accept", "--eager-read"))
    return [
        Scenario("crl-1k", get(small), many, 1.15),
        Scenario("not-modified", get(small, f"If-None-Match: {etag}", "Cache-Control: max-age = 3600"),
                 many, 1.15, status=304),
        Scenario("crl-100k", get(f"{base}/100k.crl"), few, 1.15),
        Scenario("crl-10m", get(f"{base}/10m.crl"), fewest, 1.2, connections=LARGE_CONNECTIONS),
        Scenario("new-connection", get(small, connection="Connection: close"), some, 1.1,
                 options=("--close",), ceilings=accepts),
        Scenario("ocsp-get", get(base + ocsp_path(ocsp_request)), many, 1.18),
        Scenario("ocsp-post", post(ocsp, ocsp_request), many, 1.25),
    ]
