"""What the benchmarks measure with: processes pinned to cores, their CPU time, the load."""

import contextlib
import json
import os
import pathlib
import platform
import re
import resource
import socket
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOP / "tools"))
from revcache_process import free_port  # noqa: E402

SERVER_CORE = 0
LOAD_CORE = 1
IDLE_SECONDS = 0.1
IDLE_SHARE_MAX = 0.1
IDLE_TRIES = 600
# revcache in front of an origin on loopback, for any number of clients from there.
OPEN_ACCESS = """[access]
destinations = ["127.0.0.1:*"]
allow_private_destinations = ["127.0.0.0/8"]

[limits]
connections_per_client = 20000
"""


def pinned(core):
    return ("taskset", "-c", str(core))


def as_user(uid):
    """The prefix that makes a command run as `uid`; only root needs and can have one."""
    if uid == os.geteuid():
        return ()
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def process_tree(pid):
    """`pid` and the processes that it and its children have started."""
    children = {}
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The second field is a name in brackets, which may hold anything.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    tree = [pid]
    for known in tree:
        tree += children.get(known, [])
    return tree


def cpu_seconds(pid):
    """User and system time so far of all threads of `pid` and of the processes below it, in
    nanosecond resolution."""
    total = 0
    for process in process_tree(pid):
        with contextlib.suppress(FileNotFoundError):
            for task in pathlib.Path(f"/proc/{process}/task").iterdir():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def wait_until_idle(pid):
    """Until what a server does behind its answers (writing to disk, say) is done."""
    for _ in range(IDLE_TRIES):
        before = cpu_seconds(pid)
        time.sleep(IDLE_SECONDS)
        if cpu_seconds(pid) - before < IDLE_SHARE_MAX * IDLE_SECONDS:
            return
    raise RuntimeError(f"process {pid} does not come to rest")


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def proportional_bytes(pid):
    """Resident memory of `pid` and of the processes below it; a page that several share counts once."""
    return 1024 * sum(int(re.search(r"Pss:\s+(\d+) kB", pathlib.Path(
        f"/proc/{process}/smaps_rollup").read_text()).group(1)) for process in process_tree(pid))


class Load:
    """revcache-closed-loop on its own core."""

    def __init__(self, build):
        self.build = build
        self._program = build / "revcache-closed-loop"

    def command(self, port, request, connections, requests, *options):
        return [*pinned(LOAD_CORE), str(self._program), "--port", str(port), "--request", str(request),
                "--connections", str(connections), "--requests", str(requests), *options]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False,
                              timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"the load failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class Ceiling:
    """The bare libuv + llhttp program, answering `response` to everything."""

    def __init__(self, build, folder, response, *options, core=SERVER_CORE, prefix=()):
        self.port = free_port()
        self.options = " ".join(option.removeprefix("--") for option in options) or "plain"
        file = pathlib.Path(folder) / f"response-{self.port}"
        file.write_bytes(response)
        self._process = subprocess.Popen(
            [*pinned(core), *prefix, str(build / "revcache-ceiling"), "--port", str(self.port), "--response",
             str(file), *options], stdout=subprocess.PIPE)
        self._process.stdout.readline()  # "ready"
        self.pid = self._process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def exchange(port, request):
    """Sends raw bytes and gives the raw response, which must have a Content-Length or be a 304."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += read_some(connection)
        head, body = received.split(b"\r\n\r\n", 1)
        length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
        no_body = b" 304 " in head.split(b"\r\n", 1)[0]
        wanted = 0 if no_body or not length else int(length.group(1))
        while len(body) < wanted:
            body += read_some(connection)
    return head + b"\r\n\r\n" + body


def read_some(connection):
    chunk = connection.recv(1 << 16)
    if not chunk:
        raise RuntimeError("the server closed the connection too early")
    return chunk


def cpu_per_request(load, server, *arguments):
    """Microseconds of the server's CPU per request, and what the load saw."""
    before = cpu_seconds(server.pid)
    seen = load.run(server.port, *arguments)
    return (cpu_seconds(server.pid) - before) * 1e6 / seen["requests"], seen


def machine():
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": model.group(1) if model else platform.processor(),
            "kernel": platform.release(), "libc": " ".join(platform.libc_ver()),
            "load_average": pathlib.Path("/proc/loadavg").read_text().split()[0]}


def commit():
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=TOP, capture_output=True, text=True,
                              check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "*.cc", "*.h")
    return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
