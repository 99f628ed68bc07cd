#!/usr/bin/env python3
"""Makes chain/: certificates, CRLs and OCSP responses of a small hierarchy, for chain_test and
diagnosis_test. Dates are fixed but for those of OCSP responses, which openssl takes from the clock:
the tests judge as of 2026-12-01, or later where they say so. Keys are new each time.

    root ── issuing (names no CDP) ── user, user_revoked, user_hold, …
      ├──── issuing_cdp (the same key, names a CDP)
      └──── sub_too_deep (below issuing) ── user_too_deep
"""

import pathlib
import shutil
import subprocess
import tempfile

OUT = pathlib.Path(__file__).resolve().parent / "chain"
CRL_URL = "http://cdn.test/issuing.crl"
CONFIG = """
[ca]
default_ca = x
[x]
database = {dir}/index.txt
new_certs_dir = {dir}
serial = {dir}/serial
crlnumber = {dir}/crlnumber
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[ca_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[issuing_cdp]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://cdn.test/root.crl
[constrained]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
nameConstraints = critical,permitted;DNS:example.test
[no_cert_sign]
basicConstraints = critical,CA:TRUE
keyUsage = critical,cRLSign
subjectKeyIdentifier = hash
[user]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:anna@contoso.test
crlDistributionPoints = URI:{url}
[user_ocsp]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
subjectAltName = DNS:pc1.contoso.test
authorityInfoAccess = OCSP;URI:http://ocsp.test/
[critical]
basicConstraints = critical,CA:FALSE
1.3.6.1.4.1.55555.1 = critical,ASN1:NULL
[poor]
basicConstraints = critical,CA:FALSE
keyUsage = critical,nonRepudiation
extendedKeyUsage = serverAuth
[responder]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
[crl]
authorityKeyIdentifier = keyid
[crl_partition]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@idp_here
[crl_other_partition]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@idp_elsewhere
[crl_users]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@idp_users
[crl_cas]
authorityKeyIdentifier = keyid
issuingDistributionPoint = critical,@idp_cas
[idp_here]
fullname = URI:{url}
[idp_elsewhere]
fullname = URI:http://cdn.test/another.crl
[idp_users]
onlyuser = TRUE
[idp_cas]
onlyCA = TRUE
[crl_delta]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,ASN1:INTEGER:0x10
"""
START, END = "20260101000000Z", "20261231000000Z"
CA_END = "20360101000000Z"
CRL_START, CRL_END = "20261120000000Z", "20261220000000Z"


class Maker:
    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        self.config = self.dir / "openssl.cnf"
        self.config.write_text(CONFIG.format(dir=self.dir, url=CRL_URL))
        self.serials = {}

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def path(self, name, ending="pem"):
        return self.dir / f"{name}.{ending}"

    def key(self, name, kind="ec"):
        options = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"] if kind == "rsa1024" else \
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("genpkey", *options, "-out", self.path(name, "key"))

    def certificate(self, name, issuer, extensions, subject=None, end=END, key=None, kind="ec",
                    digest="sha256"):
        key = key or name
        if not self.path(key, "key").exists():
            self.key(key, kind)
        self.openssl("req", "-new", "-key", self.path(key, "key"), "-subj", f"/CN={subject or name}",
                     "-config", self.config, "-out", self.path(name, "csr"))
        serial = self.serials[name] = f"{0x1000 + len(self.serials):04X}"
        (self.dir / "serial").write_text(serial + "\n")
        (self.dir / "index.txt").write_text("")
        signer = ["-selfsign"] if issuer == name else ["-cert", self.path(issuer)]
        self.openssl("ca", "-batch", "-config", self.config, "-extensions", extensions, "-notext",
                     "-startdate", START, "-enddate", end, "-md", digest, *signer, "-keyfile",
                     self.path(key if issuer == name else issuer, "key"), "-in",
                     self.path(name, "csr"), "-out", self.path(name))
        return self.path(name)

    def index(self, revoked):
        lines = [f"R\t361231235959Z\t261125120000Z,{reason}\t{self.serials[name]}\tunknown\t/CN={name}\n"
                 for name, reason in revoked.items()]
        (self.dir / "index.txt").write_text("".join(lines))

    def crl(self, name, issuer, revoked=None, number=0x10, extensions="crl", start=CRL_START,
            end=CRL_END, digest="sha256"):
        self.index(revoked or {})
        (self.dir / "crlnumber").write_text(f"{number:02X}\n")
        self.openssl("ca", "-config", self.config, "-gencrl", "-crlexts", extensions, "-md", digest,
                     "-crl_lastupdate", start, "-crl_nextupdate", end, "-cert", self.path(issuer),
                     "-keyfile", self.path(issuer, "key"), "-out", self.path(name, "crl.pem"))
        self.openssl("crl", "-in", self.path(name, "crl.pem"), "-outform", "DER", "-out",
                     self.path(name, "crl"))

    def ocsp(self, name, certificate, issuer, status, signer=None, days=3650):
        signer = signer or issuer
        serial = self.serials[certificate]
        (self.dir / "ocsp.txt").write_text({
            "good": f"V\t361231235959Z\t\t{serial}\tunknown\t/CN=x\n",
            "revoked": f"R\t361231235959Z\t261125120000Z,keyCompromise\t{serial}\tunknown\t/CN=x\n",
            "unknown": ""}[status])
        self.openssl("ocsp", "-issuer", self.path(issuer), "-cert", self.path(certificate),
                     "-no_nonce", "-reqout", self.path("request", "der"))
        self.openssl("ocsp", "-index", self.dir / "ocsp.txt", "-CA", self.path(issuer), "-rsigner",
                     self.path(signer), "-rkey", self.path(signer, "key"), "-ndays", days, "-reqin",
                     self.path("request", "der"), "-respout", self.path(name, "ocsp"))


