"""What the OCSP responder says of a certificate, by which evidence, and what outlives what: kills,
silent origins, revocations by hand, ends of validity."""

import datetime
import os
import shutil
import signal
import subprocess
import threading
import unittest

from harness import main
from harness.client import Client
from harness.ocsp import cert_id, crl_dates, read_response, request
from harness.pki import COMMAND_TIMEOUT
from harness.responder import World
from harness.waiting import turns

PAST = ("-crl_lastupdate", "20250101000000Z", "-crl_nextupdate", "20250108000000Z")
CONNECTIONS = 32


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def today(days=0):
    return now().date() + datetime.timedelta(days=days)


class Rules(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.pki = self.world.pki
        self.pki.certificate("present", "root", "user")

    def start(self, ready=True, **settings):
        self.world.configure(**settings)
        self.addCleanup(self.world.revcache.remove)
        self.world.revcache.start()
        self.addCleanup(self.world.revcache.stop)
        if ready:
            self.world.wait_until_ready()

    def restart(self):
        """After a kill -9."""
        self.world.revcache.kill()
        self.world.revcache.start()

    def expect(self, name, status):
        self.assertEqual(self.world.status(name), status)

    # Genuine CRLs

    def test_whoever_a_crl_does_not_list_is_good_for_as_long_as_the_crl(self):
        dates = ("-crl_lastupdate", "20260101000000Z", "-crl_nextupdate",
                 (now() + datetime.timedelta(minutes=20)).strftime("%Y%m%d%H%M%SZ"))
        self.pki.crl("short", "root", number=6, dates=dates)
        self.world.bodies["/root.crl"] = self.pki.read("short.crl")
        self.start()
        said = self.world.ask("present")
        self.assertEqual((said.status, (said.this_update, said.next_update)),
                         ("good", crl_dates(self.pki.read("short.crl"))))

    def test_an_answer_lasts_no_longer_than_its_authority_wants(self):
        self.start(authorities=[self.world.authority(validity="2m")])
        answer = read_response(self.world.post(self.world.question("present")).body)
        (said,) = answer.answers
        self.assertEqual((said.next_update - answer.produced_at).total_seconds(), 120)

    def test_the_end_of_a_crl_is_the_end_of_good(self):
        end = (now() + datetime.timedelta(seconds=15)).replace(microsecond=0)
        self.pki.crl("ending", "root", number=6, dates=(
            "-crl_lastupdate", "20260101000000Z", "-crl_nextupdate", end.strftime("%Y%m%d%H%M%SZ")))
        self.world.bodies["/root.crl"] = self.pki.read("ending.crl")
        self.start()
        self.world.origin.stop()
        last_good = None
        with Client(self.world.revcache.proxy) as client:
            for _ in turns():
                before = now()
                said = self.world.ask("present", client=client)
                if said == "tryLater":
                    break
                self.assertEqual((said.status, said.next_update), ("good", end))
                self.assertLess(before, end)
                last_good = before
        self.assertEqual(said, "tryLater")
        self.assertIsNotNone(last_good)
        # Not long before its end either.
        self.assertGreater(now(), end - datetime.timedelta(seconds=2))

    def test_good_outlives_the_origin_and_a_kill_but_not_the_loss_of_the_cache(self):
        self.start()
        self.world.origin.stop()
        self.expect("present", "good")
        self.world.revcache.stop()
        self.world.revcache.start()
        self.expect("present", "good")
        self.restart()
        self.expect("present", "good")
        self.world.revcache.stop()
        shutil.rmtree(os.path.join(self.world.revcache.directory, "cache"))
        self.world.revcache.start()
        self.expect("present", "tryLater")

    def test_a_newer_crl_revokes_and_what_left_it_without_a_word_stays_revoked(self):
        self.start()
        self.expect("present", "good")
        self.world.publish("root6", number=6, revoked=("present",))
        self.expect("present", "revoked")
        self.world.publish("root7", number=7)
        self.expect("present", "revoked")
        self.world.origin.stop()
        shutil.rmtree(os.path.join(self.world.revcache.directory, "cache"))
        self.restart()
        self.expect("present", "revoked")

    def test_an_older_crl_does_not_make_good_again(self):
        self.start()
        self.world.publish("root6", number=6, revoked=("present",))
        self.world.bodies["/root.crl"] = self.pki.read("root.crl")
        self.world.command("refresh", "root", code=1)
        self.expect("present", "revoked")

    def test_without_a_crl_nothing_is_said_until_there_is_one(self):
        crl = self.world.bodies.pop("/root.crl")
        self.start(ready=False)
        self.expect("present", "tryLater")
        self.world.bodies["/root.crl"] = crl
        self.world.command("refresh", "root")
        self.expect("present", "good")

    def test_an_expired_crl_proves_nothing(self):
        self.pki.crl("past", "root", number=6, dates=PAST)
        self.world.bodies["/root.crl"] = self.pki.read("past.crl")
        self.start(ready=False)
        self.expect("present", "tryLater")

    def test_unknown_where_the_policy_says_so_and_revoked_all_the_same(self):
        del self.world.bodies["/root.crl"]
        self.start(ready=False, authorities=[self.world.authority(without_evidence="unknown")])
        self.expect("present", "unknown")
        self.world.revoke("present")
        self.expect("present", "revoked")

    # By hand

    def test_a_revocation_by_hand_is_seen_on_every_connection_at_once(self):
        self.start()
        clients = [Client(self.world.revcache.proxy) for _ in range(CONNECTIONS)]
        for client in clients:
            self.addCleanup(client.close)
        for _ in range(3):
            for status, change in (("good", self.world.revoke), ("revoked", self.world.unrevoke)):
                self.assertEqual({self.world.status("present", client=client)
                                  for client in clients}, {status})
                change("present")
        self.expect("present", "good")

    def test_nobody_who_asks_after_the_revocation_hears_good(self):
        self.start()
        revoked, stop, wrong, asked = (threading.Event(), threading.Event(), [], [])

        def load():
            with Client(self.world.revcache.proxy) as client:
                while not stop.is_set():
                    too_late = revoked.is_set()
                    status = self.world.status("present", client=client)
                    asked.append(status)
                    if status != "revoked" and (too_late or status != "good"):
                        wrong.append(status)

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            self.world.revoke("present")
            revoked.set()
            for _ in range(100):
                self.expect("present", "revoked")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertIn("revoked", asked)

    def test_a_revocation_by_hand_has_its_date_and_its_reason(self):
        self.start()
        before = now().replace(microsecond=0)
        self.world.revoke("present", reason="cessationOfOperation")
        said = self.world.ask("present")
        self.assertEqual((said.status, said.reason), ("revoked", "cessationOfOperation"))
        self.assertTrue(before <= said.revoked_at <= now())
        self.assertLessEqual(said.this_update, now())

    def test_a_revocation_by_hand_outlives_kill_9_and_the_cache_and_the_origin(self):
        self.start()
        self.world.revoke("present")
        self.world.revcache.kill()
        self.world.origin.stop()
        shutil.rmtree(os.path.join(self.world.revcache.directory, "cache"))
        self.world.revcache.start()
        self.expect("present", "revoked")
        self.world.unrevoke("present")
        self.expect("present", "tryLater")
        self.restart()
        self.expect("present", "tryLater")

    def test_a_declared_revocation_holds_from_the_start_and_ends_with_a_reload(self):
        self.start(**{"authority.revoke": [{"serial": self.pki.serials["present"],
                                            "reason": "superseded"}]})
        said = self.world.ask("present")
        self.assertEqual((said.status, said.reason), ("revoked", "superseded"))
        del self.world.revcache.settings["authority.revoke"]
        self.reload()
        self.expect("present", "good")

    def reload(self):
        self.world.revcache.write_config()
        self.world.revcache.signal(signal.SIGHUP)
        self.world.revcache.wait_notification("READY=1")

    def test_a_serial_is_the_same_number_however_it_is_written(self):
        self.start()
        self.world.command("revoke", "A001", "--ca", "root")
        positive = cert_id(self.world.root, 0xa001)
        self.assertTrue(positive.endswith(b"\x02\x03\x00\xa0\x01"))
        # Read as an INTEGER, it is a negative one; some CAs write serials so.
        size = bytes([positive[1] - 1])
        negative = positive[:1] + size + positive[2:-5] + b"\x02\x02\xa0\x01"
        for asked in (positive, negative):
            (said,) = read_response(self.world.post(request(asked)).body).answers
            self.assertEqual((said.cert_id, said.status), (asked, "revoked"))

    # Attestation and the scope of answers

    def attest(self, until, **settings):
        self.start(ready=False, authorities=[self.world.authority(
            crls=None, required=False, without_evidence="attest")], **{"authority.attest": [
                {"certificate": self.pki.path("issuing.pem"), "until": until,
                 "reason": "no CRL to be had"}]}, **settings)

    def test_only_what_is_attested_is_good_and_nothing_is_once_it_is_revoked(self):
        self.attest(today(2))
        said = self.world.ask("issuing")
        self.assertEqual(said.status, "good")
        self.assertLess(said.this_update, now() - datetime.timedelta(minutes=4))
        self.expect("present", "unknown")
        self.world.revoke("issuing")
        self.expect("issuing", "revoked")
        self.world.unrevoke("issuing")
        self.expect("issuing", "good")

    def test_an_attestation_ends_with_its_day(self):
        self.attest(today(1))
        said = self.world.ask("issuing")
        midnight = datetime.datetime.combine(today(1), datetime.time(), datetime.timezone.utc)
        self.assertLessEqual(said.next_update, midnight)

    def test_an_attestation_that_is_over_says_nothing(self):
        self.attest(today())
        self.expect("issuing", "unknown")

    def test_a_ca_that_answers_for_cas_only_says_nothing_of_leaves(self):
        self.world.bodies["/issuing.cer"] = self.pki.read("issuing.cer")
        self.start(authorities=[self.world.authority(answer_leaves=False)])
        self.expect("present", "unauthorized")
        self.assertEqual(self.world.revcache.fetch(self.world.origin.url("/issuing.cer")).status,
                         200)
        self.world.revcache.logged("issuer learned")
        self.expect("issuing", "good")
        self.expect("present", "unauthorized")
        self.world.revoke("present")
        self.expect("present", "revoked")

    # Signers, nonces, damage

    def test_a_signer_that_is_over_signs_nothing_and_is_an_alarm(self):
        # No restart may fail for the time that has passed: what else the proxy does goes on.
        self.start(ready=False, authorities=[self.world.authority("expired")], signers=["expired"])
        self.expect("present", "tryLater")
        self.assertIn('"level":"error","event":"signer not usable","signer":"expired"',
                      self.world.revcache.logged("signer not usable"))
        self.assertEqual(self.world.revcache.fetch(self.world.origin.url("/root.crl")).status, 200)

    def test_a_certificate_that_is_no_signers_does_not_let_it_start(self):
        self.world.configure([self.world.authority("present")], ["present"])
        self.addCleanup(self.world.revcache.remove)
        self.world.revcache.write_config()
        done = subprocess.run([main.binary(), "serve", "-c", self.world.revcache.config],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=COMMAND_TIMEOUT, check=False)
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertIn("id-kp-OCSPSigning", done.stdout + done.stderr)

    def test_another_signer_after_a_reload_signs_at_once(self):
        self.start(signers=("independent", "delegated"))
        signer_of = lambda: read_response(
            self.world.post(self.world.question("present")).body).certificates[0]
        self.assertEqual(signer_of(), self.pki.read("independent.cer"))
        self.world.revcache.settings["authority"][0]["signer"] = "delegated"
        self.reload()
        self.assertEqual(signer_of(), self.pki.read("delegated.cer"))
        # One that must not sign is refused, and the settings before go on.
        self.world.revcache.settings["signer"].append(self.world.signer("present"))
        self.world.revcache.settings["authority"][0]["signer"] = "present"
        self.world.revcache.write_config()
        self.world.revcache.signal(signal.SIGHUP)
        self.world.revcache.logged("id-kp-OCSPSigning")
        self.assertEqual(signer_of(), self.pki.read("delegated.cer"))

    def test_beyond_the_budget_answers_have_no_nonce(self):
        self.start(ocsp={"nonce_budget": "1/s"})
        nonces = []
        with Client(self.world.revcache.proxy) as client:
            for number in range(20):
                nonce = b"nonce %10d" % number
                answer = self.world.post(self.world.question("present", nonce=nonce), client=client)
                response = read_response(answer.body)
                self.assertEqual(response.answers[0].status, "good")
                self.assertIn(response.nonce, (nonce, None))
                nonces.append(response.nonce)
        self.assertIsNotNone(nonces[0])
        self.assertIn(None, nonces)

    def test_a_damaged_state_says_nothing_of_anybody(self):
        self.start()
        self.expect("present", "good")
        self.world.revoke("issuing")
        self.world.revcache.stop()
        self.world.damage_state()
        self.world.revcache.start()
        self.assertEqual(self.world.readiness()[0], 503)
        for name in ("present", "issuing"):
            self.expect(name, "tryLater")


if __name__ == "__main__":
    main.run()
