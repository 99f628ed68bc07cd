#!/usr/bin/env python3
"""What a scrape costs with many authorities: how long it takes, and whether a serving loop feels it.

Starts the release build with authorities of its own (a key, a certificate and a CRL each, made by
OpenSSL), has one client ask for their CRLs all the time, and then, for equal times, scrapes nothing
and scrapes as often as it can. revcache itself tells how long each round of each loop took
(revcache_event_loop_lag_seconds): rounds of a worker above 200 us in the one half against those in
the other are what a scrape adds. On a busy machine both halves have some, as the kernel takes the
core away in the middle of a round; so the halves take turns.
"""

import argparse
import pathlib
import re
import signal
import statistics
import sys
import tempfile
import threading
import time

import measure
from metrics_cost import Hits
from revcache_process import RevcacheProcess  # found through measure
from sample_origin import SampleOrigin
from sample_pki import openssl

LAG_SECONDS_MAX = 200e-6
SCRAPE_SECONDS_MAX = 30e-3
CA_CONFIG = """[ca]
default_ca = this
[this]
database = {folder}/index
crlnumber = {folder}/number
default_md = sha256
default_crl_days = 7
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


def authority(folder, number, origin):
    """Makes a CA, publishes its CRL; its part of the configuration."""
    folder = folder / f"ca{number}"
    folder.mkdir(parents=True)
    (folder / "index").write_text("")
    (folder / "number").write_text("01\n")
    config = folder / "openssl.cnf"
    config.write_text(CA_CONFIG.format(folder=folder))
    key, certificate, crl = folder / "key.pem", folder / "ca.pem", folder / "crl.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
            "-days", "30", "-config", config, "-extensions", "root", "-subj", f"/CN=Scraped {number}",
            "-keyout", key, "-out", certificate)
    openssl("ca", "-gencrl", "-config", config, "-keyfile", key, "-cert", certificate, "-out", crl)
    der = folder / "crl.der"
    openssl("crl", "-in", crl, "-outform", "DER", "-out", der)
    origin.put(f"/{number}.crl", der.read_bytes(), "application/pkix-crl")
    return (f'\n[[authority]]\nname = "ca{number}"\ncertificate = "{certificate}"\n'
            f'crls = ["http://127.0.0.1:{origin.port}/{number}.crl"]\n')


class Clients(threading.Thread):
    """Asks for one CRL after the other until it is told to stop."""

    def __init__(self, port, urls):
        super().__init__(daemon=True)
        self._all = [Hits(port, url) for url in urls]
        self._ending = threading.Event()
        self.asked = 0

    def run(self):
        while not self._ending.is_set():
            for one in self._all:
                one.run(1)
                self.asked += 1

    def stop(self):
        self._ending.set()
        self.join()


def scrape(proxy):
    """(seconds, text)"""
    request = (f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{proxy.admin_port}\r\n"
               "Connection: close\r\n\r\n").encode()
    began = time.perf_counter()
    answer = measure.exchange(proxy.admin_port, request)
    return time.perf_counter() - began, answer.decode()


def rounds(text):
    """{loop: (rounds, rounds above LAG_SECONDS_MAX)}"""
    found = {}
    pattern = r'revcache_event_loop_lag_seconds_bucket\{loop="(\w+)",le="([^"]+)"\} (\d+)'
    for loop, bound, count in re.findall(pattern, text):
        table = found.setdefault(loop, {})
        table[float(bound)] = int(count)
    return {loop: (table[float("inf")], table[float("inf")] - table[LAG_SECONDS_MAX])
            for loop, table in found.items()}


def half(proxy, seconds, scraping):
    """Rounds of the workers, those above, and the times of the scrapes."""
    before = rounds(scrape(proxy)[1])
    times = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if scraping:
            times.append(scrape(proxy)[0])
        else:
            time.sleep(0.01)
    after = rounds(scrape(proxy)[1])
    workers = [loop for loop in after if loop.startswith("worker")]
    return (sum(after[loop][0] - before[loop][0] for loop in workers),
            sum(after[loop][1] - before[loop][1] for loop in workers), times)


def thread_cpu(pid):
    """{thread: seconds of CPU}"""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        found[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def cpu_of_a_scrape(proxy, count=200):
    """Seconds of CPU of one scrape by thread, of a server that does nothing else: hardly changed by
    what else the machine does."""
    before = thread_cpu(proxy.pid)
    for _ in range(count):
        scrape(proxy)
    after = thread_cpu(proxy.pid)
    return sorted(((after[thread] - before.get(thread, 0)) / count for thread in after), reverse=True)


def report(halves, text, cpu):
    times = sorted(taken for _, _, of_half in halves[True] for taken in of_half)
    print(f"one scrape: {len(text)} octets, {text.count(chr(10))} lines")
    print(f"  time of {len(times)}: p50 {statistics.median(times) * 1e3:.1f} ms, "
          f"p99 {times[int(len(times) * 0.99)] * 1e3:.1f} ms, longest {times[-1] * 1e3:.1f} ms "
          f"(below {SCRAPE_SECONDS_MAX * 1e3:.0f} ms)")
    print(f"  CPU of all threads: {sum(cpu) * 1e3:.2f} ms; by thread, in us: " +
          " ".join(f"{one * 1e6:.0f}" for one in cpu if one >= 0.5e-6))
    for scraping, name in ((False, "without"), (True, "with")):
        all_rounds = sum(one[0] for one in halves[scraping])
        above = sum(one[1] for one in halves[scraping])
        print(f"rounds of serving loops {name} scrapes: {all_rounds}, above 200 us: {above} "
              f"({1e6 * above / max(all_rounds, 1):.0f} in a million)")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=measure.TOP / "build/release/revcache")
    parser.add_argument("--authorities", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each half")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = measure.machine()
    print(f"{measure.commit()} on {machine['cpu']}, load average {machine['load_average']}", flush=True)
    with tempfile.TemporaryDirectory(prefix="revcache-bench-") as name, SampleOrigin() as origin:
        folder = pathlib.Path(name)
        settings = measure.OPEN_ACCESS + "".join(authority(folder, number, origin)
                                      for number in range(args.authorities))
        with RevcacheProcess(args.binary.resolve(), folder / "run", settings) as proxy:
            urls = [f"http://127.0.0.1:{origin.port}/{number}.crl"
                    for number in range(args.authorities)]
            clients = Clients(proxy.port, urls)
            clients.start()
            halves = {False: [], True: []}
            for _ in range(args.turns):
                for scraping in (False, True):
                    halves[scraping].append(half(proxy, args.seconds, scraping))
            clients.stop()
            text = scrape(proxy)[1]
            cpu = cpu_of_a_scrape(proxy)
        ready = text.count("revcache_crl_usable{")
        print(f"{ready} authorities, {clients.asked} hits meanwhile")
        report(halves, text, cpu)
    return 0


if __name__ == "__main__":
    sys.exit(main())
