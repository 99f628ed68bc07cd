#!/usr/bin/env python3
"""Makes certificate/*: certificates named by verdict, and files that hold several.

  good_*              parse; every one but good_root_* and good_issuer_* was issued by good_root
  refused_<reason>_*  parse, but good_root (or, where there is one, the good_issuer_* of the same
                      ending) did not issue them: for this reason
  malformed_*         do not parse

Keys, and so signatures and key identifiers, are new each time.
"""

import pathlib
import tempfile

from asn1 import *

OUT = pathlib.Path(__file__).resolve().parent / "certificate"
DAYS = 36500

CA = "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
NO_IDS = "subjectKeyIdentifier = none\nauthorityKeyIdentifier = none\n"
IDS = "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n"

# What an Intune SCEP profile asks for.
USER = IDS + """basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:joerg@contoso.example, \
email:joerg@contoso.example, DNS:laptop7.contoso.example
crlDistributionPoints = @points
authorityInfoAccess = OCSP;URI:http://ocsp.contoso.example/, \
caIssuers;URI:http://pki.contoso.example/issuing.cer, caIssuers;email:pki@contoso.example
[points]
URI.1 = http://pki.contoso.example/current.crl
URI.2 = ldap:///CN=Contoso,CN=CDP?certificateRevocationList
"""

POINTS = IDS + """crlDistributionPoints = partial, indirect, relative
freshestCRL = URI:http://pki.contoso.example/delta.crl
[partial]
fullname = URI:http://pki.contoso.example/some.crl
reasons = keyCompromise, CACompromise
[indirect]
fullname = URI:http://pki.contoso.example/indirect.crl
CRLissuer = dirName:other
[relative]
relativename = part
[other]
CN = Other
[part]
CN = 7
"""

LEAVES = {
    "user": (USER, "/C=DE/O=Contoso/CN=J\u00f6rg"),
    "points": (POINTS, "/CN=points"),
    "ocsp_signer": (IDS + "keyUsage = digitalSignature\nextendedKeyUsage = critical, OCSPSigning\n"
                    "noCheck = ignored\n", "/CN=OCSP"),
    "issuing": (IDS + "basicConstraints = critical, CA:TRUE, pathlen:0\n"
                "keyUsage = critical, keyCertSign, cRLSign\n"
                "nameConstraints = critical, permitted;DNS:contoso.example\n",
                "/DC=example/DC=contoso/CN=Issuing"),
    "critical_unknown": ("1.2.3.4 = critical, ASN1:NULL\n1.2.3.5 = ASN1:NULL\n"
                         "policyConstraints = critical, requireExplicitPolicy:0\n", "/CN=odd"),
    "usages": ("keyUsage = decipherOnly, keyAgreement\n"
               "extendedKeyUsage = anyExtendedKeyUsage, 1.3.6.1.5.5.7.3.9\n", "/CN=usages"),
    "name_escaped": ("", "/O=Contoso, Ltd. \\/ \\+Co./OU= #1 \"x\" /CN=a;b<c>=d\\\\e"),
    "name_several_attributes": ("", "/O=Contoso/CN=x+UID=7"),
    "name_empty": ("", "/"),
}


