"""A FreeRADIUS server for EAP-TLS in a directory of its own, in the foreground.

It runs as the current user. Its `verify` hook hands each client certificate to chain_check.sh:
FreeRADIUS' own OCSP and CRL checks stop at the client's certificate, while NPS asks about the CAs
too."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from .process import own_address
from .wire import TIMEOUT

SECRET = "of-this-test"
READY = "Ready to process requests"
CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chain_check.sh")
# Debian's name, and that of everybody else; both are where administrators look.
PATHS = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
CONFIG = """
name = freeradius
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
max_request_time = 60
cleanup_delay = 1
log {{
  destination = stdout
  auth = yes
}}
security {{
  reject_delay = 0
  status_server = no
  # Asks for the number of a release; Debian mends OpenSSL without changing it.
  allow_vulnerable_openssl = yes
}}
modules {{
  eap {{
    default_eap_type = tls
    timer_expire = 60
    max_sessions = 64
    tls-config peers {{
      certificate_file = {certificate}
      private_key_file = {key}
      ca_file = {clients_ca}
      tls_min_version = "1.2"
      tls_max_version = "1.2"
      cipher_list = "DEFAULT"
      cache {{
        enable = no
      }}
      verify {{
        tmpdir = {directory}/certificates
        client = "/bin/sh {check} {directory}/settings %{{TLS-Client-Cert-Filename}}"
      }}
    }}
    tls {{
      tls = peers
    }}
  }}
}}
server nps {{
  listen {{
    type = auth
    ipaddr = {address}
    port = {port}
  }}
  client everybody {{
    ipaddr = 127.0.0.0/8
    secret = {secret}
  }}
  authorize {{
    eap
  }}
  authenticate {{
    eap
  }}
}}
"""


def free_udp_port(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class RadiusServer:
    """`certificate` and `key` are the server's own; `clients_ca` holds the clients' CAs."""

    def __init__(self, certificate, key, clients_ca):
        self.directory = tempfile.mkdtemp(prefix="revcache-radius-")
        self.address = own_address()
        self.port = free_udp_port(self.address)
        self.process = None
        self.lines = []
        self.over = False
        self.changed = threading.Condition()
        os.mkdir(os.path.join(self.directory, "certificates"), 0o700)
        self.write("radiusd.conf", CONFIG.format(
            directory=self.directory, certificate=certificate, key=key, clients_ca=clients_ca,
            check=CHECK, address=self.address, port=self.port, secret=SECRET))
        self.write("verdicts", "")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def check_with(self, **settings):
        """From now on chain_check.sh goes by these."""
        settings.update(directory=self.directory,
                        verdicts=os.path.join(self.directory, "verdicts"))
        self.write("settings", "".join("%s='%s'\n" % pair for pair in settings.items()))

    def verdicts(self):
        """What chain_check.sh said, one line each time."""
        with open(os.path.join(self.directory, "verdicts"), encoding="utf-8") as file:
            return file.read().splitlines()

    def start(self):
        program = shutil.which("freeradius", path=PATHS) or shutil.which("radiusd", path=PATHS)
        if program is None:
            raise AssertionError("FreeRADIUS is not installed (Debian: freeradius)")
        self.process = subprocess.Popen(
            [program, "-fxx", "-s", "-l", "stdout", "-d", self.directory],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        self.over = False
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()
        with self.changed:
            self.changed.wait_for(lambda: self.over or self.ready(), TIMEOUT)
            if not self.ready():
                raise AssertionError("FreeRADIUS does not start:\n" + self.log())
        return self

    def ready(self):
        return any(READY in line for line in self.lines)

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        with self.changed:
            return "".join(self.lines[-300:])

    def _listen(self, output):
        with output:
            for line in output:
                with self.changed:
                    self.lines.append(line)
                    self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()
