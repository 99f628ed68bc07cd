"""CRLs and certificates: cached by RFC 9111 like anything, but held until complete and in form."""

from harness.der import shaped, shaped_certificate
from harness.table import ANY, answer, ask, case, hit, miss, validated

LONG = "Cache-Control: max-age=1000"
OLD = "Cache-Control: max-age=0"
CRL_TYPE = "Content-Type: application/pkix-crl"
CERTIFICATE_TYPE = "Content-Type: application/pkix-cert"
TAG = 'ETag: "v1"'
CRL = shaped("crl", 4000)
NEWER = shaped("newer", 4000)
HTML = b"<html><body>Sign in to the hotel network</body></html>"


def good(name, section, body, *lines, suffix=".crl", **options):
    return case(name, section, [answer(LONG, *lines, body=body, **options)],
                [miss(body=body), hit(body=body)], suffix=suffix)


def refused_body(name, section, one, *lines, suffix=".crl"):
    """502 and not one octet of what came; nothing is kept for long enough to hurt."""
    return case(name, section, [one] * 8,
                [ask(*lines, upstream=None, status=502, body=ANY, lacks=("ETag",))],
                suffix=suffix)


def bad_over_good(name, section, bad):
    """What is refused does not push out the good copy, which goes on being served."""
    return case(name, section, [answer(OLD + ", stale-if-error=1000", TAG, body=CRL)] + [bad] * 8,
                [miss(body=CRL), ask(upstream=None, body=CRL)], suffix=".crl")


ROWS = [
    good("crl", "9111 3", CRL, CRL_TYPE),
    good("crl-by-extension-alone", "9111 3", CRL, "Content-Type: application/octet-stream"),
    good("crl-without-a-type", "9111 3", CRL),
    good("crl-by-type-alone", "9111 3", CRL, CRL_TYPE, suffix=""),
    good("crl-chunked", "9112 7.1", CRL, CRL_TYPE, framing="chunked"),
    good("crl-until-close", "9112 6.3", CRL, CRL_TYPE, framing="close"),
    good("crl-of-two-mib", "9111 3", shaped("large", 2 << 20), CRL_TYPE),
    good("crl-extension-in-upper-case", "9111 3", CRL, suffix=".CRL"),
    good("certificate", "9111 3", shaped_certificate("cer"), CERTIFICATE_TYPE, suffix=".cer"),
    good("certificate-crt", "9111 3", shaped_certificate("crt"), suffix=".crt"),
    good("crl-by-heuristic", "9111 4.2.2", CRL, CRL_TYPE, "Last-Modified: {-864000}"),
    case("crl-is-validated", "9111 4.3", [answer(OLD, TAG, body=CRL),
                                          answer(LONG, TAG, status=304)],
         [miss(body=CRL), validated(body=CRL, sees=('If-None-Match: "v1"',)), hit(body=CRL)],
         suffix=".crl"),
    case("crl-is-replaced", "9111 4.3.3", [answer(OLD, TAG, body=CRL), answer(LONG, body=NEWER)],
         [miss(body=CRL), miss(body=NEWER), hit(body=NEWER)], suffix=".crl"),
    case("crl-as-cryptoapi-asks-for-it", "9111 5.2.1.1", [answer(LONG, TAG, CRL_TYPE, body=CRL)],
         [miss("Accept: */*", "User-Agent: Microsoft-CryptoAPI/10.0",
               "Proxy-Connection: Keep-Alive", body=CRL),
          hit("Cache-Control: max-age = 3600", 'If-None-Match: "v1"',
              "Proxy-Connection: Keep-Alive", status=304)], suffix=".crl"),
    case("crl-range-of-a-stored-one", "9110 14.1.2", [answer(LONG, TAG, body=CRL)],
         [miss(body=CRL), hit("Range: bytes=0-9", status=206, body=CRL[:10])], suffix=".crl"),
    case("crl-head", "9110 9.3.2", [answer(LONG, body=CRL)],
         [miss(body=CRL), hit(method="HEAD", has=("Content-Length: %d" % len(CRL),))],
         suffix=".crl"),
    # A redirect of a CRL is followed, and what comes is kept under the URL that was asked for.
    case("crl-behind-a-redirect", "9110 15.4", [answer("Location: {path}/next.crl", status=302)],
         [ask(body=CRL), hit(body=CRL)], suffix=".crl",
         more={"/next.crl": [answer(LONG, body=CRL)]}),
    case("crl-behind-a-redirect-loop", "9110 15.4", [answer("Location: {path}", status=302)] * 20,
         [ask(upstream=None, status=(502, 508), body=ANY)], suffix=".crl"),
    # Refused.
    refused_body("html-with-status-200", "9110 15.3.1", answer(LONG, TAG, body=HTML)),
    refused_body("html-that-says-so", "9110 15.3.1",
                 answer(LONG, TAG, "Content-Type: text/html", body=HTML)),
    refused_body("empty-crl", "9112 8", answer(LONG, TAG, body=b"")),
    refused_body("crl-shorter-than-its-der", "9112 8", answer(LONG, TAG, body=CRL[:-1])),
    refused_body("crl-longer-than-its-der", "9112 8", answer(LONG, TAG, body=CRL + b"\0")),
    refused_body("two-crls", "9112 8", answer(LONG, TAG, body=CRL + CRL)),
    refused_body("empty-sequence", "9112 8", answer(LONG, TAG, body=b"\x30\x00")),
    refused_body("not-a-sequence", "9112 8", answer(LONG, TAG, body=b"\x31" + CRL[1:])),
    refused_body("indefinite-length", "9112 8",
                 answer(LONG, TAG, body=b"\x30\x80\x04\x01a\x00\x00")),
    refused_body("length-not-minimal", "9112 8",
                 answer(LONG, TAG, body=b"\x30\x81\x03" + b"\x04\x01a")),
    refused_body("bad-certificate", "9112 8", answer(LONG, TAG, body=HTML), suffix=".cer"),
    refused_body("bad-crl-by-type-alone", "9112 8", answer(LONG, TAG, CRL_TYPE, body=HTML),
                 suffix=""),
    refused_body("crl-cut-before-its-length", "9112 8",
                 answer(LONG, TAG, body=CRL, length=len(CRL) + 10, then="close")),
    refused_body("crl-cut-in-half", "9112 8",
                 answer(LONG, TAG, body=CRL[:100], length=len(CRL), then="close")),
    refused_body("crl-cut-and-reset", "9112 8",
                 answer(LONG, TAG, body=CRL[:100], length=len(CRL), then="reset")),
    refused_body("crl-cut-between-chunks", "9112 8",
                 answer(raw=b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"64\r\n" + CRL[:100] + b"\r\n", then="close")),
    refused_body("crl-until-close-cut", "9112 8",
                 answer(LONG, TAG, body=CRL[:100], framing="close")),
    bad_over_good("html-over-a-good-crl", "9111 4.3.3", answer(LONG, body=HTML)),
    bad_over_good("a-cut-crl-over-a-good-one", "9111 4.3.3",
                  answer(LONG, body=CRL[:50], length=len(CRL), then="close")),
    bad_over_good("an-error-over-a-good-crl", "9111 4.3.3", answer(status=500)),
    case("a-404-for-a-crl-is-a-404", "9110 15.5.5", [answer(status=404, body=b"none")] * 4,
         [ask(upstream=None, status=404, body=b"none")], suffix=".crl"),
    case("a-refusal-of-credentials-is-not-for-others", "9111 3.5",
         [answer(status=403), answer(LONG, body=CRL)],
         [ask("Authorization: Basic dTpw", status=403), ask(body=CRL)], suffix=".crl"),
]
