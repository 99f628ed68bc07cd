"""What watches revcache: its metrics and their documentation, the alerts, the dashboards. A real
Prometheus scrapes a real instance under load, and every query of every panel must give data."""

import glob
import hashlib
import json
import os
import re
import threading
import time
import unittest

from harness import main
from harness.client import fetch
from harness.origin import Answer, path_of
from harness.process import parse_metrics
from harness.prometheus import Prometheus, promtool
from harness.responder import CRL_TYPE, REQUEST_TYPE, World
from harness.waiting import turns

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(TOP, "deploy", "prometheus", "revcache.rules.yml")
DASHBOARDS = sorted(glob.glob(os.path.join(TOP, "deploy", "grafana", "*.json")))
NEXT_PUBLISH = "[crl]\n1.3.6.1.4.1.311.21.4 = ASN1:UTCTIME:491231000000Z\n"
WINDOW = "10s"  # for $__rate_interval: ten scrapes
QUERY_TIME = 60.0  # seconds; a bound for a query that gives nothing
BUILT_IN_PANELS = {"row", "stat", "timeseries", "heatmap", "table"}
# Of these there are series only once something happened.
NEED_TRAFFIC = {"revcache_request_duration_seconds", "revcache_collapse_wait_seconds",
                "revcache_upstream_request_duration_seconds", "revcache_upstream_up",
                "revcache_upstream_last_success_timestamp_seconds",
                "revcache_crl_next_publish_timestamp_seconds"}

# Nothing that the load does may look like these.
QUIET = {"RevcacheDown", "RevcacheReloadFailed", "RevcacheClockBehind", "RevcacheClockAhead",
         "RevcacheCrlExpiresWithinDay", "RevcacheCrlExpiresWithinHours", "RevcacheCrlUnusable",
         "RevcacheCrlPublicationMissed", "RevcacheTryLater", "RevcacheSignerExpiresSoon",
         "RevcacheSignerUnusable", "RevcacheSigningFails", "RevcacheRefreshFails"}


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def anchors(markdown):
    """The anchors of its headings, as GitHub and most renderers make them."""
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def families(text):
    """{name: type} of a /metrics body."""
    return dict(line.split(" ")[2:4] for line in text.split("\n") if line.startswith("# TYPE "))


