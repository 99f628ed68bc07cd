"""nginx as a reverse proxy with proxy_cache: it is no forward proxy, but takes a request in absolute
form as one for that host. Two of them, as neither is the better one for small and large bodies alike:
one reads the file and writes head and body at once, the other has the kernel send it."""

from peers.peer import CACHE_MIB, CONNECTIONS_MAX, OBJECT_MIB_MAX, Peer

# The cache is files; here they are in memory (/dev/shm), and open_file_cache keeps them open. The
# upstream is fixed: with a variable in proxy_pass it would be parsed anew at each hit. The body is in
# the key for OCSP by POST; it is empty otherwise.
CONFIGURATION = """daemon off;
worker_processes 1;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
worker_rlimit_nofile {connections};
events {{
  worker_connections {connections};
}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_buffer_size 16k;
  client_body_in_single_buffer on;
  {sending}
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  proxy_cache_path {folder}/cache keys_zone=revocation:16m max_size={memory}m inactive=24h
                   use_temp_path=off;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://127.0.0.1:{origin};
      proxy_set_header Host $http_host;
      proxy_max_temp_file_size {object}m;
      proxy_cache revocation;
      proxy_cache_methods GET HEAD POST;
      proxy_cache_key $http_host$request_uri$request_body;
      proxy_cache_lock on;
    }}
  }}
}}
"""


class Nginx(Peer):
    name = "nginx"
    program = "nginx"
    sending = "sendfile off; output_buffers 1 1m;"

    def configure(self):
        file = self.folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(
            port=self.port, origin=self.origin_port, memory=CACHE_MIB, object=OBJECT_MIB_MAX,
            folder=self.folder, connections=CONNECTIONS_MAX, sending=self.sending))
        return ["-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c", str(file)]


class NginxSendfile(Nginx):
    name = "nginx-sendfile"
    sending = "sendfile on;"  # tcp_nopush was tried: two system calls more, and nothing gained