class Maker:
    """Keys and certificates in the directory `work`; files of test data in an emptied `out`."""

    def __init__(self, work, out):
        self.work, self.out = pathlib.Path(work), out
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()

    def write(self, name, data):
        (self.out / name).write_bytes(data)
        return data

    def key(self, name, *options):
        path = self.work / f"{name}.key"
        if not path.exists():
            options = options or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
            openssl("genpkey", *options, "-out", path)
        return path

    def root(self, name, subject, extensions=CA, key=None, options=()):
        """Self-signed; gives the path of its PEM."""
        config = self.work / f"{name}.cnf"
        config.write_text("[req]\ndistinguished_name = dn\n[dn]\n[x]\n"
                          "subjectKeyIdentifier = hash\n" + extensions)
        pem = self.work / f"{name}.pem"
        openssl("req", "-new", "-x509", "-config", config, "-extensions", "x", "-key",
                key or self.key(name), "-subj", subject, "-days", DAYS, "-utf8", "-out", pem,
                *options)
        return pem

    def issued(self, name, ca, extensions="", subject=None, options=(), key=None):
        """Signed by `ca`; gives its DER."""
        config = self.work / f"{name}.cnf"
        config.write_text("[x]\n" + extensions)
        blank = self.work / "blank.cnf"
        blank.write_text("[req]\ndistinguished_name = dn\nstring_mask = utf8only\n[dn]\n")
        request = self.work / f"{name}.csr"
        openssl("req", "-new", "-config", blank, "-key", key or self.key(name), "-subj",
                subject or f"/CN={name}", "-utf8", "-multivalue-rdn", "-out", request)
        with_extensions = ("-extfile", config, "-extensions", "x") if extensions else ()
        return openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", self.key(ca.stem),
                       "-days", DAYS, "-set_serial", "0x7b" + "00" * 15, *with_extensions,
                       "-outform", "DER", *options)

    def resigned(self, der, ca_key, change):
        """`change` gets the list of the TBSCertificate's elements and gives another."""
        _, algorithm, _ = elements(content(der))
        tbs = seq(*change(elements(content(elements(content(der))[0]))))
        return seq(tbs, algorithm, bits(signature(ca_key, tbs)))


def make_good(maker, root):
    maker.write("good_root.der", openssl("x509", "-in", root, "-outform", "DER"))
    made = {name: maker.write(f"good_{name}.der", maker.issued(name, root, *row))
            for name, row in LEAVES.items()}
    maker.write("good_v1.der", maker.issued("v1", root))
    for name, options in {"rsa": ("-algorithm", "RSA"), "ed25519": ("-algorithm", "ED25519"),
                          "rsa_pss": ("-algorithm", "RSA-PSS")}.items():
        key = maker.key(f"root_{name}", *options)
        pem = maker.root(f"root_{name}", f"/CN=Root {name}", key=key)
        maker.write(f"good_root_{name}.der", openssl("x509", "-in", pem, "-outform", "DER"))

    key = maker.key(root.stem)
    user = made["user"]

    def with_serial(serial):
        return maker.resigned(user, key, lambda tbs: [tbs[0], tlv(2, serial)] + tbs[2:])
    maker.write("good_serial_negative.der", with_serial(b"\x80\x01"))
    maker.write("good_serial_leading_zero.der", with_serial(b"\x00\xff"))
    maker.write("good_critical_false.der", maker.resigned(user, key, lambda tbs: tbs[:-1] + [
        explicit(3, seq(extension("2.5.29.19", seq(tlv(1, b"\0")), critical=False)))]))
    zero_bits = explicit(3, seq(extension("2.5.29.15", tlv(3, b"\0\xa0\0"))))
    maker.write("good_key_usage_with_zero_bits.der",
                maker.resigned(user, key, lambda tbs: tbs[:-1] + [zero_bits]))
    unique = [tlv(0x81, b"\0a"), tlv(0x82, b"\0b")]
    maker.write("good_unique_identifiers.der",
                maker.resigned(user, key, lambda tbs: tbs[:-1] + unique + tbs[-1:]))
    folded = seq(set_of(seq(oid("2.5.4.3"), tlv(0x13, b"  TEST   root "))))
    maker.write("good_issuer_spelt_otherwise.der",
                maker.resigned(user, key, lambda tbs: tbs[:3] + [folded] + tbs[4:]))
    return made