def queries(dashboard):
    """(panel, expression) of every query; $__rate_interval and $instance are what Grafana sets."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", WINDOW)
            yield panel["title"], expression.replace("$instance", ".*")


def every_query():
    return [query for path in DASHBOARDS for query in queries(load(path))]


class Watched(World):
    """A responder, its instance, and clients that do a little of everything."""

    def __init__(self):
        super().__init__()
        config = self.pki.read("openssl.cnf").decode().replace("[crl]\n", NEXT_PUBLISH)
        self.pki.write("openssl.cnf", config)
        self.pki.crl("root", "root", number=5)
        self.bodies["/root.crl"] = self.pki.read("root.crl")
        self.gate = threading.Event()

    def respond(self, asked):
        path = path_of(asked.target)
        if path == "/slow.bin":
            self.gate.wait(0.2)
        if path.endswith(".bin"):
            age = 0 if path == "/short.bin" else 1000
            return Answer(fields=("Cache-Control: max-age=%d" % age, 'ETag: "a"'),
                          body=b"x" * (150000 if path == "/large.bin" else 100))
        if path == "/bad.crl":
            return Answer(fields=(CRL_TYPE,), body=b"<html>")
        return super().respond(asked)

    def play_once(self, number):
        """One round of load: hits, misses, errors, refusals, questions."""
        fetch = self.revcache.fetch
        for path in ("/root.crl", "/root.crl", "/short.bin", "/bad.crl", "/%d.bin" % number,
                     "/none"):
            fetch(self.origin.url(path))
        fetch("http://denied.test/x.crl")
        fetch(self.origin.url("/root.crl"), "Cache-Control: no-cache")
        fetch(self.origin.url("/root.crl"), method="HEAD")
        crowd = [threading.Thread(target=fetch, args=(self.origin.url("/slow.bin?%d" % number),))
                 for _ in range(3)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        self.ask("issuing")
        self.post(self.question("issuing", nonce=b"%016d" % number))


class Monitoring(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = Watched()
        cls.addClassCleanup(cls.world.remove)
        cls.revcache = cls.world.configure()
        cls.addClassCleanup(cls.revcache.remove)
        cls.revcache.start()
        cls.addClassCleanup(cls.revcache.stop)
        cls.world.wait_until_ready()
        cls.world.play_once(0)

    def exposed(self, instance=None):
        admin = (instance or self.revcache).admin
        answer = fetch(admin, "/metrics", host="%s:%d" % admin)
        self.assertEqual(answer.status, 200)
        return answer.body.decode("utf-8")

    def documented(self):
        """{name: type} of the tables of docs/metrics.md."""
        rows = re.findall(r"^\| `((?:revcache|process)_\w+)` \| (\w+) \|",
                          read("docs", "metrics.md"), re.MULTILINE)
        self.assertEqual(len(rows), len(dict(rows)), "a metric stands twice")
        return dict(rows)

    def test_every_metric_is_documented_and_every_documented_metric_is_there(self):
        documented = self.documented()
        # The refresher tells of itself within a second or two; a loop counts after its answer.
        for _ in turns():
            exposed = families(self.exposed())
            if exposed == documented:
                return
        self.assertEqual(exposed, documented)

    def test_without_traffic_only_what_needs_it_is_missing(self):
        idle = World()
        self.addCleanup(idle.remove)
        instance = idle.configure()
        self.addCleanup(instance.remove)
        with instance:
            idle.wait_until_ready()
            # The refresher tells of itself within a second or two.
            for _ in turns():
                there = set(families(self.exposed(instance)))
                missing = set(self.documented()) - there - NEED_TRAFFIC
                if not missing:
                    break
        self.assertEqual(missing, set())

    def test_labels_are_documented(self):
        rows = re.findall(r"^\| `(\w+)` \| \w+ \| [^|]* \| ([^|]*) \|",
                          read("docs", "metrics.md"), re.MULTILINE)
        table = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
        for line in self.exposed().splitlines():
            found = re.match(r"(\w+?)(?:_bucket|_sum|_count)?\{([^}]*)\}", line)
            if not found or found.group(1) not in table:
                continue
            labels = set(re.findall(r'(\w+)="', found.group(2))) - {"le"}
            self.assertLessEqual(labels, table[found.group(1)], line)

    def test_promtool_has_nothing_to_say_about_the_metrics(self):
        self.assertEqual(promtool("check", "metrics", text=self.exposed()), (0, ""))

    def test_crls_are_told_by_authority_and_a_label_without_their_url(self):
        samples = parse_metrics(self.exposed())
        url = self.world.origin.url("/root.crl")
        label = hashlib.sha256(url.encode()).hexdigest()[:8]
        crl = '{ca="root",crl="%s",kind="crl"}' % label
        with open(self.world.pki.path("root.crl"), "rb") as file:
            size = len(file.read())
        self.assertEqual(samples["revcache_crl_size_bytes" + crl], size)
        self.assertEqual(samples["revcache_crl_entries" + crl], 0)
        left = samples["revcache_crl_next_update_timestamp_seconds" + crl] - \
            samples["revcache_crl_this_update_timestamp_seconds" + crl]
        self.assertEqual(left, 7 * 86400)
        self.assertEqual(samples["revcache_crl_next_publish_timestamp_seconds" + crl], 2524521600)
        self.assertEqual(samples['revcache_crl_usable{ca="root"}'], 1)
        self.assertNotIn(self.world.origin.authority + "/", self.exposed())

    def misses(self, instance, cause, kind="other"):
        name = 'revcache_misses_total{kind="%s",cause="%s"}' % (kind, cause)
        return parse_metrics(self.exposed(instance))[name]

    def test_misses_are_told_by_cause(self):
        world = Watched()
        self.addCleanup(world.remove)
        instance = world.configure(cache={"memory": "1MiB", "disk": "0", "object_max": "200KiB"},
                                   limits={"streamed_body_bytes": "200KiB"})
        self.addCleanup(instance.remove)
        with instance:
            world.wait_until_ready()
            url = world.origin.url
            instance.fetch(url("/a.bin"))
            self.assertEqual(self.misses(instance, "cold"), 1)
            instance.fetch(url("/a.bin"))
            self.assertEqual(self.misses(instance, "cold"), 1)
            instance.fetch(url("/a.bin"), method="PUT", body=b"new")
            instance.fetch(url("/a.bin"))
            self.assertEqual(self.misses(instance, "purged"), 1)
            instance.fetch(url("/short.bin"))
            instance.fetch(url("/short.bin"))
            self.assertEqual(self.misses(instance, "expired"), 1)
            # More than the memory tier holds; which of them it keeps is its own affair.
            for number in (*range(12), *range(12)):
                instance.fetch(url("/large.bin?%d" % number))
            self.assertGreaterEqual(self.misses(instance, "evicted"), 5)
            self.assertEqual(self.misses(instance, "cold"), 14)
            instance.fetch(url("/ocsp"), REQUEST_TYPE, method="POST",
                           body=world.question("issuing", nonce=b"0123456789abcdef"))
            self.assertEqual(self.misses(instance, "nonce", "ocsp"), 1)

    def test_rules_pass_their_unit_tests(self):
        status, said = promtool("check", "rules", RULES)
        self.assertEqual(status, 0, said)
        status, said = promtool("test", "rules", RULES.replace(".rules.yml", ".rules.test.yml"))
        self.assertEqual(status, 0, said)

    def test_each_alert_names_its_paragraph(self):
        rules = read("deploy", "prometheus", "revcache.rules.yml")
        alerts = re.findall(r"- alert: (\w+)", rules)
        runbooks = re.findall(r"runbook_url: docs/operations\.md#(\S+)", rules)
        operations = read("docs", "operations.md")
        tests = read("deploy", "prometheus", "revcache.rules.test.yml")
        self.assertEqual(len(alerts), len(runbooks))
        self.assertEqual(set(runbooks) - anchors(operations), set())
        for alert in alerts:
            self.assertIn("`%s`" % alert, operations)
            self.assertIn('alertname="%s"' % alert, tests)
        links = re.findall(r"operations\.md#([\w-]+)", read("docs", "metrics.md"))
        links += re.findall(r"\]\(#([\w-]+)\)", operations)
        self.assertEqual(set(links) - anchors(operations), set())

    def test_alerts_and_dashboards_ask_only_for_documented_metrics(self):
        texts = [read("deploy", "prometheus", "revcache.rules.yml")]
        texts += [expression for _, expression in every_query()]
        documented = self.documented()
        for name in set(re.findall(r"\b(?:revcache|process)_[a-z_]+", "\n".join(texts))):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertTrue(name in documented or documented.get(base) == "histogram", name)

    def test_dashboards_can_be_imported_anywhere(self):
        self.assertEqual(len(DASHBOARDS), 3)
        boards = [load(path) for path in DASHBOARDS]
        self.assertEqual(len({board["uid"] for board in boards}), 3)
        for board in boards:
            variables = {one["name"]: one for one in board["templating"]["list"]}
            self.assertEqual(variables["datasource"]["type"], "datasource")
            ids = [panel["id"] for panel in board["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            for panel in board["panels"]:
                self.assertIn(panel["type"], BUILT_IN_PANELS, panel["title"])
                for target in panel.get("targets", []):
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")

    def test_every_query_of_every_panel_gives_data(self):
        over = threading.Event()
        failures = []

        def play():
            try:
                for number in range(2, 10000):
                    self.world.play_once(number)
                    if over.wait(0.2):
                        return
            except Exception as problem:  # told by the test's own thread
                failures.append(problem)

        begin = time.time()
        load_thread = threading.Thread(target=play)
        with Prometheus(self.revcache.admin, RULES) as prometheus:
            load_thread.start()
            try:
                prometheus.wait("scraping", lambda: failures or prometheus.scrapes() >= 5)
                for panel, expression in every_query():
                    with self.subTest(panel=panel, query=expression):
                        prometheus.wait("giving data for it", lambda query=expression:
                                        failures or prometheus.numbers(query, begin), QUERY_TIME)
                self.expect_healthy_rules(prometheus)
            finally:
                over.set()
                load_thread.join()
        self.assertEqual(failures, [])

    def expect_healthy_rules(self, prometheus):
        def evaluated():
            rules = [rule for group in prometheus.data("rules").get("groups", [])
                     for rule in group["rules"]]
            return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

        for rule in prometheus.wait("evaluating its rules", evaluated):
            self.assertEqual(rule["health"], "ok", rule)
            if rule["name"] in QUIET:
                self.assertEqual(rule["state"], "inactive", rule)


if __name__ == "__main__":
    main.run()
