"""A client that logs in with EAP-TLS: wpa_supplicant's code, in eapol_test."""

import os
import subprocess

from .pki import COMMAND_TIMEOUT
from .process import own_address
from .radius import SECRET

CONFIG = """network={{
  key_mgmt=WPA-EAP
  eap=TLS
  identity="{identity}"
  ca_cert="{server_ca}"
  client_cert="{certificate}"
  private_key="{key}"
}}
"""


class Login:
    """The end of one login; `said` is all that the client had to say."""

    def __init__(self, status, said):
        self.accepted = status == 0 and "\nSUCCESS\n" in "\n" + said
        self.rejected = "CTRL-EVENT-EAP-FAILURE" in said and status != 0
        self.said = said


def log_in(server, directory, certificate, key, server_ca, identity="anna"):
    """One EAP-TLS login at a RadiusServer; the configuration goes into `directory`."""
    config = os.path.join(directory, "supplicant.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(identity=identity, server_ca=server_ca, certificate=certificate,
                                 key=key))
    try:
        done = subprocess.run(
            ["eapol_test", "-c", config, "-a", server.address, "-p", str(server.port), "-A",
             own_address(), "-s", SECRET, "-t", "60"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", timeout=COMMAND_TIMEOUT, check=False)
    except FileNotFoundError:
        raise AssertionError("eapol_test is not installed (Debian: eapoltest)") from None
    return Login(done.returncode, done.stdout)
