"""`revcache windows-kit`: what it writes is well-formed for whoever reads it. No PowerShell runs here:
the scripts are looked at by a small tokenizer, their data by openssl, JSON, XML and HTML parsers."""

import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import main
from harness.pki import Authority, openssl

URL = "http://revcache.corp.example:3128"
CONFIG = """
[listen]
proxy = ["0.0.0.0:3128"]
names = ["revcache.corp.example"]
[[signer]]
name = "ocsp"
certificate = "{directory}/ocsp.pem"
key = "{directory}/ocsp.key"
[[authority]]
name = "test-root"
certificate = "{root}"
crls = ["http://crl.example/root.crl"]
signer = "ocsp"
"""
# Commands of Windows PowerShell 5.1 that the scripts use; any other Verb-Noun must be a function.
CMDLETS = set("""
Add-Type Copy-Item ConvertFrom-Json ConvertTo-Json ForEach-Object Get-Acl Get-ChildItem Get-Content
Get-Date Get-FileHash Get-Item Get-ItemProperty Get-ScheduledTask Get-WinEvent Group-Object
Join-Path Move-Item New-ItemProperty New-Object Register-ScheduledTask Remove-Item
Remove-ItemProperty Resolve-Path Restart-Service Select-Object Set-Content Set-StrictMode
Sort-Object Start-ScheduledTask Stop-ScheduledTask Test-Path Unregister-ScheduledTask Where-Object
Write-Host Write-Output Write-Verbose Write-Warning
""".split())
CLOSING = {")": "(", "]": "[", "}": "{"}


class Unbalanced(Exception):
    """A bracket or a quote without its other half."""


def code_of(text):
    """`text` with comments and strings blanked; raises Unbalanced. Expressions in expandable
    strings, "$(…)", stay: they are code."""
    out = []
    open_brackets = []  # a bracket, or '"' for an expandable string
    at = 0
    while at < len(text):
        char = text[at]
        if open_brackets and open_brackets[-1] == '"':
            if char == "`":
                at += 2
            elif text[at:at + 2] == "$(":
                open_brackets.append("(")
                out.append(" (")
                at += 2
            elif text[at:at + 2] == '""':
                at += 2
            else:
                if char == '"':
                    open_brackets.pop()
                out.append("\n" if char == "\n" else " ")
                at += 1
            continue
        end = None
        if text.startswith("<#", at):
            end = text.find("#>", at) + 2
        elif char == "#":
            end = text.find("\n", at)
        elif char == "'":
            end = at + 1
            while text[end:end + 1] != "'" or text[end:end + 2] == "''":
                end += 2 if text[end:end + 2] == "''" else 1
                if end >= len(text):
                    raise Unbalanced("' at %d" % at)
            end += 1
        if end is not None:
            if end < 2 or end <= at:
                raise Unbalanced("%s at %d" % (char, at))
            out.append(re.sub(r"[^\n]", " ", text[at:end]))
            at = end
            continue
        if char == '"':
            open_brackets.append(char)
            char = " "
        elif char in "([{":
            open_brackets.append(char)
        elif char in CLOSING:
            if not open_brackets or open_brackets.pop() != CLOSING[char]:
                raise Unbalanced("%s at %d" % (char, at))
        elif char == "`":
            out.append("  ")
            at += 2
            continue
        out.append(char)
        at += 1
    if open_brackets:
        raise Unbalanced("open at the end: %s" % open_brackets)
    return "".join(out)


class Tokenizer(unittest.TestCase):
    def test_it_knows_code_from_text(self):
        for text, code in (("a 'b''c' d", "a        d"), ('"x$(f \'y\')z" g', "    (f    )   g"),
                           ("<# ( #> a # (\nb", "         a    \nb"), ('"a`"b" c', "     c")):
            self.assertEqual(code_of(text).split(), code.split(), text)

    def test_it_finds_what_is_not_closed(self):
        for text in ("(", "{)", "'a", '"a', '"$(a"', "a)", "<# a"):
            with self.assertRaises(Unbalanced, msg=text):
                code_of(text)


