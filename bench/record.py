"""How a benchmark begins and ends: where it runs, what it found, and where that is written."""

import json
import os
import signal
import sys

import measure


def begin():
    """The document to be filled; tells the machine. An orderly end on SIGTERM: what was started is
    ended too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure.raise_descriptor_limit()
    document = {"date": measure.now(), "commit": measure.commit(), "machine": measure.machine()}
    print(f"{document['commit']} on {document['machine']['cpu']}, {os.cpu_count()} cores, load average "
          f"{document['machine']['load_average']}", flush=True)
    return document


def write(document, save, kind=""):
    """`save`: into bench/results/, to be kept; else into build/bench/."""
    folder = measure.TOP / ("bench/results" if save else "build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{kind}{document['date'].replace(':', '')}-{document['commit']}.json"
    file.write_text(json.dumps(document, indent=2) + "\n")
    print(f"recorded in {file.relative_to(measure.TOP)}")
