"""A small certification authority made with the openssl command line: real CRLs, real OCSP."""

import base64
import os
import shutil
import subprocess
import tempfile

CONFIG = """
[ca]
default_ca = test
[test]
dir = {directory}
database = {directory}/index.txt
new_certs_dir = {directory}
serial = {directory}/serial
crlnumber = {directory}/crlnumber
certificate = {directory}/ca.pem
private_key = {directory}/ca.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
{urls}
[server]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1,IP:::1,DNS:localhost
[req]
distinguished_name = name
[name]
"""
COMMAND_TIMEOUT = 120  # seconds; openssl loops for ever on some dead peers


def openssl(*arguments, check=True, env=None):
    """Runs one command; its result with output as bytes."""
    result = subprocess.run(("openssl",) + arguments, stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=COMMAND_TIMEOUT, check=False,
                            env=dict(os.environ, **(env or {})))
    if check and result.returncode:
        raise AssertionError("openssl %s: %s" % (" ".join(arguments), result.stderr.decode()))
    return result


class Authority:
    """A root in a directory of its own. `crl_url` and `ocsp_url` go into its leaves."""

    def __init__(self, crl_url=None, ocsp_url=None):
        self.directory = tempfile.mkdtemp(prefix="revcache-pki-")
        urls = []
        if crl_url:
            urls.append("crlDistributionPoints = URI:" + crl_url)
        if ocsp_url:
            urls.append("authorityInfoAccess = OCSP;URI:" + ocsp_url)
        self.config = self.write("openssl.cnf", CONFIG.format(directory=self.directory,
                                                              urls="\n".join(urls)))
        self.write("index.txt", "")
        self.write("serial", "1000\n")
        self.write("crlnumber", "01\n")
        self.root = self.path("ca.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path("ca.key"), "-out", self.root, "-subj", "/CN=Test Root",
                "-days", "30", "-config", self.config, "-extensions", "root")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, content):
        path = self.path(name)
        with open(path, "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def issue(self, name, extensions="leaf"):
        """A certificate with its key; the path of its PEM."""
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"), "-subj",
                "/CN=" + name, "-config", self.config)
        openssl("ca", "-batch", "-config", self.config, "-extensions", extensions, "-notext",
                "-in", self.path(name + ".csr"), "-out", self.path(name + ".pem"))
        return self.path(name + ".pem")

    def revoke(self, certificate):
        openssl("ca", "-config", self.config, "-revoke", certificate)

    def crl(self):
        """A new CRL, DER."""
        openssl("ca", "-config", self.config, "-gencrl", "-out", self.path("crl.pem"))
        openssl("crl", "-in", self.path("crl.pem"), "-outform", "DER", "-out",
                self.path("crl.der"))
        return self.read("crl.der")

    def certificate_der(self):
        openssl("x509", "-in", self.root, "-outform", "DER", "-out", self.path("ca.cer"))
        return self.read("ca.cer")

    def ocsp_request(self, certificate, *options):
        """DER; without nonce unless "-nonce" is asked for."""
        openssl("ocsp", "-issuer", self.root, *(options or ("-no_nonce",)), "-cert", certificate,
                "-reqout", self.path("request.der"))
        return self.read("request.der")

    def ocsp_request_for_serial(self, serial):
        openssl("ocsp", "-issuer", self.root, "-no_nonce", "-serial", serial, "-reqout",
                self.path("request.der"))
        return self.read("request.der")

    def ocsp_response(self, request):
        """The authority's own signed answer to a request, DER."""
        self.write("asked.der", request)
        openssl("ocsp", "-index", self.path("index.txt"), "-CA", self.root, "-rsigner", self.root,
                "-rkey", self.path("ca.key"), "-ndays", "2", "-reqin", self.path("asked.der"),
                "-respout", self.path("response.der"))
        return self.read("response.der")


def get_form(request, quote=True):
    """The last part of an OCSP GET's path (RFC 6960 A.1)."""
    text = base64.b64encode(request).decode()
    if quote:
        text = text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return text
