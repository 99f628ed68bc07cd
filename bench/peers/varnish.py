"""Varnish as a reverse proxy."""

from peers.peer import CACHE_MIB, Peer

# Threads: one for each connection that is being served, hence as many as the load has and some more.
CONFIGURATION = """vcl 4.1;
backend origin {{
  .host = "127.0.0.1";
  .port = "{origin}";
}}
"""
PARAMETERS = {"thread_pools": 1, "thread_pool_min": 100, "thread_pool_max": 200,
              "timeout_idle": 600, "http_gzip_support": "off"}


class Varnish(Peer):
    name = "varnish"
    program = "varnishd"
    version_command = ("-V",)
    cannot = {"ocsp-post": "it hands a POST on, and its key has no place for the body"}

    def configure(self):
        file = self.folder / "origin.vcl"
        file.write_text(CONFIGURATION.format(origin=self.origin_port))
        parameters = [word for name, value in PARAMETERS.items() for word in ("-p", f"{name}={value}")]
        return ["-F", "-j", "none", "-n", str(self.folder / "run"), "-a", f"127.0.0.1:{self.port}",
                "-f", str(file), "-s", f"malloc,{CACHE_MIB}m", *parameters]
