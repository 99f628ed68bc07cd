"""The second half of the demonstration: revcache answers for the issuing CA that names nobody to
ask, from the genuine CRL of its root; a RADIUS server that checks the whole chain lets the user in;
the kill switch keeps her out.

FreeRADIUS plays NPS: its verify hook, chain_check.sh of the integration tests, asks for the user's
CRL through the proxy and for the issuing CA's status at the URL that an administrator gave the
root.
"""

import base64
import contextlib
import datetime
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from sample_pki import CDP, openssl

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "integration"))
from harness.radius import RadiusServer  # noqa: E402
from harness.supplicant import log_in  # noqa: E402

AUTHORITY = "contoso-cloud-root"
CRL_NUMBER = "5"
# Where the root's CRL is; no certificate says so.
ROOT_CRL = CDP.replace("/8c7b6a59-4d3e-4f21-9a0b-1c2d3e4f5a6b_v1/",
                       "/1d2c3b4a-5f6e-4a7b-8c9d-0e1f2a3b4c5d_v1/")
VALIDITY = datetime.timedelta(hours=1)
RELOAD_SECONDS_MAX = 15
JOURNAL_SECONDS_MAX = 5
LOGIN_SECONDS_MAX = 15
# What eapol_test says that people want to see.
TOLD = re.compile(r"Access-Accept|Access-Reject|CTRL-EVENT-EAP-SUCCESS|CTRL-EVENT-EAP-FAILURE")