def make_refused(maker, root, made):
    """good_root_other and good_issuer_* are issuers of their own."""
    key = maker.key(root.stem)
    user = made["user"]

    def write(reason, der):
        maker.write(f"refused_{reason}.der", der)
    sibling = maker.root("sibling", "/CN=Test root")
    maker.write("good_root_same_name.der", openssl("x509", "-in", sibling, "-outform", "DER"))
    write("issuer_unknown_key_id", maker.issued("s1", sibling, IDS))
    write("signature_wrong_sibling", maker.issued("s2", sibling, NO_IDS))
    stranger = maker.root("stranger", "/CN=Other root")
    write("issuer_unknown_name", maker.issued("s3", stranger, IDS))
    write("signature_wrong_last_octet", user[:-1] + bytes([user[-1] ^ 1]))
    sha384 = seq(oid("1.2.840.10045.4.3.3"))
    tbs, _, value = elements(content(user))
    write("algorithm_mismatch_outer", seq(tbs, sha384, value))
    write("algorithm_refused_sha1", maker.issued("s4", root, IDS, options=("-sha1",)))
    rsa = maker.root("md5", "/CN=Weak", key=maker.key("md5", "-algorithm", "RSA"))
    maker.write("good_issuer_md5.der", openssl("x509", "-in", rsa, "-outform", "DER"))
    write("algorithm_refused_md5", maker.issued("s5", rsa, options=("-md5",)))
    for ending, extensions in {
            "not_ca": "basicConstraints = critical, CA:FALSE\n",
            "no_constraints": "keyUsage = keyCertSign\n",
            "no_key_cert_sign":
                "basicConstraints = critical, CA:TRUE\nkeyUsage = cRLSign\n"}.items():
        pem = maker.root(ending, "/CN=Not entitled", extensions)
        maker.write(f"good_issuer_{ending}.der", openssl("x509", "-in", pem, "-outform", "DER"))
        write(f"issuer_not_entitled_{ending}", maker.issued("leaf_" + ending, pem, IDS))


def make_malformed(maker, root, made):
    key = maker.key(root.stem)
    user = made["user"]

    def write(name, change):
        maker.write(f"malformed_{name}.der", maker.resigned(user, key, change))

    def with_extensions(*extensions):
        return lambda tbs: tbs[:-1] + [explicit(3, seq(*extensions))]
    write("version_v1_written", lambda tbs: [explicit(0, integer(0))] + tbs[1:-1])
    write("version_4", lambda tbs: [explicit(0, integer(3))] + tbs[1:])
    write("extensions_in_v1", lambda tbs: tbs[1:])
    write("extensions_in_v2", lambda tbs: [explicit(0, integer(1))] + tbs[1:])
    write("unique_identifier_bits",
          lambda tbs: tbs[:-1] + [tlv(0x81, b"\0a"), tlv(0x82, b"\x2fb")] + tbs[-1:])
    write("unique_identifier_in_v1", lambda tbs: tbs[1:-1] + [tlv(0x81, b"\0a")])
    write("serial_not_minimal", lambda tbs: [tbs[0], tlv(2, b"\0\1")] + tbs[2:])
    write("serial_too_long", lambda tbs: [tbs[0], tlv(2, b"\1" * 65)] + tbs[2:])
    write("issuer_no_name", lambda tbs: tbs[:3] + [seq(seq())] + tbs[4:])
    write("issuer_empty_rdn", lambda tbs: tbs[:3] + [seq(set_of())] + tbs[4:])
    no_text = seq(set_of(seq(oid("2.5.4.3"), tlv(0x0C, b"\xff"))))
    write("issuer_no_utf8", lambda tbs: tbs[:3] + [no_text] + tbs[4:])
    write("date_with_fraction", lambda tbs: tbs[:4] + [
        seq(tlv(0x18, b"20200101000000.5Z"), tlv(0x18, b"20300101000000Z"))] + tbs[5:])
    write("validity_of_three", lambda tbs: tbs[:4] + [
        seq(*elements(content(tbs[4])), tlv(0x17, b"300101000000Z"))] + tbs[5:])
    write("extension_twice", with_extensions(*[extension("1.2.3", b"\5\0")] * 2))
    write("extensions_empty", with_extensions())
    write("extensions_65", with_extensions(*(extension(f"1.2.{n}", b"") for n in range(65))))
    write("behind_the_tbs", lambda tbs: tbs + [tlv(5)])
    uri = seq(explicit(0, explicit(0, tlv(0x86, b"http://a\0b/"))))
    write("url_with_nul", with_extensions(extension("2.5.29.31", seq(uri))))
    write("url_not_ascii", with_extensions(extension("1.3.6.1.5.5.7.1.1", seq(
        seq(oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, "http://\u00e4/".encode()))))))
    many = seq(*(tlv(0x86, b"http://a/") for _ in range(65)))
    write("urls_65", with_extensions(extension("2.5.29.31", seq(
        seq(explicit(0, explicit(0, content(many))))))))
    write("points_65", with_extensions(extension("2.5.29.31", seq(*([seq()] * 65)))))
    write("points_empty", with_extensions(extension("2.5.29.31", seq())))
    write("constraints_trailing", with_extensions(extension("2.5.29.19", seq() + tlv(5))))
    write("path_length_negative", with_extensions(
        extension("2.5.29.19", seq(tlv(1, b"\xff"), integer(-1)))))
    write("key_usage_unused_bits_set", with_extensions(extension("2.5.29.15", tlv(3, b"\4\xaf"))))
    write("key_purpose_no_oid", with_extensions(extension("2.5.29.37", seq(tlv(6, b"\x80\1")))))
    principal = seq(oid("1.3.6.1.4.1.311.20.2.3"), explicit(0, tlv(0x0C, b"\xff")))
    write("principal_name_no_utf8", with_extensions(
        extension("2.5.29.17", seq(tlv(0xA0, content(principal))))))
    write("alternative_name_no_name", with_extensions(extension("2.5.29.17", seq(integer(1)))))
    write("key_identifier_behind", with_extensions(extension("2.5.29.35", seq(integer(1)))))
    tbs, algorithm, value = elements(content(user))
    maker.write("malformed_signature_unused_bits.der",
                seq(tbs, algorithm, tlv(3, b"\1" + content(value)[1:])))
    maker.write("malformed_behind_the_end.der", user + b"\0")
    maker.write("malformed_behind_the_signature.der", seq(tbs, algorithm, value, tlv(5)))
    maker.write("malformed_cut_off.der", user[:-1])
    maker.write("malformed_indefinite_length.der", b"\x30\x80" + content(user) + b"\0\0")
    maker.write("malformed_empty.der", b"")
    maker.write("malformed_html.der", b"<!DOCTYPE html><title>Sign in</title>")


