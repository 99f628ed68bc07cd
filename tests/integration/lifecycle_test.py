"""Start, reload, drain and stop; what is logged and counted on the way."""

import json
import os
import re
import signal
import subprocess
import threading
import unittest

from harness import main
from harness.client import Client, request_bytes
from harness.origin import Answer, Origin
from harness.process import Revcache, total
from harness.waiting import turns

LONG = "Cache-Control: max-age=1000"
LOGFMT = re.compile(r'[A-Za-z_][A-Za-z0-9_.]*=("(?:[^"\\]|\\.)*"|[^\s"=]*)')


class Lifecycle(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.stop)

    def start(self, settings=None, **options):
        revcache = Revcache(main.binary(), [self.origin.authority], settings, **options).start()
        self.addCleanup(revcache.remove)
        self.addCleanup(revcache.stop)
        return revcache

    def slow(self, revcache, path="/slow"):
        """A client whose answer is half sent; the gate lets it go on."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.origin.script(path, Answer(fields=("Cache-Control: no-store",), body_gate=gate,
                                        body=b"s" * 4000000))
        client = Client(revcache.proxy)
        self.addCleanup(client.close)
        client.send(request_bytes(self.origin.url(path)))
        client.reader.exactly(12)
        return client, gate

    # Readiness

    def test_readiness_is_told_by_notification_and_by_the_admin_port(self):
        revcache = self.start()
        for path in ("/livez", "/readyz"):
            with Client(revcache.admin) as client:
                answer = client.ask(path, host="%s:%d" % revcache.admin)
            self.assertEqual(answer.status, 200, path)

    def test_stopping_is_notified(self):
        revcache = self.start()
        revcache.signal(signal.SIGTERM)
        revcache.wait_notification("STOPPING=1")
        self.assertEqual(revcache.wait(), 0)

    def test_an_invalid_configuration_ends_with_4_and_says_where(self):
        revcache = Revcache(main.binary(), [])
        self.addCleanup(revcache.remove)
        revcache.write_config('[listen]\nproxy = ["127.0.0.1:1"]\n[cache]\nmemry = "1MiB"\n')
        result = subprocess.run([main.binary(), "serve", "-c", revcache.config],
                                capture_output=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 4)
        said = (result.stderr + result.stdout).decode()
        self.assertRegex(said, r"revcache\.toml:4:\d+")
        self.assertIn("memory", said)

    def test_a_taken_address_is_an_error_at_start(self):
        revcache = Revcache(main.binary(), [], {"listen": {"admin": self.origin.authority}})
        self.addCleanup(revcache.remove)
        revcache.write_config(None)
        result = subprocess.run([main.binary(), "serve", "-c", revcache.config],
                                capture_output=True, timeout=120, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(str(self.origin.port), (result.stderr + result.stdout).decode())

    # Reload

    def test_sighup_takes_a_good_file(self):
        revcache = self.start()
        with Origin() as other:
            url = other.url("/new")
            self.assertEqual(revcache.fetch(url).status, 403)
            revcache.settings["access"]["destinations"].append(other.authority)
            revcache.write_config()
            revcache.signal(signal.SIGHUP)
            other.fallback = lambda request: Answer(body=b"new")
            for _ in turns():
                answer = revcache.fetch(url)
                if answer.status == 200:
                    break
            self.assertEqual(answer.body, b"new")

    def test_sighup_keeps_what_is_cached_and_who_is_connected(self):
        revcache = self.start()
        self.origin.script("/kept", Answer(fields=(LONG,), body=b"kept"))
        with Client(revcache.proxy) as client:
            self.assertEqual(client.ask(self.origin.url("/kept")).body, b"kept")
            revcache.signal(signal.SIGHUP)
            revcache.wait_notification("READY=1")
            self.assertEqual(client.ask(self.origin.url("/kept")).body, b"kept")
        self.assertEqual(len(self.origin.seen("/kept")), 1)

    def test_sighup_with_a_bad_file_keeps_the_old_settings(self):
        revcache = self.start()
        self.origin.script("/old", *[Answer(fields=(LONG,), body=b"old")] * 2)
        for text in ("[listen\n", '[access]\nclients = ["nonsense"]\n', "[no_such_table]\na = 1\n"):
            seen = len(revcache.log())
            revcache.write_config(text)
            revcache.signal(signal.SIGHUP)
            for _ in turns():
                self.assertEqual(revcache.fetch(self.origin.url("/old")).body, b"old")
                if "revcache.toml" in revcache.log()[seen:]:
                    break
            self.assertIn("revcache.toml", revcache.log()[seen:])
            self.assertIsNone(revcache.process.poll())

    # Drain

    def test_sigterm_lets_an_answer_finish(self):
        revcache = self.start()
        client, gate = self.slow(revcache)
        idle = Client(revcache.proxy)
        idle.ask(self.origin.url("/other"))
        revcache.signal(signal.SIGTERM)
        self.assertTrue(idle.closed())  # idle connections go at once
        idle.close()
        with self.assertRaises(OSError):
            for _ in turns():
                Client(revcache.proxy).close()
        gate.set()
        rest = client.rest()
        self.assertEqual(rest.count(b"s" * 1000), 4000)
        self.assertEqual(revcache.wait(), 0)

    def test_a_second_sigterm_ends_at_once(self):
        revcache = self.start(check_exit=False)
        client, _ = self.slow(revcache)
        revcache.signal(signal.SIGTERM)
        revcache.wait_notification("STOPPING=1")
        revcache.signal(signal.SIGTERM)
        revcache.wait()
        self.assertLess(client.rest().count(b"s" * 1000), 4000)

    def test_the_drain_has_a_deadline(self):
        revcache = self.start({"limits": {"drain_timeout": "1s"}}, check_exit=False)
        client, _ = self.slow(revcache)
        revcache.signal(signal.SIGTERM)
        revcache.wait()
        self.assertLess(client.rest().count(b"s" * 1000), 4000)

    def test_sigint_stops_too(self):
        revcache = self.start()
        revcache.signal(signal.SIGINT)
        self.assertEqual(revcache.wait(), 0)

    # Logs

    def traffic(self, revcache):
        self.origin.script("/log", Answer(fields=(LONG,)))
        for target in (self.origin.url("/log"), self.origin.url("/log"), "http://blocked.test/",
                       self.origin.url("/log?q=%22%0a\\")):
            revcache.fetch(target)
        with Client(revcache.proxy) as client:
            client.send(b"G@T \x01\x02\r\n\r\n")
            client.response()
        revcache.stop()
        return [line for line in revcache.log().split("\n") if line]

    def test_json_log_lines_are_json(self):
        revcache = self.start({"log": {"format": "json", "access": "all"}})
        lines = [json.loads(line) for line in self.traffic(revcache)]
        self.assertTrue(all(isinstance(line, dict) for line in lines))
        self.assertTrue(any("/log" in json.dumps(line) for line in lines))

    def test_logfmt_lines_are_logfmt(self):
        revcache = self.start({"log": {"format": "logfmt", "access": "all"}})
        lines = self.traffic(revcache)
        for line in lines:
            self.assertEqual(LOGFMT.sub("", line).strip(), "", line)
        self.assertTrue(any("/log" in line for line in lines))

    def access_lines(self, how):
        revcache = self.start({"log": {"access": how, "level": "info"}})
        return [line for line in self.traffic(revcache) if "/log" in line]

    def test_access_log_off_misses_all(self):
        self.assertEqual(len(self.access_lines("off")), 0)
        self.origin.requests.clear()
        misses = len(self.access_lines("misses"))
        self.origin.requests.clear()
        self.assertEqual(len(self.access_lines("all")), misses + 1)

    def test_the_log_goes_to_a_file_when_one_is_named(self):
        revcache = Revcache(main.binary(), [self.origin.authority])
        path = os.path.join(revcache.directory, "own.log")
        revcache.settings["log"]["file"] = path
        revcache.start()
        self.addCleanup(revcache.remove)
        self.traffic(revcache)
        with open(path, encoding="utf-8") as file:
            self.assertTrue(any("/log" in line for line in file))

    # Metrics

    def test_metrics_parse_and_count(self):
        revcache = self.start()
        before = revcache.metrics()
        self.origin.script("/m", Answer(fields=(LONG,), body=b"m"))
        for _ in range(3):
            revcache.fetch(self.origin.url("/m"))
        revcache.fetch("http://blocked.test/")
        after = revcache.metrics_after(4)

        def grown(name, **labels):
            return total(after, name, **labels) - total(before, name, **labels)
        name = "revcache_requests_total"
        self.assertEqual(grown(name, result="miss", method="get", kind="other"), 1)
        self.assertEqual(grown(name, result="hit", method="get", kind="other"), 2)
        self.assertEqual(grown(name, result="denied"), 1)
        self.assertEqual(grown("revcache_cache_lookups_total", tier="memory"), 3)
        self.assertGreaterEqual(grown("revcache_request_duration_seconds_count"), 3)
        self.assertEqual(total(after, "revcache_build_info"), 1)
        self.assertEqual(grown("revcache_upstream_requests_total"), 1)
        for key in after:
            self.assertNotIn("127.0.0.1/", key)
            self.assertNotIn("http://", key)

    def test_histograms_are_cumulative(self):
        revcache = self.start()
        revcache.fetch(self.origin.url("/h"))
        buckets = {}
        for key, value in revcache.metrics_after(1).items():
            found = re.match(r'revcache_request_duration_seconds_bucket\{(.*)\}', key)
            if found:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', found.group(1)))
                bound = float(labels.pop("le"))
                buckets.setdefault(tuple(sorted(labels.items())), []).append((bound, value))
        self.assertTrue(buckets)
        for series in buckets.values():
            values = [value for _, value in sorted(series)]
            self.assertEqual(values, sorted(values))
            self.assertEqual(max(series)[0], float("inf"))


if __name__ == "__main__":
    main.run()