class Responder:
    """Chapters 11 to 14. `proxy` is a RevcacheProcess that runs as a cache only."""

    def __init__(self, stage, binary, pki, origin, proxy):
        self.stage = stage
        self.binary = binary
        self.pki = pki
        self.folder = pki.folder
        self.origin = origin
        self.proxy = proxy
        self.url = f"http://127.0.0.1:{proxy.port}/ocsp/{AUTHORITY}"
        self.admin = f"http://127.0.0.1:{proxy.admin_port}"
        self.serial = openssl("x509", "-in", pki.issuing, "-noout", "-serial").strip()
        self.serial = self.serial.split("=")[1].lower()

    def tell(self):
        self.origin.put(urllib.parse.urlsplit(ROOT_CRL).path, self.pki.root_crl(f"0{CRL_NUMBER}"),
                        "application/pkix-crl")
        self.configure()
        self.ask()
        try:
            with self.nps() as radius:
                self.logins(radius)
                self.kill_switch(radius)
        except AssertionError as error:  # of the integration tests' harness
            self.stage.expect(f"somebody can log in: {error}", False)

    # --- 11 ---------------------------------------------------------------------------------------

    def configure(self):
        self.stage.chapter("11. Let revcache answer: a signer of its own, and whom it answers for")
        made = self.revcache("signer", "new", "--name", "ocsp")
        mode = (self.folder / "ocsp.key").stat().st_mode & 0o777 if made.returncode == 0 else None
        self.stage.expect("a key that only its owner can read, and a certificate that signs answers",
                          mode == 0o600)
        token = self.folder / "token"
        token.touch(0o600)
        token.write_text(secrets.token_urlsafe(24) + "\n")
        addition = f"""
[admin]
token_file = "{token}"

[[signer]]
name = "ocsp"
certificate = "{self.folder}/ocsp.pem"
key = "{self.folder}/ocsp.key"

[[authority]]
name = "{AUTHORITY}"
certificate = "{self.pki.root}"
crls = ["{ROOT_CRL}"]   # no certificate names it
signer = "ocsp"
validity = "{VALIDITY.seconds // 3600}h"
"""
        with self.proxy.config.open("a") as config:
            config.write(addition)
        print()
        self.stage.say("Added to revcache.toml, which the running revcache then reads again:")
        self.stage.show(addition.replace(f"{self.folder}/", ""))
        offset = self.proxy.log.stat().st_size
        pid = self.proxy.pid
        print(f"  $ kill -HUP {pid}")
        os.kill(pid, signal.SIGHUP)
        self.stage.expect("reloaded: the same process goes on",
                          self.within(RELOAD_SECONDS_MAX, lambda: self.reloaded(offset)))
        self.stage.expect("/readyz says ready: the root's CRL was fetched and verified",
                          self.within(RELOAD_SECONDS_MAX, self.ready))

    def reloaded(self, offset):
        with self.proxy.log.open("rb") as log:
            log.seek(offset)
            return b'"event":"reloaded"' in log.read()

    def ready(self):
        try:
            with urllib.request.urlopen(f"{self.admin}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:  # 503 among them
            return False

    @staticmethod
    def within(seconds, true):
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    # --- 12 ---------------------------------------------------------------------------------------

    def ask(self):
        self.stage.chapter("12. A question about the issuing CA, at a URL that no certificate names")
        self.stage.say(f"URL={self.url}\nADMIN=--admin {self.admin}")
        said = self.openssl_ocsp("-reqout", "question.der", "-respout", "answer.der")
        self.stage.expect("good, signed by the independent signer",
                          "Response verify OK" in said and "issuing.pem: good" in said)
        self.stage.expect("openssl refuses the same answer when the signer is not trusted",
                          self.refused_without_the_signer())
        self.ask_by_get()
        self.explain()

    def openssl_ocsp(self, *more):
        """What `openssl ocsp` says of the issuing CA, asking by POST."""
        arguments = ["-issuer", "root.pem", "-cert", "issuing.pem", "-no_nonce"]
        trust = ["-CAfile", "root.pem", "-VAfile", "ocsp.pem"]
        done = self.stage.run("openssl", "ocsp", *arguments, "-url", self.url, *trust, *more,
                              shown=" ".join(["openssl ocsp", *arguments, "-url $URL", *trust]),
                              folder=self.folder)
        return done.stdout if done.returncode == 0 else ""

    def refused_without_the_signer(self):
        done = subprocess.run(["openssl", "ocsp", "-issuer", "root.pem", "-cert", "issuing.pem",
                               "-no_nonce", "-respin", "answer.der", "-CAfile", "root.pem"],
                              capture_output=True, text=True, cwd=self.folder, check=False)
        return "Response Verify Failure" in done.stderr

    def ask_by_get(self):
        """As CryptoAPI asks first."""
        question = (self.folder / "question.der").read_bytes()
        path = urllib.parse.quote(base64.b64encode(question), safe="")
        print()
        self.stage.run("curl", "-sS", "-m", "10", "-A", "Microsoft-CryptoAPI/10.0", "-D", "head",
                       "-o", "by-get.der", f"{self.url}/{path}", folder=self.folder,
                       shown=f"curl -D head -o by-get.der $URL/{path[:24]}…; cat head")
        head, answer = self.read("head").decode("latin-1"), self.read("by-get.der")
        self.stage.show(head)
        self.stage.expect("a GET gets the very same octets: signed once, served from memory",
                          bool(answer) and answer == self.read("answer.der"))

    def explain(self):
        print()
        done = self.revcache("policy", "explain", "issuing.pem", "--admin", self.admin,
                             shown="revcache policy explain issuing.pem $ADMIN")
        told = self.json("policy", "explain", "issuing.pem", "--admin", self.admin, "--json")
        evidence = told.get("evidence") or {}
        self.stage.expect(f"it rests on CRL {CRL_NUMBER}, the genuine one of the root",
                          done.returncode == 0 and told.get("rule") == "crl_absent" and
                          evidence.get("url") == ROOT_CRL and
                          int(evidence.get("number") or "0", 16) == int(CRL_NUMBER, 16))
        now = datetime.datetime.now(datetime.timezone.utc)
        until, evidence_until = time_of(told, "next_update"), time_of(evidence, "valid_until")
        self.stage.expect("it ends within the hour, and before the CRL does",
                          None not in (until, evidence_until) and
                          now < until <= min(now + VALIDITY, evidence_until))

    # --- 13 ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def nps(self):
        """A RADIUS server for EAP-TLS that is ready."""
        self.pki.server()
        (self.folder / "clients.pem").write_bytes(self.read("root.pem") + self.read("issuing.pem"))
        radius = RadiusServer(self.folder / "server.pem", self.pki.key("server"),
                              self.folder / "clients.pem")
        try:
            yield radius.start()
        finally:
            radius.stop()
            radius.remove()

    def logins(self, radius):
        self.stage.chapter("13. A real login, EAP-TLS, at a server that checks the whole chain")
        self.stage.say("""
FreeRADIUS plays NPS here: its verify hook looks at the user's certificate and at the issuing CA's,
with curl and openssl, as NPS does with CryptoAPI, and refuses what it cannot check. The reason
codes are those that NPS logs. No Windows took part. The client is wpa_supplicant's eapol_test.

Without revcache: the server reaches the CDN itself, and has no URL for the root.""")
        # The sample origin is all of the internet that there is: the CDN's name is not looked up.
        self.check_with(radius, proxy=f"http://127.0.0.1:{self.origin.port}", ocsp_url="")
        self.log_in(radius, "refused: nobody can say anything of the issuing CA, reason code 258",
                    False, "deny 258 issuing CA: no revocation information")
        print()
        self.stage.say("With revcache: it is the proxy, and $URL the root's OCSP URL (property 81).")
        self.check_with(radius, proxy=f"http://127.0.0.1:{self.proxy.port}", ocsp_url=self.url)
        self.log_in(radius, "accepted, with both certificates checked", True, "accept")

    def check_with(self, radius, proxy, ocsp_url):
        radius.check_with(root=self.pki.root, issuing=self.pki.issuing, proxy=proxy,
                          ocsp_url=ocsp_url, signer=self.folder / "ocsp.pem")

    def log_in(self, radius, claim, accepted, verdict):
        """One login; shows what client and server made of it."""
        before = len(radius.verdicts())
        print("  $ eapol_test -c anna.conf -a", radius.address, "-p", radius.port, flush=True)
        started = time.monotonic()
        login = log_in(radius, str(self.folder), self.pki.user, self.pki.key("user"), self.pki.root,
                       "anna@contoso.example")
        seconds = time.monotonic() - started
        verdicts = radius.verdicts()[before:]
        print("  client:", ", ".join(dict.fromkeys(TOLD.findall(login.said))))
        print("  server:", "; ".join(verdicts) or "did not get to the certificate")
        self.stage.expect(claim, len(verdicts) == 1 and verdicts[0].startswith(verdict) and
                          (login.accepted, login.rejected) == (accepted, not accepted) and
                          seconds < LOGIN_SECONDS_MAX)

    # --- 14 ---------------------------------------------------------------------------------------

    def kill_switch(self, radius):
        self.stage.chapter("14. The kill switch")
        self.stage.say(f"By the serial number of the issuing CA.\n"
                       f"ADMIN=--admin {self.admin} --token-file token")
        done = self.change("revoke", self.serial, "--ca", AUTHORITY, "--reason", "keyCompromise")
        self.stage.expect("done, on every event loop",
                          done.returncode == 0 and "busy" not in done.stdout)
        said = self.openssl_ocsp()
        self.stage.expect("the very next answer is revoked", "Response verify OK" in said and
                          "issuing.pem: revoked" in said and "keyCompromise" in said)
        print()
        self.log_in(radius, "refused: revoked, reason code 256", False,
                    "deny 256 issuing CA revoked")
        print()
        done = self.change("revoked")
        self.stage.expect("it is on the list", self.serial in done.stdout)
        print()
        done = self.change("unrevoke", self.serial, "--ca", AUTHORITY)
        self.stage.expect("lifted", done.returncode == 0)
        self.log_in(radius, "accepted again", True, "accept")
        self.decisions()
        print()
        self.stage.say("""
Windows keeps a good answer until its nextUpdate and asks nobody in between: there, the kill switch
is `revcache revoke` and Reset-RevocationCache.ps1 of `revcache windows-kit` (docs/nps.md).""")

    def decisions(self):
        """What was answered, and why, for the records."""
        # Written behind the answers. The good answer of before, still true, may have served again.
        expected = {"crl_absent", "manual"}
        self.within(JOURNAL_SECONDS_MAX, lambda: rules_of(self.decided()) == expected)
        entries = self.decided()
        print(f"\n  $ curl {self.admin}/api/v1/decisions   (of each entry the most important)")
        for entry in entries:
            evidence = entry["evidence"]
            by = f", {evidence['kind']} {evidence['number']}" if evidence else ""
            print(f"  {entry['at']} {entry['authority']} {entry['serial']}: "
                  f"{entry['outcome']} by rule {entry['rule']}{by}")
        self.stage.expect("what was signed is on record, by which rule: by CRL, and by hand",
                          rules_of(entries) == expected)

    def decided(self):
        with urllib.request.urlopen(f"{self.admin}/api/v1/decisions", timeout=5) as answer:
            return json.load(answer)["entries"]

    # --- Commands ---------------------------------------------------------------------------------

    def change(self, *arguments):
        """A command for the administrator, who has the token."""
        return self.revcache(*arguments, "--admin", self.admin, "--token-file", "token",
                             shown=f"revcache {' '.join(arguments)} $ADMIN")

    def revcache(self, *arguments, shown=None):
        return self.stage.run(self.binary, *arguments, folder=self.folder,
                              shown=shown or f"revcache {' '.join(arguments)}")

    def json(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True,
                              cwd=self.folder, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def read(self, name):
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""


def rules_of(entries):
    return {entry["rule"] for entry in entries}


def time_of(members, name):
    try:
        return datetime.datetime.fromisoformat(members[name].replace("Z", "+00:00"))
    except (KeyError, AttributeError, ValueError):
        return None
