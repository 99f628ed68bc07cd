"""Squid as a forward proxy."""

from peers.peer import CACHE_MIB, CONNECTIONS_MAX, OBJECT_MIB_MAX, Peer

# No cache_dir: memory is all there is. client_db and pinger would cost something for each client.
CONFIGURATION = """http_port 127.0.0.1:{port}
http_access allow all
cache_mem {memory} MB
maximum_object_size {object} MB
maximum_object_size_in_memory {object} MB
access_log none
cache_log {folder}/cache.log
cache_store_log none
netdb_filename none
pid_filename {folder}/squid.pid
coredump_dir {folder}
client_persistent_connections on
server_persistent_connections on
max_filedescriptors {connections}
client_db off
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
"""


class Squid(Peer):
    name = "squid"
    program = "squid"
    cannot = {"ocsp-post": "it never stores the answer to a POST"}

    def configure(self):
        file = self.folder / "squid.conf"
        file.write_text(CONFIGURATION.format(
            port=self.port, memory=CACHE_MIB, object=OBJECT_MIB_MAX, folder=self.folder,
            connections=CONNECTIONS_MAX))
        # One process, in the foreground; the name keeps what it shares in memory apart from others'.
        return ["-N", "-n", f"bench{self.port}", "-f", str(file)]
