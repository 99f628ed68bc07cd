"""Who may use the proxy and what it may reach: by client network, name, port and real address."""

import unittest

from harness import main
from harness.client import Client, request_bytes
from harness.der import shaped
from harness.origin import Answer, Origin
from harness.process import Revcache, total

NO_STORE = "Cache-Control: no-store"


class Access(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = lambda request: Answer(fields=(NO_STORE,), body=b"ok")

    def start(self, access, destinations=None):
        places = [self.origin.authority] if destinations is None else destinations
        revcache = Revcache(main.binary(), places, {"access": access}).start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return revcache

    def test_clients_outside_the_list_get_403_or_nothing(self):
        revcache = self.start({"clients": ["127.0.0.5/32"]})
        with Client(revcache.proxy, source=("127.0.0.5", 0)) as client:
            self.assertEqual(client.ask(self.origin.url("/in")).status, 200)
        with Client(revcache.proxy, source=("127.0.0.6", 0)) as client:
            client.send(request_bytes(self.origin.url("/out")))
            if not client.closed():
                self.assertEqual(client.response().status, 403)
        self.assertEqual(self.origin.seen("/out"), [])
        self.assertEqual(total(revcache.metrics_after(2), "revcache_acl_denied_total",
                               reason="client"), 1)

    def test_private_addresses_are_refused_after_resolution(self):
        name = "localhost:%d" % self.origin.port
        revcache = self.start({"allow_private_destinations": []}, [name])
        answer = revcache.fetch("http://%s/x" % name)
        self.assertEqual(answer.status, 403)
        self.assertIn(b"allow_private_destinations", answer.body)
        self.assertEqual(self.origin.octets, b"")
        self.assertGreaterEqual(total(revcache.metrics_after(1), "revcache_acl_denied_total",
                                      reason="address"), 1)  # once for each address of the name

    def test_private_addresses_are_refused_as_literals(self):
        revcache = self.start({"allow_private_destinations": []})
        self.assertEqual(revcache.fetch(self.origin.url("/x")).status, 403)
        self.assertEqual(self.origin.octets, b"")

    def test_only_the_listed_private_network_is_reached(self):
        revcache = self.start({"allow_private_destinations": ["127.0.0.2/32"]})
        self.assertEqual(revcache.fetch(self.origin.url("/x")).status, 403)
        self.assertEqual(self.origin.octets, b"")

    def test_a_redirect_to_a_private_address_is_refused(self):
        with Origin(host="127.0.0.3") as hidden:
            revcache = self.start({"allow_private_destinations": ["127.0.0.1/32"]},
                                  [self.origin.authority, hidden.authority])
            self.origin.script("/go.crl", *[Answer(fields=("Location: " + hidden.url("/x.crl"),),
                                                   status=302)] * 4)
            self.assertIn(revcache.fetch(self.origin.url("/go.crl")).status, (403, 502))
            self.assertEqual(hidden.octets, b"")

    def test_a_redirect_to_an_allowed_destination_is_followed(self):
        with Origin(host="127.0.0.3") as other:
            revcache = self.start({}, [self.origin.authority, other.authority])
            body = shaped("redirected")
            other.script("/x.crl", Answer(fields=("Cache-Control: max-age=100",), body=body))
            self.origin.script("/go.crl", Answer(fields=("Location: " + other.url("/x.crl"),),
                                                 status=301))
            self.assertEqual(revcache.fetch(self.origin.url("/go.crl")).body, body)

    def test_our_own_listeners_are_never_reached(self):
        revcache = self.start({})
        for host in ("%s:%d" % revcache.proxy, "%s:%d" % revcache.admin):
            revcache.settings["access"]["destinations"].append(host)
        revcache.stop()
        revcache.start()
        for host in ("%s:%d" % revcache.proxy, "%s:%d" % revcache.admin):
            answer = revcache.fetch("http://%s/metrics" % host)
            self.assertIn(answer.status, (403, 404, 421, 508), host)
            self.assertNotIn(b"revcache_", answer.body)

    def test_other_destinations_pass_when_they_may(self):
        with Origin() as other:
            other.fallback = lambda request: Answer(fields=("Cache-Control: max-age=100",),
                                                    body=b"passed")
            revcache = self.start({"other_destinations": "pass"})
            for _ in range(2):
                self.assertEqual(revcache.fetch(other.url("/p")).body, b"passed")

    def test_a_name_pattern_covers_its_subdomains_only(self):
        revcache = self.start({}, ["*.pki.test", "exact.test"])
        for name, status in (("pki.test", 403), ("a.exact.test", 403), ("xpki.test", 403),
                             ("a.pki.test.evil.test", 403)):
            self.assertEqual(revcache.fetch("http://%s/" % name).status, status, name)
        for name in ("a.pki.test", "a.b.pki.test", "exact.test"):  # allowed, but unknown to DNS
            self.assertIn(revcache.fetch("http://%s/" % name).status, (502, 504), name)

    def test_a_destination_without_port_means_the_default_port(self):
        revcache = self.start({}, ["127.0.0.1"])
        self.assertEqual(revcache.fetch(self.origin.url("/x")).status, 403)
        self.assertEqual(self.origin.octets, b"")

    def test_any_port_is_spelt_with_a_star(self):
        revcache = self.start({}, ["127.0.0.1:*"])
        self.assertEqual(revcache.fetch(self.origin.url("/x")).status, 200)

    def test_refused_methods_are_405_with_allow(self):
        revcache = self.start({"methods": ["GET", "HEAD"]})
        answer = revcache.fetch(self.origin.url("/x"), method="DELETE")
        self.assertEqual(answer.status, 405)
        self.assertEqual(answer.fields.get("Allow"), "GET, HEAD")
        self.assertIn(b"access.methods", answer.body)

    def test_connect_reaches_only_what_is_listed(self):
        revcache = self.start({"connect": [self.origin.authority]})
        with Client(revcache.proxy) as client:
            head = client.ask(self.origin.authority, method="CONNECT", host=self.origin.authority)
            self.assertEqual(head.status, 200)
            self.assertEqual(client.ask("/inside", host="h").body, b"ok")
        self.assertEqual(self.origin.seen("/inside")[0].head,
                         b"GET /inside HTTP/1.1\r\nHost: h\r\n\r\n")
        with Client(revcache.proxy) as client:
            refused = client.ask("127.0.0.1:1", method="CONNECT", host="127.0.0.1:1")
            self.assertEqual(refused.status, 403)
            self.assertIn(b"access.connect", refused.body)

    def test_tunnels_leave_the_worker_as_it_was(self):
        revcache = Revcache(main.binary(), [self.origin.authority],
                            {"access": {"connect": [self.origin.authority]},
                             "listen": {"workers": 1}}).start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        for number in range(20):
            with Client(revcache.proxy) as client:
                client.ask(self.origin.authority, method="CONNECT", host=self.origin.authority)
                self.assertEqual(client.ask("/in/%d" % number, host="h").body, b"ok")
            self.assertEqual(revcache.fetch(self.origin.url("/out/%d" % number)).body, b"ok")

    def test_connect_to_a_private_address_is_refused(self):
        revcache = self.start({"connect": [self.origin.authority],
                               "allow_private_destinations": []})
        with Client(revcache.proxy) as client:
            answer = client.ask(self.origin.authority, method="CONNECT",
                                host=self.origin.authority)
            self.assertEqual(answer.status, 403)
        self.assertEqual(self.origin.connections, 0)

    def test_half_closed_tunnels_carry_the_rest(self):
        revcache = self.start({"connect": [self.origin.authority]})
        with Client(revcache.proxy) as client:
            client.ask(self.origin.authority, method="CONNECT", host=self.origin.authority)
            client.send(request_bytes("/half", host="h"))
            client.finish_sending()
            self.assertEqual(client.response().body, b"ok")
            self.assertTrue(client.closed())


if __name__ == "__main__":
    main.run()
