#!/usr/bin/env python3
"""Makes ocsp_response/*: responses named by verdict, about certificates of issuer.der.

  good_* revoked_* unknown_*   accepted one minute after producedAt; what they say of serial 0x1001
  refused_<reason>_*           well-formed, refused then for this reason
  malformed_*                  do not parse
  error_*                      well-formed, carry an error status

Those with "trusted" in their name are verified with trusted_responder.der (or the one that the
test names) as a trusted responder. Times are relative to the next minutes, keys are new each time.
"""

import datetime
import pathlib
import tempfile

from asn1 import *
from make_certificates import CA, IDS, Maker

OUT = pathlib.Path(__file__).resolve().parent / "ocsp_response"
# Ahead, so that the certificates that are made meanwhile are valid then.
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(
    minutes=10)
SERIAL = 0x1001
OCSP = "1.3.6.1.5.5.7.48.1."
SHA1, SHA256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
ECDSA_SHA256 = seq(oid("1.2.840.10045.4.3.2"))
SIGNS = IDS + "keyUsage = critical, digitalSignature\nextendedKeyUsage = OCSPSigning\n"
GOOD, UNKNOWN = tlv(0x80), tlv(0x82)
NULL = tlv(0x05)


def minutes(count):
    return NOW + datetime.timedelta(minutes=count)


def revoked(at=-600, reason=1):
    why = b"" if reason is None else explicit(0, tlv(0x0A, bytes([reason])))
    return tlv(0xA1, generalized_time(minutes(at)), why)


class Party:
    """A certificate and its key."""

    def __init__(self, der, key):
        self.der, self.key = der, key
        fields = elements(content(elements(content(der))[0]))
        self.name = fields[5]
        self.public_key = content(elements(content(fields[6]))[1])[1:]


def digest(data, name="sha1"):
    return openssl("dgst", f"-{name}", "-binary", stdin=data)


class Responses:
    def __init__(self, maker):
        self.maker = maker
        pem = maker.root("ca", "/CN=Test CA")
        self.ca = Party(openssl("x509", "-in", pem, "-outform", "DER"), maker.key("ca"))
        self.ca_pem = pem
        self.responder = self.issued("responder", SIGNS + "noCheck = ignored\n")
        maker.write("issuer.der", self.ca.der)

    def issued(self, name, extensions, ca=None, options=(), key=None):
        key = key or self.maker.key(name)
        der = self.maker.issued(name, ca or self.ca_pem, extensions, options=options, key=key)
        return Party(der, key)

    def cert_id(self, serial=SERIAL, issuer=None, algorithm=SHA1, name="sha1"):
        issuer = issuer or self.ca
        return seq(seq(oid(algorithm), NULL), octets(digest(issuer.name, name)),
                   octets(digest(issuer.public_key, name)), integer(serial))

    def single(self, status=GOOD, this=0, next=60, id=None, extensions=b""):
        end = b"" if next is None else explicit(0, generalized_time(minutes(next)))
        return seq(id or self.cert_id(), status, generalized_time(minutes(this)), end, extensions)

    def data(self, *singles, signer=None, by_key=False, produced=0, extensions=b""):
        signer = signer or self.ca
        who = (explicit(2, octets(digest(signer.public_key))) if by_key
               else explicit(1, signer.name))
        when = generalized_time(minutes(produced))
        return seq(who, when, seq(*(singles or [self.single()])), extensions)

    def basic(self, data, signer=None, certificates=None, algorithm=ECDSA_SHA256, name="sha256"):
        signer = signer or self.ca
        with_certificates = certificates is not None
        certs = explicit(0, seq(*certificates)) if with_certificates else b""
        return seq(data, algorithm, bits(signature(signer.key, data, name)), certs)

    def write(self, file, basic, type=OCSP + "1"):
        return self.maker.write(file + ".der", seq(
            tlv(0x0A, b"\0"), explicit(0, seq(oid(type), octets(basic)))))

    def by_ca(self, file, *singles, **how):
        return self.write(file, self.basic(self.data(*singles, **how)))

    def by(self, file, signer, *singles, embed=True, **how):
        data = self.data(*singles, signer=signer, **how)
        return self.write(file, self.basic(data, signer, [signer.der] if embed else None))


