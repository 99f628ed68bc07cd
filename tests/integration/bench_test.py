"""revcache-bench: a scenario of two seconds through the real proxy, its reports, its exit codes."""

import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import main
from harness.der import shaped
from harness.origin import Answer, Origin
from harness.process import Revcache

SCENARIO = """
[scenario]
name = "two-seconds"
about = "Known CRLs, cold and revalidated, on kept connections and new ones"
duration = "2s"
timeout = "60s"

[[object]]
name = "known"
url = "http://{origin}/known-{n}.crl"
copies = 5

[[object]]
name = "one"
url = "http://{origin}/one.crl"
bodies = ["one.crl"]

[[load]]
name = "cold"
steps = ["known"]
rate = "100/s"

[[load]]
name = "revalidate"
steps = ["one"]
form = "revalidate_etag"
rate = "20/s"
connections = 1

[[load]]
name = "new"
steps = ["one", "known"]
arrivals = "burst"
burst = 5
every = "500ms"
connection = "new"

[[claim]]
text = "nothing fails"
failed_max = 0

[[claim]]
text = "nobody waits"
waited_max = %d
"""
LOAD_KEYS = {"name", "arrivals", "failed", "requests", "waited_for_upstream", "from_client_cache",
             "retries", "connections", "body_bytes", "latency_us", "service_us", "outcomes", "cache",
             "status", "series"}
KEYS = {"schema", "scenario", "about", "compressed", "target", "started", "seed", "duration_seconds",
        "took_seconds", "slot_seconds", "in_flight_max", "generator_late_us", "total", "loads",
        "objects", "claims"}


class BenchRun(unittest.TestCase):
    def setUp(self):
        self.program = os.path.join(os.path.dirname(main.binary()), "revcache-bench")
        self.origin = Origin()
        self.addCleanup(self.origin.stop)
        self.origin.fallback = lambda request: Answer(
            fields=("Cache-Control: max-age=1000", 'ETag: "e"'),
            body=shaped("x", 900), revalidates=True)
        self.folder = tempfile.TemporaryDirectory(prefix="revcache-test-")
        self.addCleanup(self.folder.cleanup)
        self.write("one.crl", shaped("x", 900))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def bench(self, *arguments):
        return subprocess.run([self.program, "run", "--scenario", self.path("s.toml"), "--set",
                               "origin=" + self.origin.authority, *arguments],
                              capture_output=True, text=True, check=False, timeout=300)

    def run_through(self, waited_max):
        """Runs the scenario through a proxy that knows all of it; (completed process, document)."""
        self.write("s.toml", (SCENARIO % waited_max).encode())
        with Revcache(main.binary(), [self.origin.authority]) as revcache:
            for path in ["/one.crl"] + ["/known-%d.crl" % number for number in range(5)]:
                self.assertEqual(revcache.fetch(self.origin.url(path)).status, 200)
            self.asked = len(self.origin.requests)
            done = self.bench("--proxy", "http://%s:%d" % revcache.proxy, "--json",
                              self.path("r.json"), "--html", self.path("r.html"))
        with open(self.path("r.json"), encoding="utf-8") as file:
            return done, json.load(file)

    def test_runs_a_scenario_and_says_what_it_found(self):
        done, document = self.run_through(waited_max=0)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set(document), KEYS)
        self.assertEqual(document["schema"], 1)
        for load in [document["total"], *document["loads"]]:
            self.assertEqual(set(load), LOAD_KEYS)
            self.assertEqual(load["failed"], 0)
            self.assertEqual(load["outcomes"]["right"], load["arrivals"])
            self.assertEqual(load["cache"]["hit"], load["requests"])
            self.assertEqual(sum(step["due"] for step in load["series"]), load["arrivals"])
            self.assertLessEqual(load["latency_us"]["percentiles"]["50"], load["latency_us"]["max"])
        cold, revalidate, new = document["loads"]
        self.assertEqual(new["arrivals"], 20)
        self.assertEqual(new["requests"], 40)
        self.assertEqual(new["connections"], 40)
        self.assertLess(cold["connections"], cold["requests"])
        # All but the first, if no other load was quicker to learn the ETag.
        self.assertGreaterEqual(revalidate["status"]["304"], revalidate["arrivals"] - 1)
        self.assertEqual([claim["held"] for claim in document["claims"]], [True, True])
        self.assertEqual(len(self.origin.requests), self.asked)  # the proxy had it all
        self.assertIn("held      nothing fails", done.stdout)
        self.assertEqual(done.stderr, "")  # the progress line is for terminals

    def test_the_page_is_well_formed_and_needs_nothing_else(self):
        self.run_through(waited_max=0)
        with open(self.path("r.html"), encoding="utf-8") as file:
            page = xml.etree.ElementTree.fromstring(file.read())
        self.assertEqual(len(page.findall(".//svg")), 4)
        for element in page.iter():
            self.assertNotIn(element.tag, ("script", "link", "img", "iframe"))
            self.assertFalse({"src", "href", "style"} & set(element.attrib), element.tag)

    def test_directly_somebody_waits_and_the_claim_does_not_hold(self):
        self.origin.fallback = lambda request: Answer(
            fields=('ETag: "e"', "Cache-Status: cdn; fwd=miss"), body=shaped("x", 900),
            revalidates=True)
        self.write("s.toml", (SCENARIO % 0).encode())
        done = self.bench("--json", self.path("r.json"))
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("held      nothing fails", done.stdout)
        self.assertIn("NOT HELD  nobody waits", done.stdout)

    def test_the_same_seed_has_the_same_arrivals(self):
        self.write("s.toml", (SCENARIO % 10_000).encode())
        arrivals = []
        for seed in ("5", "5", "6"):
            self.bench("--seed", seed, "--duration", "1", "--json", self.path("r.json"))
            with open(self.path("r.json"), encoding="utf-8") as file:
                document = json.load(file)
            arrivals.append([step["due"] for step in document["loads"][0]["series"]])
        self.assertEqual(arrivals[0], arrivals[1])
        self.assertNotEqual(arrivals[0], arrivals[2])

    def test_nobody_there_is_another_exit_code_than_a_claim(self):
        self.write("s.toml", (SCENARIO % 0).encode())
        self.origin.stop()
        done = self.bench("--duration", "0.5")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)

    def test_a_wrong_scenario_is_refused_with_its_place(self):
        self.write("s.toml", (SCENARIO % 0).replace("rate = \"20/s\"", "rte = \"20/s\"").encode())
        done = self.bench()
        self.assertEqual(done.returncode, 4)
        self.assertIn("s.toml:27:1: unknown key \"rte\" in load[1]", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_wrong_usage_is_refused(self):
        self.write("s.toml", (SCENARIO % 0).encode())
        for arguments in (["--proxy", "proxy:3128"], ["--set", "x"], ["--nonsense"],
                          ["--duration", "0"]):
            done = self.bench(*arguments)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    main.run()
