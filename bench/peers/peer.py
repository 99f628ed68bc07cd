"""What every peer has: a folder in memory, a process tree, a start that waits, an end."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from measure import as_user, free_port
from revcache_process import end, wait_until_accepting  # found through measure

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 10
MEMORY = pathlib.Path("/dev/shm")
NOBODY = 65534
CACHE_MIB = 64
OBJECT_MIB_MAX = 32
CONNECTIONS_MAX = 2000


class Peer:
    """`with Squid(origin_port) as peer:` a cache in front of the origin at peer.port.

    `prefix` goes before its command (taskset, valgrind). Some peers refuse to run as root, so none
    does: as root, they are started as nobody. Everything they write lies in a folder of their own
    in memory, which goes with them.
    """

    name = ""
    program = ""
    version_command = ("-v",)
    cannot = {}  # name of a scenario -> why this peer is not measured in it

    def __init__(self, origin_port, prefix=(), start_seconds_max=START_SECONDS_MAX):
        self.origin_port = origin_port
        self.port = free_port()
        self._prefix = prefix
        self._start_seconds_max = start_seconds_max
        self._process = None
        self.folder = None

    def configure(self):
        """Writes the configuration into self.folder and gives the command."""
        raise NotImplementedError

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        program = shutil.which(self.program, path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise RuntimeError(f"{self.program} is not installed: see packages_compare in ./dev")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"revcache-{self.name}-", dir=MEMORY))
        try:
            command = [*as_user(user()), *self._prefix, program, *self.configure()]
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, user(), -1)
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder,
                                                 start_new_session=True)
            if not wait_until_accepting(self._process, self.port, self._start_seconds_max):
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._end()
        shutil.rmtree(self.folder, ignore_errors=True)
        return False

    @property
    def log(self):
        return self.folder / "output.log"

    def _end(self):
        """Orderly if it can; what is left of its session is killed."""
        end(self._process, STOP_SECONDS_MAX)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    @classmethod
    def version(cls):
        """As the program says it, in one line."""
        program = shutil.which(cls.program, path=os.environ["PATH"] + ":/usr/sbin")
        done = subprocess.run([program, *cls.version_command], capture_output=True, text=True,
                              check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]


def user():
    return NOBODY if os.geteuid() == 0 else os.geteuid()
