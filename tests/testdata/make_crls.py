#!/usr/bin/env python3
"""Makes crl/*.der and the seeds fuzz/corpus/crl/*: CRLs named by their verdict.

  good_*               verifies under its issuer at 2026-11-22T12:00:00Z
  malformed_*          is no CRL
  refused_REASON_*     is one, and no evidence; for base_mismatch and scope_mismatch: a delta CRL
                       that does not fit good_complete

The keys crl/*.key are for nothing but these files and are made when they are missing. With them the
output is the same each time: signatures are RSA PKCS #1, PSS without salt, or Ed25519.
"""

import base64
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "crl"
SEEDS = HERE.parent / "fuzz" / "corpus" / "crl"


def tlv(tag, *parts):
    content = b"".join(parts)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def sequence(*parts):
    return tlv(0x30, *parts)


def oid(dotted):
    arcs = [int(arc) for arc in dotted.split(".")]
    content = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        octets = [arc & 0x7f]
        while arc := arc >> 7:
            octets.insert(0, 0x80 | arc & 0x7f)
        content += bytes(octets)
    return tlv(0x06, content)


def integer(number):
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def utc(text):
    return tlv(0x17, text.encode())


def generalized(text):
    return tlv(0x18, text.encode())


def name(common_name):
    return sequence(tlv(0x31, sequence(oid("2.5.4.3"), tlv(0x0c, common_name.encode()))))


def extension(dotted, value, critical=False):
    return sequence(oid(dotted), tlv(0x01, b"\xff") if critical else b"", tlv(0x04, value))


def reason(number):
    return extension("2.5.29.21", tlv(0x0a, bytes([number])))


def entry(serial, *extensions, date=utc("261120101112Z")):
    return sequence(integer(serial), date, sequence(*extensions) if extensions else b"")


def number(value):
    return extension("2.5.29.20", integer(value))


def delta_of(value):
    return extension("2.5.29.27", integer(value), critical=True)


def issuing_point(*fields):
    return extension("2.5.29.28", sequence(*fields), critical=True)


NULL = b"\x05\x00"
TRUE = b"\xff"
RSA_SHA256 = sequence(oid("1.2.840.113549.1.1.11"), NULL)
RSA_SHA1 = sequence(oid("1.2.840.113549.1.1.5"), NULL)
RSA_MD5 = sequence(oid("1.2.840.113549.1.1.4"), NULL)
ED25519 = sequence(oid("1.3.101.112"))
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), NULL)
PSS_SHA256 = sequence(
    oid("1.2.840.113549.1.1.10"),
    sequence(tlv(0xa0, SHA256), tlv(0xa1, sequence(oid("1.2.840.113549.1.1.8"), SHA256)),
             tlv(0xa2, integer(0))))