def certificates(make):
    make.certificate("root", "root", "ca_extensions", "Test Root", CA_END)
    make.certificate("root_renewed", "root_renewed", "ca_extensions", "Test Root", CA_END)
    make.certificate("issuing", "root", "issuing", "Test Issuing", CA_END)
    make.certificate("issuing_cdp", "root", "issuing_cdp", "Test Issuing", CA_END, key="issuing")
    make.certificate("issuing_expired", "root", "issuing", "Test Issuing", "20260601000000Z",
                     key="issuing")
    make.certificate("user", "issuing", "user")
    make.certificate("user_revoked", "issuing", "user")
    make.certificate("user_hold", "issuing", "user")
    make.certificate("user_expired", "issuing", "user", end="20260601000000Z")
    make.certificate("user_long", "issuing", "user", end="20280101000000Z")
    make.certificate("user_ocsp", "issuing", "user_ocsp")
    make.certificate("user_sha1", "issuing", "user", digest="sha1")
    make.certificate("user_poor", "issuing", "poor", kind="rsa1024")
    make.certificate("user_critical", "issuing", "critical")
    make.certificate("user_of_user", "user", "user")
    make.certificate("sub_too_deep", "issuing", "ca_extensions", "Sub", CA_END)
    make.certificate("user_too_deep", "sub_too_deep", "user")
    make.certificate("no_cert_sign", "root", "no_cert_sign", "No Sign", CA_END)
    make.certificate("user_of_no_sign", "no_cert_sign", "user")
    make.certificate("constrained", "root", "constrained", "Constrained", CA_END)
    make.certificate("user_of_constrained", "constrained", "user")
    make.certificate("responder", "issuing", "responder", end=CA_END)
    make.certificate("stranger", "stranger", "responder", end=CA_END)


def evidence(make):
    revoked = {"user_revoked": "keyCompromise", "user_hold": "certificateHold"}
    make.crl("root", "root")
    make.crl("root_revokes", "root", {"issuing": "cACompromise", "issuing_cdp": "cACompromise"})
    make.crl("issuing", "issuing", revoked)
    make.crl("issuing_newer", "issuing", {"user_revoked": "keyCompromise"}, number=0x11)
    make.crl("issuing_expired", "issuing", revoked, end="20261121000000Z")
    make.crl("issuing_ahead", "issuing", revoked, start="20261210000000Z")
    make.crl("issuing_sha1", "issuing", revoked, digest="sha1")
    make.crl("partition", "issuing", revoked, extensions="crl_partition")
    make.crl("other_partition", "issuing", {"user_revoked": "keyCompromise"},
             extensions="crl_other_partition")
    make.crl("users", "issuing", revoked, extensions="crl_users")
    make.crl("cas", "issuing", {}, extensions="crl_cas")
    make.crl("delta_revokes", "issuing", {"user": "superseded"}, 0x12, "crl_delta")
    make.crl("delta_lifts", "issuing", {"user_hold": "removeFromCRL"}, 0x12, "crl_delta")
    # Signed by another key of the issuer's name.
    shutil.copy(make.path("root_renewed"), make.path("impostor"))
    shutil.copy(make.path("root_renewed", "key"), make.path("impostor", "key"))
    make.crl("root_impostor", "impostor")
    make.ocsp("user_good", "user", "issuing", "good")
    make.ocsp("user_revoked", "user", "issuing", "revoked")
    make.ocsp("user_unknown", "user", "issuing", "unknown")
    make.ocsp("user_delegated", "user", "issuing", "good", signer="responder")
    make.ocsp("user_stranger", "user", "issuing", "good", signer="stranger")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        make = Maker(folder)
        certificates(make)
        evidence(make)
        for name in make.serials:
            shutil.copy(make.path(name), OUT)
        for ending in ("crl", "ocsp"):
            for file in make.dir.glob(f"*.{ending}"):
                shutil.copy(file, OUT)


if __name__ == "__main__":
    main()