def make_files(maker, root, made):
    """Files of several certificates, for parse_certificates."""
    pems = [root.read_bytes()] + [openssl("x509", "-inform", "DER", stdin=made[name])
                                  for name in ("user", "issuing")]
    key = openssl("pkey", "-in", maker.key(root.stem), "-pubout")
    bundle = maker.work / "bundle.pem"
    bundle.write_bytes(b"".join(pems))
    maker.write("good_bundle.pem",
                b"Subject: root\n" + pems[0] + key + pems[1] + b"\n# x\n" + pems[2])
    maker.write("good_bundle_crlf.pem", b"".join(pems).replace(b"\n", b"\r\n"))
    pack = ("crl2pkcs7", "-nocrl", "-certfile", bundle)
    maker.write("good_bundle.p7b", openssl(*pack))
    packed = maker.write("good_bundle.p7c", openssl(*pack, "-outform", "DER"))
    cut = pems[1].splitlines(True)
    maker.write("malformed_second_block.pem", pems[0] + b"".join(cut[:3] + [b"!!!\n"] + cut[4:]))
    maker.write("malformed_second_certificate.pem", pems[0] + b"-----BEGIN CERTIFICATE-----\nMAA=\n"
                b"-----END CERTIFICATE-----\n")
    maker.write("malformed_no_end.pem", pems[0] + b"".join(cut[:-1]))
    maker.write("malformed_only_a_key.pem", key)
    broken = packed.replace(b"\x30\x03\x01\x01\xff", b"\x30\x03\x01\x01\x7f")
    maker.write("malformed_certificate_within.p7c", broken)
    maker.write("malformed_no_certificate.p7c", seq(oid("1.2.840.113549.1.7.2"), explicit(0, seq(
        integer(1), set_of(), seq(oid("1.2.840.113549.1.7.1")), set_of()))))
    maker.write("malformed_encrypted.p7c", seq(oid("1.2.840.113549.1.7.6"), explicit(0, seq())))


def main():
    with tempfile.TemporaryDirectory() as work:
        maker = Maker(work, OUT)
        root = maker.root("root", "/CN=Test root")
        made = make_good(maker, root)
        make_refused(maker, root, made)
        make_malformed(maker, root, made)
        make_files(maker, root, made)


if __name__ == "__main__":
    main()
