"""System calls of a server and all its processes, as strace counts them."""

import re
import subprocess
import tempfile

import measure

LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)


def counted(pid, action):
    """{name: calls} while `action` runs."""
    processes = measure.process_tree(pid)
    with tempfile.NamedTemporaryFile(prefix="revcache-strace-") as file:
        attach = [word for process in processes for word in ("-p", str(process))]
        tracing = subprocess.Popen(["strace", "-f", "-c", "-o", file.name, *attach],
                                   stderr=subprocess.PIPE, text=True)
        try:
            for _ in processes:
                if "attached" not in tracing.stderr.readline():
                    raise RuntimeError(f"strace: {tracing.stderr.read()}")
            action()
        finally:
            tracing.terminate()
            tracing.wait()
            tracing.stderr.close()
        return {name: int(number) for number, name in LINE.findall(file.read().decode())
                if name != "total"}


def per_request(pid, load, port, arguments, requests):
    """{name: calls of one request}, without what is rarer than one in a hundred. `arguments` are
    those of Load.run() behind the port."""
    calls = counted(pid, lambda: load.run(port, *arguments))
    return {name: round(number / requests, 3) for name, number in calls.items()
            if number >= requests / 100}
