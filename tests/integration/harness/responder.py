"""The OCSP responder with everything around it: a hierarchy, the origin of its CRLs, signers, the
process and its administrator."""

import os
import subprocess

from . import main
from .client import fetch
from .hierarchy import Hierarchy
from .ocsp import cert_id, read_response, request
from .origin import Answer, Origin, path_of
from .pki import COMMAND_TIMEOUT
from .process import Revcache

REQUEST_TYPE = "Content-Type: application/ocsp-request"
CRL_TYPE = "Content-Type: application/pkix-crl"
NO_STORE = "Cache-Control: no-store"
TOKEN = "5ecret-of-this-test"
EXPIRED = ("-startdate", "20250101000000Z", "-enddate", "20250201000000Z")


class World:
    """`bodies` are what the origin has; `settings` what the configuration says. Not started."""

    def __init__(self):
        self.origin = Origin()
        self.origin.fallback = self.respond
        self.pki = Hierarchy(self.origin.url(""))
        self.pki.write("token", TOKEN + "\n")
        for name, dates in (("independent", ()), ("expired", EXPIRED)):
            self.pki.certificate(name, name, "ocsp_signer", dates=dates)
        self.pki.certificate("delegated", "root", "ocsp_signer")
        self.pki.crl("root", "root", number=5)
        self.bodies = {"/root.crl": self.pki.read("root.crl")}
        self.root = self.pki.read("root.cer")
        self.revcache = None

    def remove(self):
        self.origin.stop()
        self.pki.remove()

    def respond(self, asked):
        body = self.bodies.get(path_of(asked.target))
        if body is None:
            return Answer(status=404, fields=(NO_STORE,))
        return Answer(fields=("Cache-Control: max-age=1000", CRL_TYPE), body=body)

    def signer(self, name):
        """A [[signer]] whose files are those of a certificate of the hierarchy."""
        return {"name": name, "certificate": self.pki.path(name + ".pem"),
                "key": self.pki.path(name + ".key")}

    def authority(self, signer="independent", **more):
        """The [[authority]] of the root; a value None leaves a setting out."""
        settings = {"name": "root", "certificate": self.pki.path("root.pem"),
                    "crls": [self.origin.url("/root.crl")], "signer": signer, **more}
        return {key: value for key, value in settings.items() if value is not None}

    def configure(self, authorities=None, signers=("independent",), **tables):
        """A Revcache that is not started; what it stood for before has been stopped."""
        self.revcache = Revcache(main.binary(), [self.origin.authority], {
            "refresh": {"interval": "1h"}, "admin": {"token_file": self.pki.path("token")},
            "signer": [self.signer(name) for name in signers],
            "authority": authorities or [self.authority()], **tables})
        return self.revcache

    def readiness(self):
        return self.revcache.readiness()

    def wait_until_ready(self):
        self.revcache.wait_until_ready()

    def command(self, *arguments, code=0):
        """Standard output and standard error of a command that speaks to the instance."""
        done = subprocess.run(
            [main.binary(), *arguments, "--admin", "http://%s:%d" % self.revcache.admin,
             "--token-file", self.pki.path("token")], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=COMMAND_TIMEOUT, check=False)
        if done.returncode != code:
            raise AssertionError("%s: exit status %d\n%s%s" % (
                " ".join(arguments), done.returncode, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def revoke(self, name, reason="keyCompromise"):
        return self.command("revoke", self.pki.serials[name], "--ca", "root", "--reason", reason)

    def unrevoke(self, name):
        return self.command("unrevoke", self.pki.serials[name], "--ca", "root")

    def publish(self, name, **options):
        """The origin has another CRL of the root, and the instance knows it."""
        self.pki.crl(name, "root", **options)
        self.bodies["/root.crl"] = self.pki.read(name + ".crl")
        self.command("refresh", "root")

    def cert_id(self, name, algorithm="sha1", null=True):
        return cert_id(self.root, int(self.pki.serials[name], 16), algorithm, null)

    def question(self, name, algorithm="sha1", **options):
        return request(self.cert_id(name, algorithm), **options)

    def url(self, path="/ocsp"):
        return "http://%s:%d%s" % (*self.revcache.proxy, path)

    def post(self, der, path="/ocsp", client=None):
        """The HTTP response to a POST, on a connection of its own or on that of `client`."""
        options = {"method": "POST", "body": der, "host": "%s:%d" % self.revcache.proxy}
        if client is not None:
            return client.ask(path, REQUEST_TYPE, **options)
        return fetch(self.revcache.proxy, path, "Connection: close", REQUEST_TYPE, **options)

    def get(self, spelling, *lines, path="/ocsp/", method="GET"):
        return fetch(self.revcache.proxy, path + spelling, "Connection: close", *lines,
                     method=method, host="%s:%d" % self.revcache.proxy)

    def ask(self, name, client=None, path="/ocsp"):
        """What the responder says of one certificate: its Single, or the name of an error."""
        answer = self.post(self.question(name), path, client)
        if answer.status != 200:
            raise AssertionError("HTTP %s: %r" % (answer.start, answer.body[:300]))
        response = read_response(answer.body)
        return response.answers[0] if response.answers else response.status

    def status(self, name, **options):
        """good, revoked, unknown, tryLater, unauthorized …"""
        said = self.ask(name, **options)
        return said if isinstance(said, str) else said.status

    def damage_state(self):
        """Octets all over the state database change, as on a dying disk."""
        state = os.path.join(self.revcache.directory, "state")
        for name in os.listdir(state):
            if name.endswith((".log", ".sst")) or name == "confirmed":
                path = os.path.join(state, name)
                with open(path, "rb") as file:
                    octets = bytearray(file.read())
                for at in range(0, len(octets), 7):
                    octets[at] ^= 0x55
                with open(path, "wb") as file:
                    file.write(octets)
