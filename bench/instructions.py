"""Instructions in user space, as callgrind counts them: the same on a busy machine and on a quiet
one. The kernel's are not counted."""

import os
import pathlib
import re
import subprocess
import tempfile

import measure

START_SECONDS_MAX = 300  # of a program that runs in valgrind
TELL_SECONDS_MAX = 60
CONNECTIONS = 16


class Callgrind:
    """`with Callgrind() as callgrind:` start the program with callgrind.prefix, then count what it
    does while an action runs."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="revcache-callgrind-")
        os.chmod(self._folder.name, 0o777)  # who is measured may run as somebody else
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    @property
    def prefix(self):
        # Children too, as some serve in one; a shell only compiles a configuration.
        return ("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                "--trace-children=yes", "--trace-children-skip=*/sh",
                f"--callgrind-out-file={self._folder.name}/out.%p")

    def counted(self, pid, action):
        """The files with what `pid` and the processes below it did meanwhile."""
        processes = measure.process_tree(pid)
        before = self._files()
        tell(processes, "instrumentation", "on")
        action()
        tell(processes, "instrumentation", "off")
        tell(processes, "dump")
        return sorted(self._files() - before)

    def _files(self):
        return set(pathlib.Path(self._folder.name).glob("out.*"))


def tell(processes, *words):
    """As who runs them: valgrind listens to nobody else, also not to root."""
    for pid in processes:
        owner = pathlib.Path(f"/proc/{pid}").stat().st_uid
        done = subprocess.run([*measure.as_user(owner), "vgdb", f"--pid={pid}", *words],
                              capture_output=True, text=True, check=False,
                              timeout=TELL_SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"vgdb {' '.join(words)}: {done.stdout}{done.stderr}")


def total(files):
    return sum(int(number) for file in files
               for number in re.findall(r"^totals: (\d+)$", file.read_text(), re.MULTILINE))


class Counter:
    """Instructions a request, of any server and scenario. `requests` gives how many are asked for a
    scenario: first as many that are not counted."""

    def __init__(self, load, file, requests, connections=CONNECTIONS):
        self.load = load
        self.file = file
        self.requests = requests
        self.connections = connections

    def per_request(self, start, scenarios, settle=lambda server, scenario: None):
        """{scenario's name: instructions}. `start` takes a prefix and gives the server as a context;
        `settle` waits until it knows the object."""
        found = {}
        with Callgrind() as callgrind, start(callgrind.prefix) as server:
            for scenario in scenarios:
                settle(server, scenario)
                count = self.requests(scenario)
                arguments = scenario.arguments(
                    self.file, min(self.connections, scenario.connections), count)
                self.load.run(server.port, *arguments)
                measure.wait_until_idle(server.pid)
                files = callgrind.counted(server.pid,
                                          lambda: self.load.run(server.port, *arguments))
                found[scenario.name] = total(files) / count
        return found
