"""Real peers through the proxy: curl, openssl, and clients that are older than the Host field."""

import os
import subprocess
import unittest

from harness import main
from harness.client import Client
from harness.origin import Answer, Origin
from harness.pki import COMMAND_TIMEOUT, Authority, openssl
from harness.process import Revcache, free_port

LONG = "Cache-Control: max-age=1000"
CRL_TYPE = "Content-Type: application/pkix-crl"


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.authority = Authority(cls.origin.url("/ca.crl"), cls.origin.url("/ocsp"))
        cls.addClassCleanup(cls.authority.remove)
        cls.good, cls.bad = cls.authority.issue("good"), cls.authority.issue("bad")
        cls.authority.revoke(cls.bad)
        cls.crl = cls.authority.crl()
        cls.revcache = Revcache(main.binary(), [cls.origin.authority],
                                {"access": {"connect": [cls.origin.authority]}})
        cls.revcache.start()
        cls.addClassCleanup(cls.revcache.remove)
        cls.addClassCleanup(cls.revcache.stop)
        cls.proxy = "http://%s:%d" % cls.revcache.proxy

    def curl(self, *arguments, expect=0):
        result = subprocess.run(
            ("curl", "--silent", "--show-error", "--max-time", "60", "--proxy", self.proxy,
             "--noproxy", "") + arguments, capture_output=True, timeout=COMMAND_TIMEOUT,
            stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(result.returncode, expect, result.stderr)
        return result.stdout

    def serve(self, path, *fields, body=None, **options):
        self.origin.script(path, *[Answer(fields=fields, body=body, **options)] * 5)

    # curl

    def test_curl_gets_a_crl_and_then_its_cached_copy(self):
        self.serve("/curl.crl", LONG, CRL_TYPE, body=self.crl)
        url = self.origin.url("/curl.crl")
        self.assertEqual(self.curl(url), self.crl)
        self.assertEqual(self.curl(url), self.crl)
        self.assertEqual(len(self.origin.seen("/curl.crl")), 1)

    def test_curl_head(self):
        self.serve("/head.crl", LONG, CRL_TYPE, body=self.crl)
        self.curl(self.origin.url("/head.crl"))
        head = self.curl("--head", self.origin.url("/head.crl")).decode()
        self.assertIn("Content-Length: %d" % len(self.crl), head)
        self.assertIn("Cache-Status: revcache; hit", head)

    def test_curl_post(self):
        self.serve("/post", body=b"posted")
        self.assertEqual(self.curl("--data-binary", "a=1", self.origin.url("/post")), b"posted")
        self.assertEqual(self.origin.seen("/post")[0].body, b"a=1")

    def test_curl_post_with_expect_100_continue(self):
        self.serve("/expect", body=b"posted")
        data = self.authority.write("post.bin", b"x" * 300000)
        self.assertEqual(self.curl("--header", "Expect: 100-continue", "--data-binary",
                                   "@" + data, self.origin.url("/expect")), b"posted")
        self.assertEqual(len(self.origin.seen("/expect")[0].body), 300000)

    def test_curl_post_chunked(self):
        self.serve("/chunked", body=b"posted")
        data = self.authority.write("chunked.bin", b"y" * 100000)
        self.assertEqual(self.curl("--header", "Transfer-Encoding: chunked", "--data-binary",
                                   "@" + data, self.origin.url("/chunked")), b"posted")
        self.assertEqual(self.origin.seen("/chunked")[0].body, b"y" * 100000)

    def test_curl_http_1_0(self):
        self.serve("/old", LONG, body=b"old", framing="chunked")
        for _ in range(2):
            self.assertEqual(self.curl("--http1.0", self.origin.url("/old")), b"old")
        self.assertEqual(len(self.origin.seen("/old")), 1)

    def test_curl_several_urls_over_one_connection(self):
        self.serve("/many", LONG, body=b"m")
        counted = self.curl("--write-out", "%{num_connects}", *[self.origin.url("/many")] * 4)
        self.assertEqual(counted, b"m1m0m0m0")

    def test_curl_conditional_by_etag(self):
        self.serve("/tag", LONG, 'ETag: "e"', body=b"tagged")
        url = self.origin.url("/tag")
        self.curl(url)
        status = self.curl("--write-out", "%{http_code}", "--header", 'If-None-Match: "e"', url)
        self.assertEqual(status, b"304")

    def test_curl_range(self):
        self.serve("/range", LONG, 'ETag: "e"', body=b"0123456789")
        self.curl(self.origin.url("/range"))
        self.assertEqual(self.curl("--range", "2-4", self.origin.url("/range")), b"234")

    def test_curl_large_body_through_the_proxy(self):
        body = os.urandom(1 << 20) * 8
        self.serve("/large.bin", "Cache-Control: no-store", body=body)
        self.assertEqual(self.curl(self.origin.url("/large.bin")), body)

    def test_curl_tunnels_with_connect(self):
        self.serve("/tunnel", body=b"through")
        self.assertEqual(self.curl("--proxytunnel", self.origin.url("/tunnel")), b"through")
        self.assertFalse(self.origin.seen("/tunnel")[0].fields.has("Via"))

    def test_curl_tunnel_to_elsewhere_is_refused(self):
        dead = "http://127.0.0.1:%d/" % free_port("127.0.0.1")
        self.curl("--proxytunnel", dead, expect=56)

    # openssl ocsp and verify

    def respond(self):
        def answer(request):
            return Answer(fields=(LONG, "Content-Type: application/ocsp-response"),
                          body=self.authority.ocsp_response(request.body))
        self.origin.fallback = answer

    def ocsp(self, certificate, *options):
        return openssl("ocsp", "-issuer", self.authority.root, "-CAfile", self.authority.root,
                       "-cert", certificate, "-host", "%s:%d" % self.revcache.proxy, "-path",
                       self.origin.url("/ocsp"), "-timeout", "60", *options,
                       check=False).stdout.decode()

    def test_openssl_ocsp_asks_through_the_proxy(self):
        self.respond()
        before = len(self.origin.seen("/ocsp"))
        for _ in range(3):
            self.assertIn("good.pem: good", self.ocsp(self.good, "-no_nonce"))
            self.assertIn("bad.pem: revoked", self.ocsp(self.bad, "-no_nonce"))
        self.assertEqual(len(self.origin.seen("/ocsp")) - before, 2)

    def test_openssl_ocsp_with_a_nonce_is_asked_upstream(self):
        self.respond()
        before = len(self.origin.seen("/ocsp"))
        for _ in range(2):
            self.assertIn("good.pem: good", self.ocsp(self.good, "-nonce"))
        self.assertEqual(len(self.origin.seen("/ocsp")) - before, 2)

    def verify(self, certificate):
        # OpenSSL 3.0 sends CRL fetches to the proxy that the environment names.
        return openssl("verify", "-CAfile", self.authority.root, "-crl_check", "-crl_download",
                       certificate, check=False,
                       env={"http_proxy": self.proxy, "HTTP_PROXY": self.proxy, "no_proxy": "",
                            "NO_PROXY": ""})

    def test_openssl_verify_downloads_the_crl_through_the_proxy(self):
        self.serve("/ca.crl", LONG, CRL_TYPE, body=self.crl)
        before = len(self.origin.seen("/ca.crl"))
        good = self.verify(self.good)
        self.assertEqual(good.returncode, 0, good.stderr)
        bad = self.verify(self.bad)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn(b"revoked", bad.stderr + bad.stdout)
        self.assertEqual(len(self.origin.seen("/ca.crl")) - before, 1)
        self.assertIn("Via", [name for name, _ in self.origin.seen("/ca.crl")[-1].fields])

    # Older clients

    def raw(self, data):
        with Client(self.revcache.proxy) as client:
            client.send(data)
            response = client.response()
            self.assertTrue(client.closed())
        return response

    def test_http_1_0_absolute_form_without_any_field(self):
        self.serve("/bare.crl", LONG, CRL_TYPE, body=self.crl)
        for _ in range(2):
            response = self.raw(b"GET %s HTTP/1.0\r\n\r\n"
                                % self.origin.url("/bare.crl").encode())
            self.assertEqual((response.status, response.body), (200, self.crl))
            self.assertFalse(response.fields.has("Transfer-Encoding"))
        self.assertEqual(len(self.origin.seen("/bare.crl")), 1)

    def test_http_1_0_post_without_host(self):
        self.serve("/barepost", body=b"posted")
        response = self.raw(b"POST %s HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"
                            % self.origin.url("/barepost").encode())
        self.assertEqual(response.body, b"posted")
        self.assertEqual(self.origin.seen("/barepost")[0].fields.get("Host"),
                         self.origin.authority)

    def test_cryptoapi_as_it_asks(self):
        self.serve("/crypto.crl", LONG, CRL_TYPE, 'ETag: "c"', body=self.crl)
        url = self.origin.url("/crypto.crl")
        common = ("Proxy-Connection: Keep-Alive", "Accept: */*",
                  "User-Agent: Microsoft-CryptoAPI/10.0")
        with Client(self.revcache.proxy) as client:
            self.assertEqual(client.ask(url, *common).body, self.crl)
            again = client.ask(url, "Cache-Control: max-age = 3600", 'If-None-Match: "c"', *common)
            self.assertEqual(again.status, 304)
        self.assertEqual(len(self.origin.seen("/crypto.crl")), 1)


if __name__ == "__main__":
    main.run()
