"""The log of a real run, in both formats: one schema, and nothing from the wire unescaped, neither in
it nor in the API nor on a terminal."""

import json
import os
import re
import sys
import unittest

from harness import main
from harness.client import Client, fetch
from harness.origin import Answer, path_of
from harness.responder import CRL_TYPE, World

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "style"))
from logs_documented_test import in_document  # noqa: E402

ODD = "odd\x1b[31m\u009b1m\u202eCA"  # a name: ESC, CSI in one character, right-to-left override
UNCLEAN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
EVERY_LINE = {"ts", "level", "event"}
LOGFMT = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |\Z)')


class Hostile(World):
    """A CA whose name is not to be shown as it is, and an origin that answers with noise."""

    def __init__(self):
        super().__init__()
        self.pki.certificate("odd", "odd", "root", "/CN=" + ODD.encode().decode("latin-1"))
        self.pki.crl("odd", "odd", number=7)
        self.bodies["/odd.crl"] = self.pki.read("odd.crl")
        self.pki.certificate("stranger", "stranger", "root", "/CN=\x1b]0;who\x07")
        self.pki.crl("stranger", "stranger", number=8)
        # At the URL of the root: of a CA that it is not.
        self.bodies["/noise.crl"] = b"\x1b[2J<html>\r\nlevel=error"

    def respond(self, asked):
        if path_of(asked.target) == "/reason.crl":
            return Answer(status=200, fields=(CRL_TYPE, "X-Odd: \x9b1m\xff"), body=b"\x30\x03\x1b[2")
        return super().respond(asked)

    def authorities(self):
        odd = {"name": "odd", "certificate": self.pki.path("odd.pem"),
               "crls": [self.origin.url("/odd.crl")], "required": False}
        return [self.authority(), odd]


def play(world, instance):
    """What clients may send, and what makes the log speak."""
    base = world.origin.url
    for url in (base("/noise.crl"), base("/reason.crl"), base("/missing.crl"), base("/a%1b%5b.crl")):
        instance.fetch(url)
    host = world.origin.authority.encode()
    for raw in (b"GET http://" + host + b"/\x1b[31m\x9b HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
                b"GET http://" + host + b"/x HTTP/1.1\r\nHost: \x1b]0;x\x07\xff\r\n\r\n",
                b"GET http://\x1b[2J/\xe2\x80\xae HTTP/1.1\r\nHost: a\r\n\r\n",
                b"\x1b[31mGET / HTTP/1.1\r\nHost: a\r\n\r\n",
                b"CONNECT \x9b1m:443 HTTP/1.1\r\nHost: \x9b1m:443\r\n\r\n"):
        with Client(instance.proxy) as client:
            client.send(raw)
            client.finish_sending()
            client.rest()
    world.bodies["/root.crl"] = world.pki.read("stranger.crl")
    world.command("refresh", "root", code=1)  # refused: it is of another CA


class Lines(unittest.TestCase):
    def logged(self, log_format):
        world = Hostile()
        self.addCleanup(world.remove)
        instance = world.configure(world.authorities(), log={"format": log_format, "access": "all",
                                                             "level": "debug"})
        self.addCleanup(instance.remove)
        instance.start()
        try:
            world.wait_until_ready()
            play(world, instance)
            instance.logged("refresh refused")
            self.answers = [self.answer(instance, path) for path in
                            ("authorities", "crls", "status", "audit", "decisions")]
            self.shown = world.command("status")
        finally:
            instance.stop()
        with open(instance.log_path, encoding="utf-8", errors="strict", newline="") as file:
            return file.read()

    def answer(self, instance, path):
        got = fetch(instance.admin, "/api/v1/" + path, host="%s:%d" % instance.admin)
        self.assertEqual(got.status, 200, path)
        return got.body.decode("utf-8")

    def check_lines(self, lines):
        """`lines`: dicts."""
        documented = in_document()
        events = {line["event"] for line in lines}
        self.assertLessEqual({"request", "serving", "CRL accepted", "body refused", "stopped",
                              "refresh refused"}, events)
        for line in lines:
            self.assertIn(line["event"], documented)
            levels, fields = documented[line["event"]]
            self.assertIn(line["level"], levels, line)
            self.assertLessEqual(line.keys() - EVERY_LINE, fields, line)
            self.assertRegex(line["ts"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")

    def check_clean(self, text):
        for line in text.split("\n"):
            self.assertIsNone(UNCLEAN.search(line), repr(line))

    def test_json(self):
        log = self.logged("json")
        self.check_clean(log)
        lines = [json.loads(line) for line in log.splitlines()]
        self.check_lines(lines)
        self.assertTrue(any("odd" in line.get("issuer", "") for line in lines), "it is told")
        for answer in self.answers:
            self.check_clean(answer)
            json.loads(answer)
        self.assertIn("odd", self.answers[0])
        self.check_clean(self.shown)

    def test_logfmt(self):
        log = self.logged("logfmt")
        self.check_clean(log)
        lines = []
        for line in log.splitlines():
            fields = LOGFMT.findall(line)
            self.assertEqual(" ".join("%s=%s" % field for field in fields), line)
            lines.append({key: json.loads(value) if value.startswith('"') else value
                          for key, value in fields})
        self.check_lines(lines)


if __name__ == "__main__":
    main.run()
