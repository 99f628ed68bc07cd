"""docs/openapi.yaml against the running binary: the document is well-formed, has every call that the
binary has and no other, and every real answer is of the form that it promises."""

import base64
import json
import os
import re
import sys
import unittest

try:
    import jsonschema
    import yaml
except ModuleNotFoundError as missing:
    # Debian's modules belong to Debian's Python, whichever is the first one in PATH.
    DEBIAN = "/usr/bin/python3"
    if os.path.realpath(sys.executable) == os.path.realpath(DEBIAN):
        sys.exit("%s: install python3-jsonschema and python3-yaml" % missing)
    os.execv(DEBIAN, [DEBIAN, "-B"] + sys.argv)

from harness import main
from harness.client import fetch
from harness.hierarchy import Hierarchy
from harness.origin import Answer, Origin, path_of
from harness.process import Revcache

DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "openapi.yaml")
TOKEN = "5ecret-of-this-test"
BEARER = "Authorization: Bearer " + TOKEN
JSON = "Content-Type: application/json"
CRL_TYPE = "Content-Type: application/pkix-crl"
METHODS = {"get", "put", "post", "delete", "patch"}


def document():
    with open(DOCUMENT, encoding="utf-8") as file:
        return yaml.safe_load(file)


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def operations(api):
    """(path, method, operation) of each."""
    for path, item in api["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


class Document(unittest.TestCase):
    """What OpenAPI 3.1 demands of a document, as far as this one uses it."""

    @classmethod
    def setUpClass(cls):
        cls.api = document()

    def target(self, reference):
        self.assertTrue(reference.startswith("#/"), reference)
        node = self.api
        for part in reference[2:].split("/"):
            self.assertIn(part, node, reference)
            node = node[part]
        return node

    def test_every_reference_has_its_target_and_every_component_is_used(self):
        used = set(references(self.api))
        for reference in used:
            self.target(reference)
        for kind in ("schemas", "responses", "parameters"):
            for name in self.api["components"][kind]:
                self.assertIn("#/components/%s/%s" % (kind, name), used)

    def test_every_schema_is_json_schema(self):
        for name, schema in self.api["components"]["schemas"].items():
            with self.subTest(schema=name):
                jsonschema.Draft202012Validator.check_schema(schema)
        for path, method, operation in operations(self.api):
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    with self.subTest(path=path, method=method):
                        jsonschema.Draft202012Validator.check_schema(content["schema"])

    def test_it_has_what_every_document_needs(self):
        self.assertRegex(self.api["openapi"], r"^3\.1\.\d+$")
        self.assertLessEqual({"title", "version"}, set(self.api["info"]))
        tags = {tag["name"] for tag in self.api["tags"]}
        seen = set()
        for path, method, operation in operations(self.api):
            with self.subTest(path=path, method=method):
                self.assertNotIn(operation["operationId"], seen)
                seen.add(operation["operationId"])
                self.assertLessEqual(set(operation["tags"]), tags)
                self.assertTrue(operation["summary"])
                self.assertIn("default", operation["responses"])
                for code, response in operation["responses"].items():
                    self.assertRegex(str(code), r"^([1-5]\d\d|default)$")
                    self.assertTrue("$ref" in response or "description" in response)
                placeholders = set(re.findall(r"{(\w+)}", path))
                declared = {one["name"] for one in operation.get("parameters", [])
                            if one.get("in") == "path"}
                self.assertEqual(placeholders, declared)

    def test_changes_need_the_token_and_nothing_else_does(self):
        changes = {"revoke", "unrevoke", "refresh", "purge", "resetFloor"}
        for _, _, operation in operations(self.api):
            needs = operation.get("security") == [{"token": []}]
            self.assertEqual(needs, operation["operationId"] in changes, operation["operationId"])


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.api = document()
        cls.pki = Hierarchy("http://cdp.test")
        cls.addClassCleanup(cls.pki.remove)
        cls.pki.certificate("ocsp", "root", "ocsp_signer")
        os.chmod(cls.pki.path("ocsp.key"), 0o600)
        cls.pki.crl("root", "root", number=0x1000)
        cls.pki.write("token", TOKEN + "\n")
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        cls.origin.fallback = cls.respond
        cls.known = cls.origin.url("/root.crl")
        settings = {"refresh": {"interval": "1h", "urls": [cls.origin.url("/none.crl")]},
                    "admin": {"token_file": cls.pki.path("token")},
                    "signer": [{"name": "ocsp", "certificate": cls.pki.path("ocsp.pem"),
                                "key": cls.pki.path("ocsp.key")}],
                    "authority": [{"name": "root", "certificate": cls.pki.path("root.pem"),
                                   "crls": [cls.known], "signer": "ocsp"},
                                  {"name": "issuing", "required": False,
                                   "certificate": cls.pki.path("issuing.pem")}]}
        cls.revcache = Revcache(main.binary(), [cls.origin.authority], settings)
        cls.addClassCleanup(cls.revcache.remove)
        cls.revcache.start()
        cls.addClassCleanup(lambda: cls.revcache.stop())
        cls.revcache.wait_until_ready()
        cls.revcache.fetch(cls.known)

    @classmethod
    def respond(cls, request):
        if path_of(request.target) != "/root.crl":
            return Answer(status=404, fields=("Cache-Control: no-store",))
        return Answer(fields=("Cache-Control: max-age=1000", CRL_TYPE),
                      body=cls.pki.read("root.crl"))

    @classmethod
    def host(cls):
        return "%s:%d" % cls.revcache.admin

    def ask(self, path, body=None, *lines):
        if body is None:
            return fetch(self.revcache.admin, path, *lines, host=self.host())
        return fetch(self.revcache.admin, path, JSON, *lines, method="POST",
                     body=json.dumps(body).encode(), host=self.host())

    def check(self, path, answer, method="get"):
        """The answer is one that the document has for its status."""
        item = self.api["paths"][path.split("?")[0]][method]
        response = item["responses"].get(str(answer.status), item["responses"]["default"])
        if "$ref" in response:
            response = self.api["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        media = answer.fields.get("content-type").split(";")[0]
        self.assertIn(media, response["content"], answer.body)
        if media != "application/json":
            return answer.body.decode()
        value = json.loads(answer.body)
        schema = {**response["content"][media]["schema"], "components": self.api["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)
        return value

    def question(self, name):
        body = self.api["paths"]["/api/v1/" + name]["post"]["requestBody"]
        return {**body["content"]["application/json"]["schema"],
                "components": self.api["components"]}

    def call(self, name, body, *lines, status=200):
        """A POST whose body is as the document has it."""
        jsonschema.Draft202012Validator(self.question(name)).validate(body)
        answer = self.ask("/api/v1/" + name, body, *lines)
        self.assertEqual(answer.status, status, answer.body)
        return self.check("/api/v1/" + name, answer, "post")

    def read(self, path):
        answer = self.ask(path)
        self.assertEqual(answer.status, 200, answer.body)
        return self.check(path, answer)

    def test_the_document_has_every_call_of_the_binary_and_no_other(self):
        listed = set()
        for line in self.ask("/api/v1").body.decode().splitlines():
            call = re.match(r"(GET|POST) +(/\S+)", line)
            page = re.match(r"(/\S+)\s", line)
            if call:
                listed.add((call[2], call[1].lower()))
            elif page:
                listed.add((page[1].replace("<name>", "{name}"), "get"))
        documented = {(path, method) for path, method, _ in operations(self.api)}
        self.assertEqual(listed - {("/", "get")}, documented)

    def test_status_authorities_and_config(self):
        status = self.read("/api/v1/status")
        self.assertEqual([one["name"] for one in status["authorities"]], ["root", "issuing"])
        self.assertEqual(status["authorities"][0]["evidence"]["kind"], "crl")
        self.assertTrue(status["authorities"][0]["signer"]["usable"])
        self.assertEqual(self.read("/api/v1/authorities")["authorities"][1]["name"], "issuing")
        config = self.read("/api/v1/config")
        self.assertEqual(config["config"]["authority"][0]["name"], "root")
        self.assertNotIn(TOKEN, json.dumps(config))

    def test_crls_and_upstreams(self):
        crls = self.read("/api/v1/crls")
        self.assertEqual([one["url"] for one in crls["crls"]], [self.known])
        self.assertEqual(crls["crls"][0]["number"], "1000")
        upstreams = self.read("/api/v1/upstreams")["upstreams"]
        self.assertTrue(any(one["up"] for one in upstreams), upstreams)

    def test_changes_and_what_is_told_of_them(self):
        certificate = base64.b64encode(self.pki.read("issuing.cer")).decode()
        serial = self.pki.serials["issuing"]
        self.assertEqual(self.call("explain", {"certificate": certificate})["outcome"], "good")
        order = {"authority": "root", "serial": serial, "reason": "keyCompromise", "note": "test"}
        self.call("revoke", order, BEARER)
        self.assertEqual(self.call("explain", {"certificate": certificate})["outcome"], "revoked")
        self.assertEqual(len(self.read("/api/v1/revoked")["revoked"]), 1)
        self.assertEqual(self.read("/api/v1/status")["authorities"][0]["revoked_by_hand"], 1)
        self.call("unrevoke", {"authority": "root", "serial": serial}, BEARER)
        refreshed = self.call("refresh", {"authority": "root"}, BEARER)["refreshed"]
        self.assertEqual(refreshed[0]["url"], self.known)
        self.call("floor/reset", {"authority": "root"}, BEARER)
        self.call("purge", {"url": self.known, "dry_run": True}, BEARER)
        changes = [one["change"] for one in self.read("/api/v1/audit?entries=9")["entries"]]
        self.assertLessEqual({"revoke", "unrevoke", "floor_reset"}, set(changes))

    def test_decisions(self):
        openssl_ask(self.pki, self.revcache, "/ocsp/root")
        entries = self.read("/api/v1/decisions")["entries"]
        self.assertEqual(entries[0]["authority"], "root")

    def test_check(self):
        chain = self.pki.read("issuing.pem") + self.pki.read("root.pem")
        self.call("check", {"chain": base64.b64encode(chain).decode()})

    def test_refusals(self):
        self.call("revoke", {"authority": "root", "serial": "01"}, status=401)
        self.call("revoke", {"authority": "nobody", "serial": "01"}, BEARER, status=404)
        answer = self.ask("/api/v1/revoke", {"authority": "root", "serial": "xyz"}, BEARER)
        self.assertEqual(answer.status, 400)
        self.check("/api/v1/revoke", answer, "post")
        self.assertEqual(self.ask("/api/v1/status", {}).status, 405)

    def test_probes(self):
        for path in ("/metrics", "/livez", "/readyz", "/api/v1"):
            self.assertTrue(self.read(path))
        answer = self.ask("/health/ca/root")
        self.assertEqual((answer.status, answer.body[:2]), (200, b"ok"))
        self.check("/health/ca/{name}", answer)
        self.assertEqual(self.ask("/health/ca/nobody").status, 404)


def openssl_ask(pki, revcache, path):
    from harness.pki import openssl
    openssl("ocsp", "-issuer", pki.path("root.pem"), "-cert", pki.path("issuing.pem"), "-no_nonce",
            "-reqout", pki.path("question.der"))
    answer = revcache.fetch(path, "Content-Type: application/ocsp-request", method="POST",
                            body=pki.read("question.der"), host="%s:%d" % revcache.proxy)
    assert answer.status == 200, answer.body


if __name__ == "__main__":
    main.run()
