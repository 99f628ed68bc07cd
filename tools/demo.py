#!/usr/bin/env python3
"""The demonstration: a Cloud-PKI-like hierarchy, a CDN that takes 300 ms for each answer and then
dies, and what a client sees of it through revcache; then why NPS refuses the user all the same, and
what revcache does about it, up to a login that is accepted, and the kill switch. Each claim is
checked: the exit status is 1 if one of them is not true.

Nothing leaves this machine. The origin stands where revcache is told to expect a parent proxy, so
that the real CDN's host name can be asked for without being looked up.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from demo_responder import Responder  # noqa: E402
from demo_stage import Stage  # noqa: E402
from revcache_process import RevcacheProcess  # noqa: E402
from sample_origin import SampleOrigin  # noqa: E402
from sample_pki import CDP, SamplePki, openssl  # noqa: E402

DELAY_SECONDS = 0.3
FAST_SECONDS = 0.1  # generous: a memory hit takes well under a millisecond
# How often, and how soon, a question is asked again that waits for revcache to find the CDN back.
TRIES_MAX = 100
PAUSE_SECONDS = 0.1
# What the CDN says: usable for a day, and for a week more while the origin cannot be asked.
CACHE_CONTROL = "max-age=86400, stale-if-error=604800"


@dataclasses.dataclass
class Answer:
    status: int
    fields: dict
    body: bytes
    seconds: float


class Demonstration:
    def __init__(self, stage, folder, proxy, origin):
        self.stage = stage
        self.expect = stage.expect
        self.folder = folder
        self.proxy = f"http://127.0.0.1:{proxy.port}"
        self.origin = origin

    def ask(self, url, arguments):
        """As CryptoAPI does, through the proxy."""
        head, body = self.folder / "head", self.folder / "body"
        body.write_bytes(b"")
        done = subprocess.run(
            ["curl", "-sS", "-x", self.proxy, "--noproxy", "", "-A", "Microsoft-CryptoAPI/10.0",
             "-D", head, "-o", body, "-w", "%{http_code} %{time_total}", "-m", "20", *arguments, url],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"  curl failed: {done.stderr.strip()}")
            return Answer(0, {}, b"", 0.0)
        status, seconds = done.stdout.split()
        fields = {name.lower(): value.strip() for name, value in
                  (line.split(":", 1) for line in head.read_text().splitlines() if ":" in line)}
        return Answer(int(status), fields, body.read_bytes(), float(seconds))

    def curl(self, title, *arguments, url=CDP, enough=lambda answer: True):
        """Asks, again until an answer is enough, and shows that one."""
        self.stage.chapter(title)
        print("  $ curl -x", self.proxy, *(f"'{a}'" if " " in a else a for a in arguments),
              url.replace(CDP, "$CDP") if url == CDP or len(url) < 60 else f"…/{url.rsplit('/', 1)[1]}")
        for _ in range(TRIES_MAX):
            answer = self.ask(url, arguments)
            if enough(answer):
                break
            time.sleep(PAUSE_SECONDS)
        print(f"  {answer.status}, {len(answer.body)} bytes in {answer.seconds * 1000:.1f} ms; "
              f"Age: {answer.fields.get('age', '-')}; "
              f"Cache-Status: {answer.fields.get('cache-status', '-')}")
        return answer

    def asked(self):
        return sum(self.origin.asked.values())

    def run(self, crl):
        cold = self.curl("1. A miss: the CDN is asked, and is slow")
        self.expect("the client gets the CRL, byte for byte", cold.status == 200 and cold.body == crl)
        self.expect(f"it took the CDN's {DELAY_SECONDS * 1000:.0f} ms", cold.seconds >= DELAY_SECONDS)

        hit = self.curl("2. A hit: the CDN is not asked")
        self.expect("the same bytes", hit.status == 200 and hit.body == crl)
        self.expect("Cache-Status says hit", "hit" in hit.fields.get("cache-status", ""))
        self.expect("at once", hit.seconds < FAST_SECONDS)
        self.expect("one request reached the CDN so far", self.asked() == 1)

        etag = cold.fields.get("etag", "")
        unchanged = self.curl("3. The client revalidates its own copy", "-H", f"If-None-Match: {etag}",
                              "-H", "Cache-Control: max-age = 3600")
        self.expect("304 without a body, from the cache",
                    unchanged.status == 304 and not unchanged.body and self.asked() == 1)

        forced = self.curl("4. A forced refresh: revcache revalidates with the CDN", "-H",
                           "Cache-Control: no-cache", "-H", "Pragma: no-cache")
        self.expect("the same bytes", forced.status == 200 and forced.body == crl)
        self.expect("the CDN was asked with a condition and said 304, so no body crossed the line",
                    self.asked() == 2 and sum(self.origin.not_modified.values()) == 1)

        self.origin.go_down()
        print("\n   The CDN goes down.")
        outage = self.curl("5. An outage: clients do not notice")
        self.expect("still served, at once", outage.status == 200 and outage.body == crl and
                    outage.seconds < FAST_SECONDS)
        forced = self.curl("6. … not even those who force a refresh", "-H", "Cache-Control: no-cache")
        self.expect("the stored copy, said to be one", forced.status == 200 and forced.body == crl and
                    "stale-if-error" in forced.fields.get("cache-status", ""))
        other = self.curl("7. What was never fetched cannot be served",
                          url=CDP.replace("current.crl", "other.crl"))
        self.expect("502 or 504 in good time, not a hang", other.status in (502, 504) and
                    other.seconds < 10)
        self.origin.come_back()
        print("\n   The CDN is back. Who forces a refresh gets the copy until revcache has noticed.")
        seen = []

        def is_from_cdn(answer):
            seen.append(answer.status == 200 and answer.body == crl)
            return "fwd-status=304" in answer.fields.get("cache-status", "")

        back = self.curl("8. A forced refresh reaches it within seconds", "-H",
                         "Cache-Control: no-cache", enough=is_from_cdn)
        self.expect("validated again", is_from_cdn(back))
        self.expect("until then nobody was without an answer", all(seen))
        refused = self.curl("9. A host that is no PKI host", url="http://www.example.com/")
        self.expect("403 names the setting to change", refused.status == 403 and
                    b"destinations" in refused.body)

    def diagnose(self, binary, pki):
        """What the lab is about: the chain of the user's certificate, as NPS looks at it."""
        chain = self.folder / "user-chain.pem"
        chain.write_bytes(b"".join((pki.folder / f"{name}.pem").read_bytes()
                                   for name in ("user", "issuing")))
        command = [binary, "check", chain, "--trust", pki.root, "--via", self.proxy]
        self.stage.chapter("10. Why NPS refuses this user all the same")
        print(f"  $ revcache check user-chain.pem --trust root.pem --via {self.proxy}\n")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="")
        print(done.stderr, end="")
        report = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
        self.expect("the user's own certificate is good, by the CRL that revcache served",
                    "Cache-Status: revcache; hit" in done.stdout)
        try:
            found = json.loads(report.stdout)
            nps, ca = found["nps"], found["chain"][1]
            self.expect("the issuing CA names no CDP: reason code 258, error 853",
                        (nps["reason_code"], nps["client_error"]) == (258, 853) and
                        [finding["id"] for finding in ca["findings"]] == ["cdp-missing"])
        except (ValueError, KeyError, IndexError):
            self.expect("check gives its report as JSON", False)
        self.expect("exit status 2: nobody can say whether that CA is revoked",
                    done.returncode == 2)