def ask_openssl(responses):
    """Responses as openssl ocsp writes them."""
    work, maker = responses.maker.work, responses.maker
    index = work / "index.txt"
    index.write_text("V\t491231235959Z\t\t1001\tunknown\t/CN=a\n"
                     "R\t491231235959Z\t260101000000Z,keyCompromise\t2002\tunknown\t/CN=b\n")
    responder = work / "responder.pem"
    responder.write_bytes(openssl("x509", "-inform", "DER", stdin=responses.responder.der))

    def ask(file, *arguments, serials=("0x1001",), hash="-sha1", signer=responder,
            nonce="-no_nonce"):
        wanted = [part for serial in serials for part in ("-serial", serial)]
        request = work / "request.der"
        openssl("ocsp", "-issuer", responses.ca_pem, hash, *wanted, nonce, "-reqout", request)
        openssl("ocsp", "-index", index, "-CA", responses.ca_pem, "-rsigner", signer, "-rkey",
                maker.key(signer.stem), "-reqin", request, "-respout", maker.out / f"{file}.der",
                "-nmin", "60", *arguments)
    ask("good_openssl_by_ca", signer=responses.ca_pem)
    ask("good_openssl_by_ca_without_certificates", "-resp_no_certs", signer=responses.ca_pem)
    ask("good_openssl_delegated")
    ask("good_openssl_delegated_by_key", "-resp_key_id")
    ask("good_openssl_nonce", nonce="-nonce")
    ask("good_openssl_several", serials=("0x1001", "0x2002", "0x3003"))
    for name in ("sha256", "sha384", "sha512"):
        ask(f"good_openssl_{name}", hash=f"-{name}")
    ask("refused_algorithm_refused_sha1", "-rmd", "sha1")
    index.write_text("R\t491231235959Z\t260101000000Z,keyCompromise\t1001\tunknown\t/CN=b\n")
    ask("revoked_openssl")
    index.write_text("")
    ask("unknown_openssl")
    for file, status in {"malformed_request": 1, "internal_error": 2, "try_later": 3,
                         "sig_required": 5, "unauthorized": 6}.items():
        maker.write(f"error_{file}.der", seq(tlv(0x0A, bytes([status]))))


def make_good(r):
    r.by_ca("good_by_key", by_key=True)
    r.by_ca("good_without_next_update", r.single(next=None))
    r.by_ca("good_four_minutes_ahead", r.single(this=4), produced=-1)
    r.by_ca("good_remarks", r.single(extensions=explicit(1, seq(
        extension(OCSP + "6", generalized_time(minutes(-9999)), critical=True),
        extension("1.2.3", NULL)))), extensions=explicit(1, seq(extension(OCSP + "9", NULL))))
    r.by_ca("good_newer_than_revoked", r.single(revoked(), this=-60), r.single())
    r.by_ca("revoked_without_reason", r.single(revoked(reason=None)))
    r.by_ca("revoked_newer_than_good", r.single(), r.single(revoked(reason=6), this=1))
    r.by_ca("revoked_as_old_as_good", r.single(), r.single(revoked()), r.single(UNKNOWN))
    r.by_ca("revoked_under_another_hash", r.single(), r.single(
        revoked(), id=r.cert_id(algorithm=SHA256, name="sha256")))
    r.by_ca("unknown_as_old_as_good", r.single(), r.single(UNKNOWN))
    r.by_ca("unknown_by_ca", r.single(UNKNOWN))
    rsa = r.issued("rsa", SIGNS, key=r.maker.key("rsa", "-algorithm", "RSA"))
    data = r.data(signer=rsa)
    r.write("good_delegated_rsa", r.basic(data, rsa, [rsa.der], seq(
        oid("1.2.840.113549.1.1.11"), NULL)))
    trusted = Party(openssl("x509", "-in", r.maker.root("trusted", "/CN=Trusted", SIGNS[len(IDS):]),
                            "-outform", "DER"), r.maker.key("trusted"))
    r.maker.write("trusted_responder.der", trusted.der)
    r.by("good_trusted", trusted)
    r.by("good_trusted_by_key_not_embedded", trusted, embed=False, by_key=True)
    # The one that is entitled comes last, behind others of its name.
    r.write("good_among_others_of_the_name", r.basic(
        r.data(signer=r.responder), r.responder,
        [r.issued("responder", IDS, key=r.maker.key("x")).der, r.ca.der, r.responder.der]))


