"""Starts the real binary with a configuration of its own, waits until it is ready, ends it."""

import pathlib
import signal
import socket
import subprocess
import time

START_SECONDS_MAX = 20
DRAIN_SECONDS_MAX = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RevcacheProcess:
    """`settings` is TOML to be added below [listen], [cache] and [state], which are made here."""

    def __init__(self, binary, folder, settings, workers=1, memory="256MiB", prefix=(),
                 start_seconds_max=START_SECONDS_MAX):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.admin_port = free_port()
        self.log = self.folder / "revcache.log"
        self.config = self.folder / "revcache.toml"
        self.config.write_text(f"""[listen]
proxy = ["127.0.0.1:{self.port}"]
admin = "127.0.0.1:{self.admin_port}"
workers = {workers}

[cache]
directory = "{self.folder}/cache"
memory = "{memory}"

[state]
directory = "{self.folder}/state"

{settings}""")
        self._command = [*prefix, str(binary), "serve", "-c", str(self.config)]
        self._start_seconds_max = start_seconds_max
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        if not wait_until_accepting(self._process, self.port, self._start_seconds_max):
            self.__exit__()
            raise RuntimeError(f"revcache did not start:\n{self.log.read_text()}")
        return self

    def __exit__(self, *_):
        end(self._process, DRAIN_SECONDS_MAX)
        return False

    @property
    def exit_code(self):
        return self._process.returncode


def wait_until_accepting(process, port, seconds_max):
    """False: it has ended, or does not accept connections on loopback in time."""
    deadline = time.monotonic() + seconds_max
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def accepts(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 0.2):
            return True
    except OSError:
        return False


def end(process, seconds_max):
    """Orderly if it can in that time."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
