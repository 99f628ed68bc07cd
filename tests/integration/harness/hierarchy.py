"""A hierarchy like Cloud PKI's, with CRLs and OCSP answers of both CAs: root, issuing CA, users.

The issuing CA's certificate comes twice: as Cloud PKI makes it, without a CDP, and with one."""

import os
import shutil
import tempfile

from .pki import openssl

CONFIG = """
[ca]
default_ca = x
[x]
database = {directory}/index.txt
new_certs_dir = {directory}
serial = {directory}/serial
crlnumber = {directory}/crlnumber
default_md = sha256
default_days = 300
default_crl_days = 7
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[issuing_cdp]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:{base}/root.crl
authorityInfoAccess = caIssuers;URI:{base}/root.cer
[user]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:anna@contoso.example
crlDistributionPoints = URI:{base}/issuing.crl
authorityInfoAccess = caIssuers;URI:{base}/issuing.cer
[user_ocsp]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = clientAuth
subjectAltName = DNS:pc1.contoso.example
authorityInfoAccess = OCSP;URI:{base}/ocsp
[ocsp_signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,OCSPSigning
noCheck = ignored
subjectKeyIdentifier = hash
[crl]
authorityKeyIdentifier = keyid
"""
# RFC 5280 5.2.4: the number that the delta CRL starts from.
DELTA_SECTION = """[delta_crl]
authorityKeyIdentifier = keyid
2.5.29.27 = critical,DER:02:01:%02X
"""


class Hierarchy:
    """Files in `directory`; `base` is the URL that CDP, AIA and OCSP begin with."""

    def __init__(self, base):
        self.directory = tempfile.mkdtemp(prefix="revcache-hierarchy-")
        self.config = self.path("openssl.cnf")
        self.write("openssl.cnf", CONFIG.format(directory=self.directory, base=base))
        self.serials = {}
        self.certificate("root", "root", "root", "/O=Contoso/CN=Contoso Cloud Root CA")
        name = "/O=Contoso/CN=Contoso Cloud Issuing CA"
        self.certificate("issuing", "root", "issuing", name)
        self.certificate("issuing_cdp", "root", "issuing_cdp", name, key="issuing")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        with open(self.path(name), "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def joined(self, name, *parts):
        """One PEM file of several certificates."""
        return self.write(name, b"".join(self.read(part + ".pem") for part in parts))

    def certificate(self, name, issuer, extensions, subject=None, key=None, dates=()):
        key = key or name
        if not os.path.exists(self.path(key + ".key")):
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                    self.path(key + ".key"))
        openssl("req", "-new", "-key", self.path(key + ".key"), "-config", self.config, "-subj",
                subject or "/CN=" + name, "-out", self.path(name + ".csr"))
        self.serials[name] = "%04X" % (0x2000 + len(self.serials))
        self.write("serial", self.serials[name] + "\n")
        self.write("index.txt", "")
        signer = ["-selfsign"] if issuer == name else ["-cert", self.path(issuer + ".pem")]
        openssl("ca", "-batch", "-config", self.config, "-extensions", extensions, "-notext",
                *signer, "-keyfile", self.path(issuer + ".key"), *dates, "-in",
                self.path(name + ".csr"), "-out", self.path(name + ".pem"))
        openssl("x509", "-in", self.path(name + ".pem"), "-outform", "DER", "-out",
                self.path(name + ".cer"))
        return self.path(name + ".pem")

    def crl(self, name, issuer, revoked=(), dates=(), number=0x1000, base=None):
        """NAME.crl (DER) and NAME.crl.pem; with `base` (below 0x80) a delta CRL."""
        config, extensions = self.config, "crl"
        if base is not None:
            config = self.path("delta.cnf")
            extensions = "delta_crl"
            self.write("delta.cnf", self.read("openssl.cnf").decode() + DELTA_SECTION % base)
        self.write("index.txt", "".join(
            "R\t301231235959Z\t250601120000Z,keyCompromise\t%s\tunknown\t/CN=%s\n"
            % (self.serials[each], each) for each in revoked))
        self.write("crlnumber", "%04X\n" % number)
        pem = self.path(name + ".crl.pem")
        openssl("ca", "-config", config, "-gencrl", "-crlexts", extensions, *dates, "-cert",
                self.path(issuer + ".pem"), "-keyfile", self.path(issuer + ".key"), "-out", pem)
        openssl("crl", "-in", pem, "-outform", "DER", "-out", self.path(name + ".crl"))
        return self.path(name + ".crl")

    def ocsp(self, name, certificate, issuer="issuing", status="V"):
        """NAME.ocsp, an answer of the issuer itself; status V good, R revoked."""
        revoked = "250601120000Z,keyCompromise" if status == "R" else ""
        self.write("ocsp.txt", "%s\t301231235959Z\t%s\t%s\tunknown\t/CN=x\n"
                   % (status, revoked, self.serials[certificate]))
        openssl("ocsp", "-issuer", self.path(issuer + ".pem"), "-cert",
                self.path(certificate + ".pem"), "-no_nonce", "-reqout", self.path("request.der"))
        openssl("ocsp", "-index", self.path("ocsp.txt"), "-CA", self.path(issuer + ".pem"),
                "-rsigner", self.path(issuer + ".pem"), "-rkey", self.path(issuer + ".key"),
                "-ndays", "2", "-reqin", self.path("request.der"), "-respout",
                self.path(name + ".ocsp"))
        return self.path(name + ".ocsp")
