"""Debian's Prometheus on loopback, and promtool: what scrapes revcache, judges its rules and
answers the queries of its dashboards."""

import json
import math
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from .process import free_port, own_address
from .waiting import turns
from .wire import TIMEOUT

SCRAPE_INTERVAL = 1  # seconds
PAUSE = 0.05  # seconds


def promtool(*arguments, text=None):
    """Exit status and all that it says."""
    done = subprocess.run(["promtool", *arguments], input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=4 * TIMEOUT, check=False)
    return done.returncode, done.stdout


class Prometheus:
    """Scrapes `target` as job revcache. `rules`: a file of rules, or None. Use in a with statement,
    or start() and stop()."""

    def __init__(self, target, rules=None):
        self.directory = tempfile.mkdtemp(prefix="revcache-prometheus-")
        self.address = (own_address(), free_port(own_address()))
        self.process = None
        self.log_path = os.path.join(self.directory, "log")
        self.config = os.path.join(self.directory, "prometheus.yml")
        # JSON is YAML.
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({
                "global": {"scrape_interval": "%ds" % SCRAPE_INTERVAL,
                           "evaluation_interval": "%ds" % SCRAPE_INTERVAL},
                "rule_files": [rules] if rules else [],
                "scrape_configs": [{"job_name": "revcache",
                                    "static_configs": [{"targets": ["%s:%d" % target]}]}],
            }, file)

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.lower().endswith("_proxy")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus", "--config.file", self.config,
                 "--storage.tsdb.path", os.path.join(self.directory, "data"),
                 "--web.listen-address", "%s:%d" % self.address, "--log.level", "warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.wait("ready", lambda: self.get("/-/ready") is not None)
        return self

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, what, is_true, seconds=4 * TIMEOUT):
        """Until `is_true()`, which it returns."""
        for _ in turns(seconds, PAUSE):
            result = is_true()
            if result:
                return result
            if self.process.poll() is not None:
                break
        raise AssertionError("prometheus: not %s; log:\n%s" % (what, self.log()[-4000:]))

    def get(self, path, **parameters):
        """The body, or None while it does not listen or is not ready."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open("http://%s:%d%s%s" % (*self.address, path, query),
                             timeout=TIMEOUT) as answer:
                return answer.read().decode("utf-8")
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError("%s%s: %s" % (path, query, error.read().decode())) from None
        except (urllib.error.URLError, ConnectionError):
            return None

    def data(self, path, **parameters):
        return json.loads(self.get("/api/v1/" + path, **parameters) or "{}").get("data", {})

    def scrapes(self):
        """How many samples of each series there are."""
        result = self.data("query", query="count_over_time(up[1h])").get("result", [])
        return int(result[0]["value"][1]) if result else 0

    def numbers(self, expression, begin):
        """What the query gave since `begin` at any moment, without NaN."""
        now = time.time()
        found = self.data("query_range", query=expression, start=begin, end=now,
                          step=SCRAPE_INTERVAL).get("result", [])
        numbers = [float(value) for series in found for _, value in series["values"]]
        return [number for number in numbers if not math.isnan(number)]
