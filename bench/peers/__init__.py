"""Other caches that stand where revcache stands, started on loopback: one class each.

How each is tuned: memory instead of disk, no access log on disk, connections kept open without a
limit on requests, one worker, TCP_NODELAY as it is by default, the whole URL as the key. Where a
setting costs something and revcache does not need it done, it is off. In doubt the peer gets the
benefit.
"""

from peers.haproxy import Haproxy
from peers.nginx import Nginx, NginxSendfile
from peers.squid import Squid
from peers.traffic_server import TrafficServer
from peers.varnish import Varnish

PEERS = (Squid, Nginx, NginxSendfile, Haproxy, TrafficServer, Varnish)
