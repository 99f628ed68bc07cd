"""OCSP by hand (RFC 6960): requests with any CertID, and a strict reader of responses.

The reader follows the ASN.1 and raises Malformed for whatever deviates from DER. It looks at no
signature: that is for the openssl command."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Optional

from .der import sequence, tlv

STATUSES = {0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater",
            5: "sigRequired", 6: "unauthorized"}
REASONS = ("unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
           "cessationOfOperation", "certificateHold", None, "removeFromCRL", "privilegeWithdrawn",
           "aACompromise")
HASHES = {"sha1": "2b0e03021a", "sha256": "608648016503040201", "sha384": "608648016503040202",
          "sha512": "608648016503040203"}
BASIC = bytes.fromhex("2b0601050507300101")
NONCE = bytes.fromhex("2b0601050507300102")


class Malformed(Exception):
    """Not the DER that RFC 6960 wants."""


@dataclass
class Element:
    tag: int
    content: bytes
    whole: bytes

    def children(self):
        return elements(self.content)

    def expect(self, tag):
        if self.tag != tag:
            raise Malformed("tag %#x instead of %#x: %s" % (self.tag, tag, self.whole[:40].hex()))
        return self


def elements(data):
    """All elements of `data`, which they fill."""
    found = []
    while data:
        if len(data) < 2 or data[0] & 0x1f == 0x1f:
            raise Malformed("no element: %s" % data[:40].hex())
        length, head = data[1], 2
        if length & 0x80:
            head += length & 0x7f
            length = int.from_bytes(data[2:head], "big")
            if length < 128 or data[2] == 0 or head > len(data):
                raise Malformed("length is not minimal: %s" % data[:40].hex())
        if head + length > len(data):
            raise Malformed("cut off: %s" % data[:40].hex())
        found.append(Element(data[0], data[head:head + length], data[:head + length]))
        data = data[head + length:]
    return found


def only(data, tag):
    (element,) = elements(data)
    return element.expect(tag)


def time_of(element):
    """GeneralizedTime as RFC 5280 4.1.2.5.2 writes it."""
    text = element.expect(0x18).content.decode("ascii")
    if len(text) != len("20260102030405Z"):
        raise Malformed("time %s" % text)
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)


def crl_dates(der):
    """thisUpdate and nextUpdate of a CRL that has both, before 2050."""
    _, _, _, *dates = only(der, 0x30).children()[0].expect(0x30).children()[:5]
    return tuple(datetime.strptime(one.expect(0x17).content.decode("ascii"), "%y%m%d%H%M%SZ")
                 .replace(tzinfo=timezone.utc) for one in dates)


@dataclass
class Single:
    cert_id: bytes
    status: str  # good | revoked | unknown
    this_update: datetime
    next_update: Optional[datetime] = None
    revoked_at: Optional[datetime] = None
    reason: Optional[str] = None


@dataclass
class Response:
    status: str
    produced_at: Optional[datetime] = None
    answers: list = field(default_factory=list)
    nonce: Optional[bytes] = None
    certificates: list = field(default_factory=list)  # DER


def read_response(der):
    parts = only(der, 0x30).children()
    status = STATUSES[parts[0].expect(0x0a).content[0]]
    if status != "successful":
        if len(parts) != 1:
            raise Malformed("octets behind an error")
        return Response(status)
    kind, octets = only(parts[1].expect(0xa0).content, 0x30).children()
    if kind.expect(0x06).content != BASIC:
        raise Malformed("no BasicOCSPResponse")
    data, _, _, *rest = only(octets.expect(0x04).content, 0x30).children()
    response = read_data(data.expect(0x30).children())
    if rest:
        certificates = only(rest[0].expect(0xa0).content, 0x30).children()
        response.certificates = [one.expect(0x30).whole for one in certificates]
    return response


def read_data(parts):
    """ResponseData; its version is v1, which DER leaves out."""
    responder, produced_at, answers, *rest = parts
    if responder.tag not in (0xa1, 0xa2):
        raise Malformed("ResponderID with tag %#x" % responder.tag)
    response = Response("successful", time_of(produced_at),
                        [read_single(one) for one in answers.expect(0x30).children()])
    for extension in only(rest[0].expect(0xa1).content, 0x30).children() if rest else ():
        name, *_, value = extension.children()
        if name.content == NONCE:
            response.nonce = only(value.expect(0x04).content, 0x04).content
    return response


def read_single(element):
    cert_id, status, this_update, *rest = element.expect(0x30).children()
    single = Single(cert_id.whole, {0x80: "good", 0xa1: "revoked", 0x82: "unknown"}[status.tag],
                    time_of(this_update))
    if single.status == "revoked":
        at, *reason = status.children()
        single.revoked_at = time_of(at)
        if reason:
            single.reason = REASONS[only(reason[0].expect(0xa0).content, 0x0a).content[0]]
    for part in rest:
        if part.tag == 0xa0:
            single.next_update = time_of(only(part.content, 0x18))
    return single


def cert_id(issuer, serial, algorithm="sha1", null=True):
    """CertID of the certificate `serial` (an int) by the issuer whose certificate (DER) is given;
    `null`: with NULL as the parameters of the hash algorithm, else without."""
    version, _, _, _, _, subject, key = only(issuer, 0x30).children()[0].children()[:7]
    version.expect(0xa0)
    key_bits = key.expect(0x30).children()[1].expect(0x03).content[1:]
    digest = lambda octets: tlv(0x04, hashlib.new(algorithm, octets).digest())
    oid = tlv(0x06, bytes.fromhex(HASHES[algorithm]))
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return sequence(sequence(oid, b"\5\0") if null else sequence(oid), digest(subject.whole),
                    digest(key_bits), tlv(0x02, number))


def request(*cert_ids, nonce=None):
    extensions = b""
    if nonce is not None:
        extensions = tlv(0xa2, sequence(sequence(tlv(0x06, NONCE), tlv(0x04, tlv(0x04, nonce)))))
    return sequence(sequence(sequence(*[sequence(one) for one in cert_ids]), extensions))


def get_forms(der):
    """Every habit of writing a request into a path (RFC 6960 A.1), by its name."""
    raw = base64.b64encode(der).decode()
    quoted = raw.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return {"raw": raw, "percent-encoded": quoted,
            "percent-encoded in lower case": quoted.replace("%2B", "%2b").replace("%2F", "%2f")
            .replace("%3D", "%3d"),
            "without padding": raw.rstrip("="),
            "percent-encoded without padding": quoted.replace("%3D", ""),
            "slashes as they are": quoted.replace("%2F", "/")}
