"""Apache Traffic Server as a forward proxy."""

from peers.peer import CACHE_MIB, CONNECTIONS_MAX, OBJECT_MIB_MAX, Peer

# It takes a cache on disk to be there: a file in memory, and the RAM cache before it, whose cutoff
# (4 MiB by default) is raised above the largest object here.
RECORDS = """CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.exec_thread.autoconfig.enabled INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.exec_thread.affinity INT 0
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.cache.threads_per_disk INT 1
CONFIG proxy.config.cache.ram_cache.size INT {memory}M
CONFIG proxy.config.cache.ram_cache_cutoff INT {object}M
CONFIG proxy.config.cache.min_average_object_size INT 8000
CONFIG proxy.config.http.cache.http INT 1
CONFIG proxy.config.http.cache.ignore_client_cc_max_age INT 1
CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 600
CONFIG proxy.config.url_remap.remap_required INT 0
CONFIG proxy.config.reverse_proxy.enabled INT 0
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.diags.debug.enabled INT 0
CONFIG proxy.config.net.connections_throttle INT {connections}
CONFIG proxy.config.dns.nameservers STRING 127.0.0.1
CONFIG proxy.config.dns.resolv_conf STRING NULL
CONFIG proxy.config.core_limit INT 0
CONFIG proxy.config.crash_log_helper STRING NULL
"""
ALLOWED = """ip_allow:
- apply: in
  ip_addrs: 127.0.0.1
  action: allow
  methods: ALL
"""
LAYOUT = """prefix: {folder}
exec_prefix: {folder}
bindir: /usr/bin
sbindir: /usr/sbin
sysconfdir: {folder}/etc
datadir: {folder}/share
includedir: /usr/include
libdir: /usr/lib
libexecdir: {folder}/modules
localstatedir: {folder}/var
runtimedir: {folder}/run
logdir: {folder}/log
cachedir: {folder}/cache
"""


class TrafficServer(Peer):
    name = "trafficserver"
    program = "traffic_server"
    version_command = ("-V",)
    cannot = {"ocsp-post": "it would store the answer to a POST under its URL, without the question"}

    def configure(self):
        for name in ("etc", "share", "modules", "var", "run", "log", "cache"):
            (self.folder / name).mkdir()
        (self.folder / "etc/records.config").write_text(RECORDS.format(
            port=self.port, memory=CACHE_MIB, object=OBJECT_MIB_MAX, connections=CONNECTIONS_MAX))
        (self.folder / "etc/storage.config").write_text(f"{self.folder}/cache {CACHE_MIB}M\n")
        (self.folder / "etc/ip_allow.yaml").write_text(ALLOWED)
        layout = self.folder / "runroot.yaml"
        layout.write_text(LAYOUT.format(folder=self.folder))
        return [f"--run-root={layout}"]
