"""The revcache process: configuration in a directory of its own, readiness, log, exit status."""

import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .client import Client, fetch
from .waiting import turns
from .wire import TIMEOUT

SANITIZER = re.compile(r"(ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:)")
SETTINGS = {
    "access": {"clients": ["127.0.0.0/8", "::1/128"],
               "allow_private_destinations": ["127.0.0.0/8", "::1/128"],
               "methods": ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"]},
    # Bounds for machines that are slow under sanitizers; tests of timeouts set their own.
    "upstream": {"timeout": "60s", "attempt_timeout": "30s", "connect_timeout": "15s"},
    "cache": {"memory": "32MiB", "disk": "64MiB"},
    "log": {"access": "all", "level": "debug"},
}
_used_ports = set()


def own_address():
    """A loopback address that no other process uses: listeners with SO_REUSEPORT never mix."""
    pid = os.getpid()
    return "127.%d.%d.%d" % (64 + (pid >> 16) % 64, pid >> 8 & 255, pid & 255)


def free_port(address):
    while True:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        if port not in _used_ports:
            _used_ports.add(port)
            return port


def toml(settings):
    """Settings as TOML: {table: {key: value}}; a list of dicts becomes [[table]]."""
    lines = []
    for table, content in settings.items():
        for entry in content if isinstance(content, list) else [content]:
            lines.append(("[[%s]]" if isinstance(content, list) else "[%s]") % table)
            lines += ["%s = %s" % (key, toml_value(value)) for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def toml_value(value):
    """JSON strings, numbers, booleans and arrays of them are TOML too; JSON has no dates."""
    return value.isoformat() if isinstance(value, datetime.date) else json.dumps(value)


def merged(settings, changes):
    result = {table: (dict(content) if isinstance(content, dict) else content)
              for table, content in settings.items()}
    for table, content in changes.items():
        if isinstance(content, dict):
            result.setdefault(table, {}).update(content)
        else:
            result[table] = content
    return result


class Revcache:
    """One instance. `settings` are merged over SETTINGS; `destinations` go into [access]."""

    def __init__(self, binary, destinations, settings=None, directory=None, check_exit=True):
        self.binary = binary
        self.check_exit = check_exit
        self.keep_directory = directory is not None
        self.directory = directory or tempfile.mkdtemp(prefix="revcache-test-")
        address = own_address()
        self.proxy = (address, free_port(address))
        self.admin = (address, free_port(address))
        self.settings = merged(merged(SETTINGS, {
            "listen": {"proxy": ["%s:%d" % self.proxy], "admin": "%s:%d" % self.admin,
                       "names": ["revcache.test"], "workers": 2},
            "access": {"destinations": list(destinations)},
            "cache": {"directory": os.path.join(self.directory, "cache")},
            "state": {"directory": os.path.join(self.directory, "state")},
        }), settings or {})
        self.config = os.path.join(self.directory, "revcache.toml")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        self.notifications = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *unused):
        try:
            self.stop()
        finally:
            if kind is not None:
                print("--- log of revcache\n" + self.log()[-6000:])
            self.remove()

    def remove(self):
        if not self.keep_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def write_config(self, text=None):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(toml(self.settings) if text is None else text)

    def start(self):
        self.write_config()
        notify_path = os.path.join(self.directory, "notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.bind(notify_path)
        environment = dict(os.environ, NOTIFY_SOCKET=notify_path)
        for variable in ("http_proxy", "https_proxy", "no_proxy"):
            environment.pop(variable, None)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", "-c", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment)
        self.wait_notification("READY=1")
        return self

    def wait_notification(self, wanted):
        """Reads sd_notify datagrams until one holds `wanted` as a line."""
        self.notifications.settimeout(1)
        for _ in range(int(TIMEOUT) * 2):
            try:
                if wanted in self.notifications.recv(4096).decode().split("\n"):
                    return
            except socket.timeout:
                if self.process.poll() is not None:
                    break
        raise AssertionError("no %s; exit status %r; log:\n%s"
                             % (wanted, self.process.poll(), self.log()[-4000:]))

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.notifications.close()

    def wait(self, timeout=TIMEOUT):
        """The exit status."""
        return self.process.wait(timeout)

    def stop(self):
        """SIGTERM, then exit status 0 and no sanitizer report."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("revcache does not stop; log:\n" + self.log()[-4000:]) from None
        finally:
            self.notifications.close()
        report = SANITIZER.search(self.log())
        if report:
            raise AssertionError("sanitizer report:\n" + self.log()[report.start():][:6000])
        if self.check_exit and status != 0:
            raise AssertionError("exit status %d; log:\n%s" % (status, self.log()[-4000:]))

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def logged(self, text, count=1):
        """The log when `text` stands in it `count` times: a thread writes it behind the answers."""
        for _ in turns():
            log = self.log()
            if log.count(text) >= count:
                return log
        raise AssertionError("%r is not %d times in the log:\n%s" % (text, count, log[-4000:]))

    def client(self, source=None):
        return Client(self.proxy, source=source)

    def fetch(self, target, *lines, **options):
        return fetch(self.proxy, target, *lines, **options)

    def readiness(self):
        """Status and text of /readyz."""
        answer = fetch(self.admin, "/readyz", host="%s:%d" % self.admin)
        return answer.status, answer.body.decode()

    def wait_until_ready(self):
        """What it learns is on disk before it counts."""
        for _ in turns():
            if self.readiness()[0] == 200:
                return
        raise AssertionError("not ready: %s; log:\n%s" % (self.readiness(), self.log()[-4000:]))

    def metrics(self):
        """All samples of /metrics: {'name{label="x"}': value}."""
        response = fetch(self.admin, "/metrics", host="%s:%d" % self.admin)
        if response.status != 200:
            raise AssertionError("/metrics answers %d" % response.status)
        return parse_metrics(response.body.decode("utf-8"))

    def metrics_after(self, requests):
        """The same, once that many requests are counted: a loop counts after it has answered."""
        for _ in turns():
            samples = self.metrics()
            if total(samples, "revcache_requests_total") >= requests:
                break
        return samples


LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?'
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:' + LABEL +
                    r')*\})?) (NaN|[+-]Inf|[-+0-9.e]+)(?: \d+)?\Z')


def parse_metrics(text):
    """Strict reader of the Prometheus text format 0.0.4; each family announced before its use."""
    samples, families = {}, {}
    for line in text.split("\n"):
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in families:
                raise AssertionError("family %s twice" % name)
            families[name] = kind
        elif line and not line.startswith("#"):
            found = SAMPLE.match(line)
            if not found:
                raise AssertionError("metrics line %r" % line)
            if found.group(1) in samples:
                raise AssertionError("sample %s twice" % found.group(1))
            family = re.sub(r"\{.*", "", found.group(1))
            if family not in families and re.sub(r"_(bucket|sum|count)$", "",
                                                 family) not in families:
                raise AssertionError("no TYPE for %s" % family)
            samples[found.group(1)] = float(found.group(2))
    return samples


def total(samples, name, **labels):
    """The sum of all samples of `name` whose labels include `labels`."""
    return sum(value for key, value in samples.items()
               if re.sub(r"\{.*", "", key) == name
               and all('%s="%s"' % pair in key for pair in labels.items()))