def make_not_authorized(r):
    def by(reason, extensions, **how):
        party = r.issued(reason, extensions, **how)
        r.by(f"refused_responder_not_authorized_{reason}", party)
    by("no_eku", IDS + "keyUsage = digitalSignature\n")
    by("any_eku", IDS + "extendedKeyUsage = anyExtendedKeyUsage\n")
    by("no_digital_signature", IDS + "keyUsage = keyEncipherment\nextendedKeyUsage = OCSPSigning\n")
    by("critical_extension", SIGNS + "1.2.3.4 = critical, ASN1:NULL\n")
    sibling = r.maker.root("sibling", "/CN=Test CA")
    by("issued_by_sibling", SIGNS, ca=sibling)
    by("issued_by_sibling_without_key_id", SIGNS.replace(IDS, "") +
       "authorityKeyIdentifier = none\n", ca=sibling)
    under = r.maker.work / "under.pem"
    under.write_bytes(openssl("x509", "-inform", "DER",
                              stdin=r.maker.issued("under", r.ca_pem, IDS + CA)))
    by("issued_by_ca_below", SIGNS, ca=under)
    r.by("refused_responder_not_authorized_not_embedded", r.responder, embed=False)
    for name, first, last in (("expired", -9000, -10), ("not_yet_valid", 10, 9000)):
        party = r.issued(name, SIGNS)
        dates = seq(generalized_time(minutes(first)), generalized_time(minutes(last)))
        party.der = r.maker.resigned(party.der, r.ca.key,
                                     lambda tbs: tbs[:4] + [dates] + tbs[5:])
        r.by(f"refused_responder_not_authorized_{name}", party)
    web = "extendedKeyUsage = serverAuth\n"
    other = Party(openssl("x509", "-in", r.maker.root("web", "/CN=Web", web), "-outform", "DER"),
                  r.maker.key("web"))
    r.maker.write("trusted_responder_for_web.der", other.der)
    r.by("refused_responder_not_authorized_trusted_for_web", other)
    r.by("refused_algorithm_refused_certificate", r.issued("old", SIGNS, options=("-sha1",)))


def make_refused(r):
    make_not_authorized(r)
    data = r.data()
    right = bytearray(r.basic(data))
    right[-1] ^= 1
    r.write("refused_signature_wrong_last_octet", bytes(right))
    r.write("refused_signature_wrong_other_key", r.basic(data, r.responder))
    r.write("refused_signature_wrong_delegated", r.basic(
        r.data(signer=r.responder), r.ca, [r.responder.der]))
    r.write("refused_algorithm_mismatch_rsa", r.basic(
        data, algorithm=seq(oid("1.2.840.113549.1.1.11"), NULL)))
    critical = explicit(1, seq(extension("1.2.3.4", NULL, critical=True)))
    r.by_ca("refused_unknown_critical_extension_of_response", extensions=critical)
    r.by_ca("refused_unknown_critical_extension_of_single", r.single(extensions=critical))
    sibling = Party(openssl("x509", "-in", r.maker.work / "sibling.pem", "-outform", "DER"), None)
    theirs = r.cert_id(issuer=sibling)
    r.by_ca("refused_cert_id_mismatch_other_key", r.single(id=theirs))
    r.by_ca("refused_cert_id_mismatch_one_of_two", r.single(), r.single(id=theirs))
    r.by_ca("refused_cert_id_mismatch_unknown_hash", r.single(
        id=r.cert_id(algorithm="2.16.840.1.101.3.4.2.4", name="sha224")))
    r.by_ca("refused_not_yet_valid_this_update", r.single(this=7), produced=0)
    r.by_ca("refused_not_yet_valid_second", r.single(), r.single(this=7))
    r.by_ca("refused_expired", r.single(this=-60, next=-1))
    r.by_ca("refused_expired_second", r.single(), r.single(this=-60, next=-1))
    r.by_ca("refused_expired_before_this_update", r.single(this=4, next=3))