class WindowsKit(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="revcache-kit-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.kit = os.path.join(self.directory, "kit")
        self.authority = Authority()
        self.addCleanup(self.authority.remove)
        self.revcache("signer", "new", "--name", "ocsp", "--out", self.directory)
        config = os.path.join(self.directory, "c.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(directory=self.directory, root=self.authority.root))
        self.said = self.revcache("windows-kit", "-c", config, "--out", self.kit).stdout

    def revcache(self, *arguments):
        result = subprocess.run([main.binary(), *arguments], capture_output=True, text=True,
                                timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def read(self, name):
        with open(os.path.join(self.kit, name), "rb") as file:
            return file.read()

    def scripts(self):
        return [name for name in sorted(os.listdir(self.kit)) if name.endswith(".ps1")]

    def script(self, name):
        return self.read(name).decode("utf-8-sig").replace("\r\n", "\n")

    def test_property_81_is_what_openssl_writes_into_certificates(self):
        access = self.read("ca-test-root-ocsp.der")
        config = os.path.join(self.directory, "aia.cnf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("[req]\ndistinguished_name=n\nx509_extensions=e\n[n]\n[e]\n"
                       "authorityInfoAccess=OCSP;URI:%s/ocsp/test-root\n" % URL)
        certificate = openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                              "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                              os.path.join(self.directory, "aia.key"), "-subj", "/CN=a", "-config",
                              config, "-outform", "DER").stdout
        self.assertIn(b"\x04" + bytes([len(access)]) + access, certificate)
        parsed = openssl("asn1parse", "-inform", "DER", "-in",
                         os.path.join(self.kit, "ca-test-root-ocsp.der")).stdout.decode()
        self.assertRegex(parsed, r"OBJECT\s+:OCSP")

    def test_the_inf_has_the_octets_of_the_der(self):
        lines = self.read("ca-test-root-ocsp.inf").decode("ascii").split("\r\n")
        self.assertEqual(lines[:2], ["[Properties]", '81 = "{hex}"'])
        octets = "".join(re.fullmatch(r'_continue_ = "([0-9a-f ]+)"', line).group(1)
                         for line in lines[2:-1])
        self.assertTrue(all(len(line) <= 14 + 48 for line in lines[2:-1]))
        joined = " ".join(re.findall(r'"([0-9a-f ]+)"', "\n".join(lines[2:])))
        self.assertEqual(bytes.fromhex(joined), self.read("ca-test-root-ocsp.der"))
        self.assertTrue(octets)
        self.assertEqual(self.read("ca-test-root-ocsp-remove.inf"), b"[Properties]\r\n81 =\r\n")

    def test_certificates_are_der_with_the_thumbprints_named(self):
        kit = json.loads(self.read("kit.json"))
        own = kit["authorities"][0]
        self.assertEqual(hashlib.sha1(self.read(own["certificate"])).hexdigest().upper(),
                         own["thumbprint"])
        for name in (own["certificate"], own["signer"]["trust"][0]["file"]):
            openssl("x509", "-inform", "DER", "-in", os.path.join(self.kit, name), "-noout")
        self.assertIn(own["signer"]["trust"][0]["sha256"], self.said)

    def test_the_manifest_is_right(self):
        manifest = json.loads(self.read("manifest.json"))
        names = [one["name"] for one in manifest["files"]]
        self.assertEqual(sorted(names + ["manifest.json"]), sorted(os.listdir(self.kit)))
        for one in manifest["files"]:
            self.assertEqual(hashlib.sha256(self.read(one["name"])).hexdigest(), one["sha256"])

    def test_scripts_are_balanced_and_call_what_there_is(self):
        self.assertEqual(len(self.scripts()), 6)
        shared = set(re.findall(r"(?m)^function ([\w-]+)", self.script("RevcacheKit.ps1")))
        for name in self.scripts():
            with self.subTest(script=name):
                text = self.script(name)
                self.assertTrue(text.isascii())
                code = code_of(text)
                known = CMDLETS | shared | set(re.findall(r"(?m)^function ([\w-]+)", code))
                called = set(re.findall(r"(?<![\w$.:-])[A-Z][a-zA-Z]+-[A-Z][a-zA-Z0-9]+", code))
                self.assertEqual(called - known, set())

    def test_scripts_that_change_something_can_be_tried_without(self):
        for name in self.scripts():
            text = self.script(name)
            if name in ("RevcacheKit.ps1", "Test-Revcache.ps1"):
                continue
            self.assertIn("[CmdletBinding(SupportsShouldProcess = $true", text, name)
            self.assertIn("$PSCmdlet.ShouldProcess(", text, name)
            self.assertIn("Assert-Elevated\n", text, name)

    def test_what_installation_remembers_is_what_the_way_back_reads(self):
        key = r'\$State\[["\']([\w.]+?)(?:\.?["\'$])'
        written = set(re.findall(key, self.script("Install-Revcache.ps1")))
        self.assertGreaterEqual(len(written), 5)
        back = self.script("Uninstall-Revcache.ps1")
        for one in written:
            self.assertIn(one.split(".")[0], back)

    def test_no_script_names_this_installation(self):
        for name in self.scripts() + ["Native.cs", "Sync-RevcacheCrl.task.xml"]:
            text = self.read(name)
            self.assertNotIn(b"revcache.corp.example", text, name)
            self.assertNotIn(b"test-root", text, name)

    def test_every_file_that_a_script_names_is_there(self):
        for name in self.scripts():
            for other in re.findall(r"'([\w.-]+\.(?:ps1|xml|json|cs))'", self.script(name)):
                self.assertTrue(other in os.listdir(self.kit) or other == "state.json",
                                "%s names %s" % (name, other))

    def test_the_task_runs_the_script_hourly_as_system(self):
        # Register-ScheduledTask takes it as text: a declared encoding would be a wrong one.
        self.assertNotIn(b"encoding", self.read("Sync-RevcacheCrl.task.xml"))
        task = xml.etree.ElementTree.fromstring(self.read("Sync-RevcacheCrl.task.xml"))
        space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
        self.assertEqual(task.findtext(".//t:Repetition/t:Interval", None, space), "PT1H")
        self.assertEqual(task.findtext(".//t:UserId", None, space), "S-1-5-18")
        self.assertIn("Sync-RevcacheCrl.ps1", task.findtext(".//t:Arguments", None, space))

    def test_the_policy_page_is_complete(self):
        page = self.read("gpo.html").decode("utf-8")
        self.assertNotRegex(page, r"@[A-Z_]+@")
        open_tags = []

        class Parser(html.parser.HTMLParser):
            def handle_starttag(self, tag, attrs):
                if tag != "meta":
                    open_tags.append(tag)

            def handle_endtag(self, tag):
                assert open_tags.pop() == tag, tag

        Parser().feed(page)
        self.assertEqual(open_tags, [])
        self.assertIn(URL + "/ocsp/test-root", page)
        self.assertNotRegex(self.read("README.txt").decode("utf-8"), r"@[A-Z_]+@")


if __name__ == "__main__":
    main.run()
