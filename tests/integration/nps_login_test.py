"""EAP-TLS logins at a RADIUS server that checks the whole chain, as NPS does, through revcache.

The hierarchy is Cloud PKI's: root, an issuing CA whose certificate names neither CRL nor OCSP, a
user whose certificate names the issuing CA's CRL. The client is wpa_supplicant's (eapol_test), the
server FreeRADIUS. FreeRADIUS' own OCSP and CRL settings look at the client's certificate only, so
its `verify` hook runs harness/chain_check.sh: the openssl command checks the user by CRL through
the proxy (NPS: WinHTTP's machine proxy) and the issuing CA by OCSP at the URL that an administrator
gave the root (NPS: property 81 of its certificate), with an answer signed by an independent signer
that is trusted as such. It refuses whatever is not good or cannot be had, with the reason codes of NPS:
256 revoked, 258 nothing to check it by, 259 no answer to be had."""

import datetime
import os
import shutil
import unittest

from harness import main
from harness.pki import Authority
from harness.radius import RadiusServer
from harness.responder import World
from harness.supplicant import log_in


class NpsLogin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = Authority()
        cls.addClassCleanup(cls.servers.remove)
        cls.servers.issue("radius", "server")

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.pki = self.world.pki
        for name in ("anna", "berta"):
            self.pki.certificate(name, "issuing", "user", "/CN=" + name)
        self.pki.crl("issuing", "issuing", number=1)
        self.world.bodies["/issuing.crl"] = self.pki.read("issuing.crl")
        self.radius = RadiusServer(self.servers.path("radius.pem"), self.servers.path("radius.key"),
                                   self.pki.joined("clients.pem", "root", "issuing"))
        self.addCleanup(self.radius.remove)
        self.addCleanup(self.radius.stop)
        self.radius.start()

    def start(self, **settings):
        """revcache, and the RADIUS server uses it."""
        self.world.configure(**settings)
        self.addCleanup(self.world.revcache.remove)
        self.world.revcache.start()
        self.addCleanup(self.world.revcache.stop)
        self.use_revcache()

    def use_revcache(self, signer="independent"):
        self.check_with(proxy=self.world.url(""), ocsp_url=self.world.url("/ocsp/root"),
                        signer=self.pki.path(signer + ".pem"))

    def check_with(self, proxy="", ocsp_url="", signer=os.devnull):
        self.radius.check_with(root=self.pki.path("root.pem"), proxy=proxy, ocsp_url=ocsp_url,
                               issuing=self.pki.path("issuing.pem"), signer=signer)

    def log_in(self, user="anna"):
        before = len(self.radius.verdicts())
        login = log_in(self.radius, self.pki.directory, self.pki.path(user + ".pem"),
                       self.pki.path(user + ".key"), self.servers.root, user)
        verdicts = self.radius.verdicts()[before:]
        self.assertEqual(len(verdicts), 1, self.told(login))
        return login, verdicts[0]

    def told(self, login):
        parts = [("client", login.said[-3000:]), ("RADIUS server", self.radius.log()[-3000:])]
        if self.world.revcache:
            parts.append(("revcache", self.world.revcache.log()[-3000:]))
        return "".join("\n--- %s\n%s" % part for part in parts)

    def expect_accepted(self, user="anna"):
        login, verdict = self.log_in(user)
        self.assertEqual((verdict, login.accepted), ("accept", True), self.told(login))

    def expect_refused(self, code, about, user="anna"):
        login, verdict = self.log_in(user)
        self.assertTrue(verdict.startswith("deny %d %s" % (code, about)),
                        verdict + self.told(login))
        self.assertTrue(login.rejected and not login.accepted, self.told(login))

    def test_without_revcache_nothing_is_known_of_the_issuing_ca(self):
        self.check_with()
        self.expect_refused(258, "issuing CA: no revocation information")

    def test_a_login_and_the_kill_switch(self):
        self.start()
        self.world.wait_until_ready()
        self.expect_accepted()
        self.assertIn("Via", [name for name, _ in self.world.origin.seen("/issuing.crl")[0].fields])
        self.world.revoke("issuing")
        self.expect_refused(256, "issuing CA revoked")
        self.expect_refused(256, "issuing CA revoked", "berta")
        self.world.unrevoke("issuing")
        self.expect_accepted()

    def test_the_genuine_crl_of_the_root_revokes_the_issuing_ca(self):
        self.start()
        self.world.wait_until_ready()
        self.expect_accepted()
        self.world.publish("root6", number=6, revoked=("issuing",))
        self.expect_refused(256, "issuing CA revoked")

    def test_a_revoked_user_is_refused_and_the_others_are_not(self):
        self.pki.crl("issuing2", "issuing", number=2, revoked=("anna",))
        self.world.bodies["/issuing.crl"] = self.pki.read("issuing2.crl")
        self.start()
        self.world.wait_until_ready()
        self.expect_refused(256, "leaf revoked")
        self.expect_accepted("berta")

    def test_logins_go_on_while_the_origin_is_silent_also_over_a_kill(self):
        self.start()
        self.world.wait_until_ready()
        self.expect_accepted()
        self.world.origin.stop()
        self.expect_accepted()
        self.world.revcache.stop()
        self.world.revcache.start()
        self.expect_accepted()
        self.world.revoke("issuing")
        self.world.revcache.kill()
        self.world.revcache.start()
        self.expect_refused(256, "issuing CA revoked")

    def test_without_evidence_nobody_is_let_in(self):
        del self.world.bodies["/root.crl"]
        self.start()
        self.expect_refused(259, "issuing CA: Responder Error: trylater")

    def test_an_attested_issuing_ca_is_good_until_it_is_revoked(self):
        tomorrow = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=2)
        self.start(authorities=[self.world.authority(crls=None, required=False,
                                                     without_evidence="attest")],
                   **{"authority.attest": [{"certificate": self.pki.path("issuing.pem"),
                                            "until": tomorrow, "reason": "no CRL to be had"}]})
        self.expect_accepted()
        self.world.revoke("issuing")
        self.expect_refused(256, "issuing CA revoked")

    def test_an_answer_of_a_signer_that_is_not_trusted_does_not_count(self):
        self.start()
        self.world.wait_until_ready()
        self.use_revcache(signer="expired")
        self.expect_refused(259, "issuing CA: ")
        self.assertIn("Response Verify Failure", self.radius.verdicts()[-1])

    def test_when_revcache_is_gone_nobody_is_let_in(self):
        self.start()
        self.world.wait_until_ready()
        self.expect_accepted()
        self.world.revcache.stop()
        self.expect_refused(259, "no CRL from")
        self.check_with(ocsp_url=self.world.url("/ocsp/root"),
                        signer=self.pki.path("independent.pem"))
        self.expect_refused(259, "issuing CA: ")
        shutil.rmtree(os.path.join(self.world.revcache.directory, "cache"))
        self.world.revcache.start()
        self.world.wait_until_ready()
        self.use_revcache()
        self.expect_accepted()


if __name__ == "__main__":
    main.run()