def show_hierarchy(pki):
    print("\033[1mA hierarchy like Cloud PKI's\033[0m")
    for name in ("root", "issuing", "user"):
        subject = openssl("x509", "-in", pki.folder / f"{name}.pem", "-noout", "-subject").strip()
        has_cdp = "CRL Distribution" in openssl("x509", "-in", pki.folder / f"{name}.pem", "-noout",
                                                "-text")
        print(f"  {name:8} {subject}; {'CDP: $CDP' if has_cdp else 'no CDP'}")
    print(f"  CDP={CDP}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revcache", type=pathlib.Path, default="build/release/revcache")
    binary = parser.parse_args().revcache.resolve()
    stage = Stage()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended too
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # all that is asked here is on this machine
    with tempfile.TemporaryDirectory(prefix="revcache-demo-") as name, \
            SampleOrigin(DELAY_SECONDS) as origin:
        folder = pathlib.Path(name)
        pki = SamplePki(folder / "pki")
        show_hierarchy(pki)
        crl = pki.crl(revoked=12)
        origin.put(CDP.removeprefix("http://primary-cdn.pki.azure.net"), crl, "application/pkix-crl",
                   CACHE_CONTROL)
        settings = f"""[access]
destinations = ["*.pki.azure.net"]

[upstream]
parent_proxy = "http://127.0.0.1:{origin.port}"
"""
        with RevcacheProcess(binary, folder / "run", settings) as proxy:
            demonstration = Demonstration(stage, folder, proxy, origin)
            demonstration.run(crl)
            demonstration.diagnose(binary, pki)
            Responder(stage, binary, pki, origin, proxy).tell()
        print()
        stage.expect("revcache ends with status 0 when it is told to", proxy.exit_code == 0)
    print(f"\n{stage.verdict()}")
    return 1 if stage.failures else 0


if __name__ == "__main__":
    sys.exit(main())
