"""What bench/compare.py measures with: processes pinned to cores, their CPU time, the load."""

import contextlib
import json
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


def pinned(core):
    return ("taskset", "-c", str(core))


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_seconds(pid):
    """User and system time of all threads so far, in nanosecond resolution."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


class Load:
    """revcache-closed-loop on its own core."""

    def __init__(self, build):
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

    def __init__(self, build, folder, response, *options, core=SERVER_CORE):
        self.port = free_port()
        self.options = " ".join(option.removeprefix("--") for option in options) or "plain"
        file = pathlib.Path(folder) / f"response-{self.port}"
        file.write_bytes(response)
        self._process = subprocess.Popen(
            [*pinned(core), str(build / "revcache-ceiling"), "--port", str(self.port), "--response",
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