def make_malformed(r):
    good = r.by_ca("good_by_ca")
    data = r.data()
    fields = elements(content(data))
    basic = r.basic(data, certificates=[])
    r.write("good_no_certificate_in_the_list", basic)

    def write(name, der):
        r.maker.write(f"malformed_{name}.der", der)

    def with_data(name, *parts):
        r.write(f"malformed_{name}", r.basic(seq(*parts)))

    def with_single(name, *parts):
        with_data(name, *fields[:2], seq(seq(*parts)))
    write("empty", b"")
    write("html", b"<html>")
    write("cut_off", good[:-1])
    write("behind_the_end", good + b"\0")
    write("status_4", seq(tlv(0x0A, b"\4")))
    write("status_of_two_octets", seq(tlv(0x0A, b"\0\0")))
    write("successful_without_response", seq(tlv(0x0A, b"\0")))
    write("error_with_response", seq(tlv(0x0A, b"\3"), *elements(content(good))[1:]))
    r.write("malformed_response_type", basic, type=OCSP + "2")
    r.write("malformed_behind_the_basic_response", basic + NULL)
    with_data("version_v1_written", explicit(0, integer(0)), *fields)
    with_data("no_responder", *fields[1:])
    with_data("responder_key_of_32_octets", explicit(2, octets(b"k" * 32)), *fields[1:])
    with_data("responder_no_name", explicit(1, seq(seq())), *fields[1:])
    with_data("produced_at_utc_time", fields[0], tlv(0x17, b"260101000000Z"), fields[2])
    with_data("no_responses", *fields[:2], seq())
    with_data("responses_257", *fields[:2], seq(*[r.single()] * 257))
    with_data("behind_the_data", *fields, NULL)
    with_data("extensions_empty", *fields, explicit(1, seq()))
    for name, value in {"empty": octets(), "of_129_octets": octets(b"n" * 129),
                        "raw": b"nonce", "trailing": octets(b"n") + NULL}.items():
        with_data(f"nonce_{name}", *fields, explicit(1, seq(extension(OCSP + "2", value))))
    with_data("nonce_twice", *fields, explicit(1, seq(*[extension(OCSP + "2", octets(b"n"))] * 2)))
    id, when = r.cert_id(), generalized_time(minutes(0))
    with_single("cert_id_sha1_of_32_octets", seq(
        seq(oid(SHA1)), octets(b"n" * 32), octets(b"k" * 32), integer(1)), GOOD, when)
    with_single("status_3", id, tlv(0x83), when)
    with_single("good_with_content", id, tlv(0x80, b"x"), when)
    with_single("reason_7", id, revoked(reason=7), when)
    with_single("revoked_without_time", id, tlv(0xA1), when)
    with_single("time_with_fraction", id, GOOD, tlv(0x18, b"20260101000000.5Z"))
    with_single("next_update_trailing", id, GOOD, when, explicit(0, when, when))
    with_single("behind_the_single", id, GOOD, when, NULL)
    parts = elements(content(basic))
    r.write("malformed_signature_unused_bits", seq(
        *parts[:2], tlv(3, b"\1" + content(parts[2])[1:])))
    r.write("malformed_behind_the_certificates", basic[:0] + seq(*parts, NULL))
    r.write("malformed_certificates_9", r.basic(data, certificates=[r.ca.der] * 9))
    r.write("malformed_certificate", r.basic(data, certificates=[r.ca.der, seq()]))


def main():
    with tempfile.TemporaryDirectory() as work:
        responses = Responses(Maker(work, OUT))
        ask_openssl(responses)
        make_good(responses)
        make_refused(responses)
        make_malformed(responses)


if __name__ == "__main__":
    main()