SIGNING = {
    RSA_SHA256: ("rsa", ["dgst", "-sha256"], []),
    RSA_SHA1: ("rsa", ["dgst", "-sha1"], []),
    RSA_MD5: ("rsa", ["dgst", "-md5"], []),
    PSS_SHA256: ("rsa", ["dgst", "-sha256"],
                 ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:0"]),
}


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def key_file(kind):
    path = OUT / f"{kind}.key"
    if not path.exists():
        bits = ["-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else []
        openssl("genpkey", "-algorithm", kind, *bits, "-out", str(path))
    return str(path)


def signature(algorithm, signed):
    with tempfile.NamedTemporaryFile() as file:
        file.write(signed)
        file.flush()
        if algorithm == ED25519:
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key_file("ed25519"),
                           "-in", file.name)
        kind, command, options = SIGNING[algorithm]
        return openssl(*command, "-sign", key_file(kind), *options, file.name)


def signed(tbs, algorithm, outer=None, damage=False):
    octets = bytearray(signature(algorithm, tbs))
    octets[-1] ^= 1 if damage else 0
    return sequence(tbs, outer or algorithm, tlv(0x03, b"\x00", bytes(octets)))


def certificate(kind, algorithm, key_usage):
    spki = openssl("pkey", "-in", key_file(kind), "-pubout", "-outform", "DER")
    extensions = sequence(
        extension("2.5.29.19", sequence(tlv(0x01, TRUE)), critical=True),
        extension("2.5.29.15", tlv(0x03, key_usage), critical=True),
        extension("2.5.29.14", tlv(0x04, b"issuer-key")))
    tbs = sequence(tlv(0xa0, integer(2)), integer(1), algorithm, name("Issuer"),
                   sequence(utc("260101000000Z"), utc("360101000000Z")), name("Issuer"), spki,
                   tlv(0xa3, extensions))
    return signed(tbs, algorithm)


def crl(entries=b"", extensions=number(5), version=integer(1), algorithm=RSA_SHA256,
        issuer=name("Issuer"), this_update=utc("261121000000Z"), next_update=utc("261128000000Z"),
        after=b"", **how):
    tbs = sequence(version, algorithm, issuer, this_update, next_update,
                   sequence(entries) if entries is not None else b"",
                   tlv(0xa0, sequence(extensions)) if extensions else b"", after)
    return signed(tbs, algorithm, **how)


URL = tlv(0xa0, tlv(0xa0, tlv(0x86, b"http://cdn.test/1.crl")))
RELATIVE = tlv(0xa0, tlv(0xa1, sequence(oid("2.5.4.3"), tlv(0x0c, b"CRL1"))))
ONLY_USERS = tlv(0x81, TRUE)
KEY_ID = extension("2.5.29.35", sequence(tlv(0x80, b"issuer-key")))
OTHER_KEY_ID = extension("2.5.29.35", sequence(tlv(0x80, b"other-key")))
OTHER_ISSUER = extension("2.5.29.29", sequence(tlv(0xa4, name("Other"))), critical=True)
UNKNOWN_CRITICAL = extension("1.2.3.4", b"\x05\x00", critical=True)
NEXT_PUBLISH = extension("1.3.6.1.4.1.311.21.4", utc("261127000000Z"))
FRESHEST = extension("2.5.29.46", sequence(sequence(URL)))
SOME = entry(0x10, reason(1)) + entry(0x11) + entry(0x80ff, reason(6))


def pem(octets):
    return (b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(octets) +
            b"-----END X509 CRL-----\n")


def good():
    invalidity = extension("2.5.29.24", generalized("20261101000000Z"))
    hold = extension("2.5.29.23", oid("1.2.840.10040.2.3"))
    return {
        "complete": crl(SOME),
        "without_list": crl(None),
        "with_empty_list": crl(b""),
        "version_1": crl(entry(1), b"", version=b""),
        "every_extension": crl(SOME, number(5) + KEY_ID + NEXT_PUBLISH + FRESHEST +
                               extension("1.2.3.4", b"not critical")),
        "every_entry_extension": crl(entry(1, reason(6), hold, invalidity)),
        "every_reason": crl(b"".join(entry(0x100 + r, reason(r)) for r in range(12))),
        "serial_of_20_octets": crl(entry((1 << 158) + 7)),
        "serial_of_64_octets": crl(entry((1 << 500) + 7)),
        "serial_of_zero": crl(entry(0)),
        "serial_twice": crl(entry(7, reason(8)) + entry(7, reason(6))),
        "generalized_times": crl(entry(1, date=generalized("20510101000000Z")),
                                 this_update=generalized("20261121000000Z"),
                                 next_update=generalized("20511121000000Z")),
        "partition": crl(SOME, number(5) + issuing_point(URL, ONLY_USERS)),
        "partition_by_relative_name": crl(SOME, number(5) + issuing_point(RELATIVE)),
        "number_of_20_octets": crl(SOME, number((1 << 158) + 1)),
        "without_number": crl(SOME, KEY_ID),
        "pss": crl(SOME, algorithm=PSS_SHA256),
        "ed25519": crl(SOME, algorithm=ED25519),
        "delta": crl(entry(0x10, reason(8)), number(6) + delta_of(5)),
    }


def refused():
    return {
        "unsupported_version_1_with_extensions": crl(SOME, version=b""),
        "unsupported_version_3": crl(SOME, version=integer(2)),
        "algorithm_mismatch_outside": crl(SOME, outer=sequence(oid("1.2.840.113549.1.1.12"), NULL)),
        "algorithm_refused_md5": crl(SOME, algorithm=RSA_MD5),
        "algorithm_refused_sha1": crl(SOME, algorithm=RSA_SHA1),
        "signature_wrong_damaged": crl(SOME, damage=True),
        "issuer_unknown_name": crl(SOME, issuer=name("Other")),
        "issuer_unknown_key_identifier": crl(SOME, number(5) + OTHER_KEY_ID),
        "issuer_not_entitled_key_usage": crl(SOME),
        "unknown_critical_extension_of_the_crl": crl(SOME, number(5) + UNKNOWN_CRITICAL),
        "unknown_critical_extension_of_an_entry": crl(entry(1, UNKNOWN_CRITICAL)),
        "indirect_crl_by_point": crl(SOME, number(5) + issuing_point(tlv(0x84, TRUE))),
        "indirect_crl_by_entry": crl(entry(1, OTHER_ISSUER) + SOME),
        "only_some_reasons_point": crl(SOME, number(5) + issuing_point(tlv(0x83, b"\x01\x40"))),
        "not_yet_valid_tomorrow": crl(SOME, this_update=utc("261123000000Z")),
        "expired_yesterday": crl(SOME, next_update=utc("261121120000Z")),
        "no_next_update_at_all": crl(SOME, next_update=b""),
        "base_mismatch_newer_base": crl(SOME, number(7) + delta_of(6)),
        "base_mismatch_not_newer": crl(SOME, number(5) + delta_of(4)),
        "base_mismatch_no_delta": crl(SOME, number(6)),
        "scope_mismatch_other_point": crl(SOME, number(6) + delta_of(5) + issuing_point(ONLY_USERS)),
    }


def malformed():
    whole = crl(SOME)
    bad_entry = sequence(integer(1))
    return {
        "empty": b"",
        "html": b"<html><body>503 Service Unavailable</body></html>",
        "truncated": whole[:-10],
        "data_behind": whole + b"\x00",
        "indefinite_length": b"\x30\x80" + whole[4:] + b"\x00\x00",
        "long_length": b"\x30\x84\x00\x00" + whole[2:],
        "signature_with_unused_bits": whole.replace(b"\x03\x82\x01\x01\x00", b"\x03\x82\x01\x01\x01"),
        "version_0": crl(SOME, version=integer(0)),
        "no_dates": crl(SOME, this_update=b"", next_update=b""),
        "date_that_does_not_exist": crl(SOME, next_update=utc("260230000000Z")),
        "date_without_seconds": crl(entry(1, date=utc("2611201011Z"))),
        "date_with_offset": crl(entry(1, date=utc("261120101112+0100"))),
        "entry_without_date": crl(SOME + bad_entry + SOME),
        "serial_not_minimal": crl(sequence(b"\x02\x02\x00\x01", utc("261120101112Z"))),
        "serial_of_65_octets": crl(entry((1 << 519) - 1)),
        "entry_extension_twice": crl(entry(1, reason(1), reason(1))),
        "reason_that_is_no_enumerated": crl(entry(1, extension("2.5.29.21", integer(1)))),
        "extension_twice": crl(SOME, number(5) + number(6)),
        "number_of_21_octets": crl(SOME, number(1 << 166)),
        "negative_number": crl(SOME, extension("2.5.29.20", b"\x02\x01\xff")),
        "point_for_disjoint_kinds": crl(SOME, issuing_point(ONLY_USERS, tlv(0x82, TRUE))),
        "point_with_bad_boolean": crl(SOME, issuing_point(tlv(0x81, b"\x01"))),
        "empty_extensions": crl(SOME, b"", after=tlv(0xa0, sequence())),
        "data_behind_extensions": crl(SOME, after=NULL),
    }


def main():
    OUT.mkdir(exist_ok=True)
    SEEDS.mkdir(parents=True, exist_ok=True)
    for verdict in ("good", "refused", "malformed"):
        for stale in [*OUT.glob(f"{verdict}_*"), *SEEDS.glob(f"{verdict}_*")]:
            stale.unlink()
    # keyCertSign and cRLSign; keyCertSign alone.
    (OUT / "issuer.der").write_bytes(certificate("rsa", RSA_SHA256, b"\x01\x06"))
    (OUT / "issuer_ed25519.der").write_bytes(certificate("ed25519", ED25519, b"\x01\x06"))
    (OUT / "issuer_without_crl_sign.der").write_bytes(certificate("rsa", RSA_SHA256, b"\x02\x04"))
    for verdict, files in (("good", good()), ("refused", refused()), ("malformed", malformed())):
        for what, octets in files.items():
            (OUT / f"{verdict}_{what}.der").write_bytes(octets)
            (SEEDS / f"{verdict}_{what}").write_bytes(octets)
    (SEEDS / "good_pem").write_bytes(pem(crl(SOME)))


if __name__ == "__main__":
    main()
