"""Ways to an origin: TLS, IPv6, a parent proxy, mirrors, kept connections that have died."""

import os
import ssl
import unittest

from harness import main
from harness.client import Client
from harness.der import shaped
from harness.origin import Answer, Origin
from harness.pki import Authority
from harness.process import Revcache, free_port

LONG = "Cache-Control: max-age=1000"
NO_STORE = "Cache-Control: no-store"


class Upstream(unittest.TestCase):
    def start(self, destinations, settings=None):
        revcache = Revcache(main.binary(), destinations, settings).start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return revcache

    def origin(self, **options):
        origin = Origin(**options)
        self.addCleanup(origin.stop)
        origin.fallback = lambda request: Answer(fields=(NO_STORE,), body=b"ok")
        return origin

    # TLS

    def tls_origin(self, name="server", extensions="server"):
        authority = Authority()
        self.addCleanup(authority.remove)
        certificate = authority.issue(name, extensions)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, authority.path(name + ".key"))
        return self.origin(tls=context), authority

    def test_https_origins_are_verified_and_cached(self):
        origin, authority = self.tls_origin()
        origin.script("/s.crl", Answer(fields=(LONG,), body=shaped("tls")))
        revcache = self.start([origin.authority], {"upstream": {"ca_bundle": authority.root}})
        for _ in range(2):
            answer = revcache.fetch(origin.url("/s.crl", "https"))
            self.assertEqual((answer.status, answer.body), (200, shaped("tls")))
        self.assertEqual(len(origin.seen("/s.crl")), 1)

    def test_https_and_http_are_different_entries(self):
        origin, authority = self.tls_origin()
        revcache = self.start([origin.authority], {"upstream": {"ca_bundle": authority.root}})
        origin.script("/s", Answer(fields=(LONG,), body=b"secure"))
        self.assertEqual(revcache.fetch(origin.url("/s", "https")).body, b"secure")
        self.assertNotEqual(revcache.fetch(origin.url("/s")).status, 200)

    def test_an_unknown_issuer_is_refused(self):
        origin, _ = self.tls_origin()
        other = Authority()
        self.addCleanup(other.remove)
        revcache = self.start([origin.authority], {"upstream": {"ca_bundle": other.root}})
        self.assertEqual(revcache.fetch(origin.url("/x", "https")).status, 502)
        self.assertEqual(origin.requests, [])

    def test_a_certificate_of_another_name_is_refused(self):
        origin, authority = self.tls_origin("elsewhere.test", "leaf")
        revcache = self.start([origin.authority], {"upstream": {"ca_bundle": authority.root}})
        self.assertEqual(revcache.fetch(origin.url("/x", "https")).status, 502)
        self.assertEqual(origin.requests, [])

    def test_a_plain_server_behind_https_is_no_answer(self):
        origin = self.origin()  # it waits for the end of what it takes for a request line
        revcache = self.start([origin.authority], {"upstream": {
            "timeout": "2s", "attempt_timeout": "1s", "connect_timeout": "1s"}})
        self.assertIn(revcache.fetch(origin.url("/x", "https")).status, (502, 504))
        self.assertEqual(origin.requests, [])

    # IPv6

    def test_an_origin_on_ipv6(self):
        origin = self.origin(host="::1")
        revcache = self.start([origin.authority])
        self.assertEqual(revcache.fetch(origin.url("/six")).body, b"ok")
        self.assertEqual(origin.seen("/six")[0].fields.get("Host"), origin.authority)

    def test_another_spelling_of_an_ipv6_address_is_the_same_entry(self):
        origin = self.origin(host="::1")
        origin.script("/one", Answer(fields=(LONG,), body=b"one"))
        revcache = self.start([origin.authority])
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]", "[0::0001]"):
            self.assertEqual(revcache.fetch("http://%s:%d/one" % (host, origin.port)).body, b"one")

    def test_default_port_and_case_are_one_entry(self):
        origin = self.origin()
        origin.script("/one", Answer(fields=(LONG,), body=b"one"))
        revcache = self.start([origin.authority, "localhost:%d" % origin.port])
        for host in ("localhost", "LOCALHOST", "localhost."):
            self.assertEqual(revcache.fetch("http://%s:%d/one" % (host, origin.port)).body, b"one")

    # Parent proxy

    def parent(self, user="", password=None):
        parent = self.origin()
        upstream = {"parent_proxy": "http://%s%s" % (user, parent.authority)}
        revcache = Revcache(main.binary(), ["origin.test", "127.0.0.1:1"],
                            {"upstream": upstream, "access": {"allow_private_destinations": []}})
        if password is not None:
            path = os.path.join(revcache.directory, "password")
            with open(path, "w", encoding="utf-8") as file:
                file.write(password)
            os.chmod(path, 0o600)
            revcache.settings["upstream"]["parent_proxy_password_file"] = path
        revcache.start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return parent, revcache

    def test_a_parent_proxy_gets_absolute_form(self):
        parent, revcache = self.parent()
        parent.script("/p.crl", Answer(fields=(LONG,), body=shaped("parent")))
        for _ in range(2):
            self.assertEqual(revcache.fetch("http://origin.test/p.crl").body, shaped("parent"))
        self.assertEqual([r.start for r in parent.requests],
                         ["GET http://origin.test/p.crl HTTP/1.1"])
        seen = parent.requests[0].fields
        self.assertEqual(seen.get("Host"), "origin.test")
        self.assertFalse(seen.has("Proxy-Authorization"))

    def test_a_parent_proxy_gets_credentials_and_nobody_else_does(self):
        parent, revcache = self.parent("user@", "secret\n")
        revcache.fetch("http://origin.test/x", "Proxy-Authorization: Basic Y2xpZW50")
        self.assertEqual(parent.requests[0].fields.all("Proxy-Authorization"),
                         ["Basic dXNlcjpzZWNyZXQ="])
        self.assertNotIn("secret", revcache.log())

    def test_what_is_not_allowed_does_not_reach_the_parent(self):
        parent, revcache = self.parent()
        self.assertEqual(revcache.fetch("http://elsewhere.test/x").status, 403)
        self.assertEqual(parent.octets, b"")

    # Mirrors

    def mirrors(self, first, second):
        return self.start([first, second], {"mirror": [{"hosts": [first, second]}]})

    def test_the_next_mirror_answers_for_a_dead_one(self):
        dead = "127.0.0.1:%d" % free_port("127.0.0.1")
        alive = self.origin()
        body = shaped("mirror")
        alive.script("/m.crl", Answer(fields=(LONG,), body=body))
        revcache = self.mirrors(dead, alive.authority)
        for _ in range(2):
            answer = revcache.fetch("http://%s/m.crl" % dead)
            self.assertEqual((answer.status, answer.body), (200, body))
        self.assertEqual(len(alive.seen("/m.crl")), 1)
        self.assertEqual(alive.seen("/m.crl")[0].fields.get("Host"), alive.authority)

    def test_the_next_mirror_answers_for_a_failing_one(self):
        failing, good = self.origin(), self.origin()
        failing.script("/m.crl", *[Answer(status=503)] * 4)
        good.script("/m.crl", Answer(fields=(LONG,), body=shaped("good")))
        revcache = self.mirrors(failing.authority, good.authority)
        self.assertEqual(revcache.fetch(failing.url("/m.crl")).body, shaped("good"))

    def test_a_mirror_is_not_asked_when_the_first_answers(self):
        first, second = self.origin(), self.origin()
        first.script("/m.crl", Answer(fields=(LONG,), body=shaped("first")))
        revcache = self.mirrors(first.authority, second.authority)
        self.assertEqual(revcache.fetch(first.url("/m.crl")).body, shaped("first"))
        self.assertEqual(second.octets, b"")

    def test_a_404_is_an_answer_and_no_failure(self):
        first, second = self.origin(), self.origin()
        first.script("/m.crl", *[Answer(status=404, body=b"none")] * 2)
        revcache = self.mirrors(first.authority, second.authority)
        self.assertIn(revcache.fetch(first.url("/m.crl")).status, (200, 404, 502))

    # Connections

    def test_connections_to_the_origin_are_kept(self):
        origin = self.origin()
        revcache = self.start([origin.authority], {"listen": {"workers": 1}})
        for number in range(10):
            self.assertEqual(revcache.fetch(origin.url("/%d" % number)).status, 200)
        self.assertEqual(origin.connections, 1)

    def test_a_kept_connection_that_died_is_replaced(self):
        origin = self.origin()
        revcache = self.start([origin.authority], {"listen": {"workers": 1}})
        for number in range(10):
            self.assertEqual(revcache.fetch(origin.url("/%d" % number)).body, b"ok")
            origin.drop_connections()

    def test_a_get_on_a_connection_that_closes_instead_is_tried_again(self):
        origin = self.origin()
        revcache = self.start([origin.authority], {"listen": {"workers": 1}})
        self.assertEqual(revcache.fetch(origin.url("/first")).status, 200)
        origin.script("/again", Answer(raw=b"", then="close"), Answer(fields=(NO_STORE,),
                                                                      body=b"second"))
        self.assertEqual(revcache.fetch(origin.url("/again")).body, b"second")

    def test_a_post_is_never_sent_twice(self):
        origin = self.origin()
        revcache = self.start([origin.authority], {"listen": {"workers": 1}})
        self.assertEqual(revcache.fetch(origin.url("/first")).status, 200)
        origin.script("/pay", *[Answer(raw=b"", then="close")] * 4)
        answer = revcache.fetch(origin.url("/pay"), method="POST", body=b"once")
        self.assertEqual(answer.status, 502)
        self.assertEqual(len(origin.seen("/pay")), 1)

    def test_pipelined_requests_are_answered_in_order(self):
        origin = self.origin()
        revcache = self.start([origin.authority])
        for number in range(20):
            origin.script("/%d" % number, Answer(fields=(LONG,), body=b"%d" % number))
        with Client(revcache.proxy) as client:
            client.send(b"".join(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"
                                 % origin.url("/%d" % number).encode() for number in range(20)))
            self.assertEqual([client.response().body for _ in range(20)],
                             [b"%d" % number for number in range(20)])

    def test_an_interim_100_is_sent_before_the_content(self):
        origin = self.origin()
        revcache = self.start([origin.authority])
        with Client(revcache.proxy) as client:
            client.send(b"POST %s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 3\r\n\r\n" % origin.url("/e").encode())
            self.assertEqual(client.reader.head().status, 100)
            client.send(b"abc")
            self.assertEqual(client.response().body, b"ok")
        self.assertEqual(origin.seen("/e")[0].body, b"abc")


if __name__ == "__main__":
    main.run()
