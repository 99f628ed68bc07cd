"""A hierarchy like Microsoft Cloud PKI's, made with the openssl command line: a root, an issuing CA
that names no CRL, a user certificate that does, the CRLs of both, an OCSP answer, and a RADIUS
server's certificate.

For the demonstration and the benchmarks; keys are throw-away.
"""

import pathlib
import subprocess

CONFIG = """
[ca]
default_ca = issuing
[issuing]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
default_md = sha256
default_crl_days = 7
crl_extensions = crl_extensions
[crl_extensions]
authorityKeyIdentifier = keyid
[root_extensions]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca_extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[user_extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:anna@contoso.example
crlDistributionPoints = URI:{cdp}
[server_extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:nps.contoso.example
"""

CDP = ("http://primary-cdn.pki.azure.net/centralus/crls/0f1e2d3c4b5a69788796a5b4c3d2e1f0/"
       "8c7b6a59-4d3e-4f21-9a0b-1c2d3e4f5a6b_v1/current.crl")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


class SamplePki:
    """Files in `folder`: root.pem, issuing.pem, user.pem and their keys."""

    def __init__(self, folder, cdp=CDP):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cdp = cdp
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder, cdp=cdp))
        self.root = self._certificate("root", "/O=Contoso/CN=Contoso Cloud Root CA", 7300)
        self.issuing = self._certificate("issuing", "/O=Contoso/CN=Contoso Cloud Issuing CA", 1825,
                                         issuer="root", extensions="ca_extensions")
        self.user = self._certificate("user", "/O=Contoso/CN=anna@contoso.example", 365,
                                      issuer="issuing", extensions="user_extensions")

    def crl(self, revoked=0):
        """The issuing CA's CRL with so many revoked serials, as DER."""
        lines = [f"R\t301231235959Z\t250601120000Z,keyCompromise\t{0x5E << 120 | n * 7919:032X}"
                 f"\tunknown\t/CN=device-{n}\n" for n in range(1, revoked + 1)]
        return self._crl("issuing", f"issuing-{revoked}.crl", "1000", "".join(lines))

    def root_crl(self, number="05"):
        """The root's CRL, which revokes nobody, as DER. No certificate names it."""
        return self._crl("root", "root.crl", number, "")

    def server(self):
        """server.pem and its key: for a RADIUS server, issued by the root."""
        return self._certificate("server", "/O=Contoso/CN=nps.contoso.example", 365, issuer="root",
                                 extensions="server_extensions")

    def ocsp(self, issuer="issuing", subject="user"):
        """(request, response) about `subject`, by its issuer, as DER."""
        request = self.folder / "ocsp-request.der"
        response = self.folder / "ocsp-response.der"
        issuing = self.folder / f"{issuer}.pem"
        certificate = self.folder / f"{subject}.pem"
        serial = openssl("x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1]
        index = self.folder / "ocsp-index.txt"
        index.write_text(f"V\t301231235959Z\t\t{serial}\tunknown\t/CN=anna\n")
        openssl("ocsp", "-issuer", issuing, "-cert", certificate, "-no_nonce", "-reqout", request)
        openssl("ocsp", "-index", index, "-rsigner", issuing, "-rkey", self.key(issuer),
                "-CA", issuing, "-reqin", request, "-respout", response, "-ndays", 7)
        return request.read_bytes(), response.read_bytes()

    def key(self, name):
        return self.folder / f"{name}.key"

    def _crl(self, issuer, name, number, index):
        (self.folder / "index.txt").write_text(index)
        (self.folder / "crlnumber").write_text(f"{number}\n")
        pem = self.folder / f"{issuer}.crl.pem"
        openssl("ca", "-config", self.config, "-gencrl", "-cert", self.folder / f"{issuer}.pem",
                "-keyfile", self.key(issuer), "-out", pem)
        der = self.folder / name
        openssl("crl", "-in", pem, "-outform", "DER", "-out", der)
        return der.read_bytes()

    def _certificate(self, name, subject, days, issuer=None, extensions="root_extensions"):
        path = self.folder / f"{name}.pem"
        request = self.folder / f"{name}.csr"
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key(name), "-subj",
                subject, "-out", request)
        signer = (["-signkey", self.key(name)] if issuer is None else
                  ["-CA", self.folder / f"{issuer}.pem", "-CAkey", self.key(issuer)])
        openssl("x509", "-req", "-in", request, *signer, "-days", days, "-sha256", "-set_serial",
                0x4F3A0000 + len(name), "-extfile", self.config, "-extensions", extensions, "-out", path)
        return path
