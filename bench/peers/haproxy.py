"""HAProxy as a reverse proxy with its cache."""

from peers.peer import CACHE_MIB, CONNECTIONS_MAX, OBJECT_MIB_MAX, Peer

# It leaves its cache aside for a request with a Cache-Control field that has max-age, as CryptoAPI's
# revalidations do: the field is taken off.
CONFIGURATION = """global
  nbthread 1
  maxconn {connections}
  no numa-cpu-mapping
cache revocation
  total-max-size {memory}
  max-object-size {object}
  max-age 86400
defaults
  mode http
  option http-keep-alive
  timeout client 600s
  timeout server 60s
  timeout connect 5s
  timeout http-keep-alive 600s
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  http-request del-header Cache-Control
  http-request cache-use revocation
  http-response cache-store revocation
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin}
"""


class Haproxy(Peer):
    name = "haproxy"
    program = "haproxy"
    cannot = {"ocsp-post": "its cache is for GET only"}

    def configure(self):
        file = self.folder / "haproxy.cfg"
        file.write_text(CONFIGURATION.format(
            port=self.port, origin=self.origin_port, memory=CACHE_MIB, object=OBJECT_MIB_MAX << 20,
            connections=CONNECTIONS_MAX))
        return ["-db", "-f", str(file)]
