#!/usr/bin/env python3
"""Runs clang-tidy over the product and remembers what was clean.

A file is looked at again only when it, a header of ours that it includes (directly or not), its
compile flags, .clang-tidy or clang-tidy itself changes: the hash of all these names a file in
build/tidy/. Longest files first, so that the last one does not make the others wait.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
PRODUCT = {"base", "metrics", "http", "pki", "net", "cache", "revocation", "config", "proxy", "admin",
           "commands"}


def local_headers(path, seen):
    """Adds to `seen` every file of the tree that `path` includes, and `path` itself."""
    if path in seen or not path.is_file():
        return
    text = path.read_bytes()
    seen[path] = text
    for name in INCLUDE.findall(text):
        for base in (TOP, path.parent):
            local_headers((base / name.decode()).resolve(), seen)


def flags_of(entry):
    arguments = entry.get("arguments") or shlex.split(entry["command"])
    skip_next = False
    kept = []
    for argument in arguments[1:]:
        if skip_next:
            skip_next = False
        elif argument in ("-o", "-c"):
            skip_next = argument == "-o"
        else:
            kept.append(argument)
    return " ".join(kept)


def fingerprint(path, entry, common):
    seen = {}
    local_headers(path, seen)
    digest = hashlib.sha256(common)
    digest.update(flags_of(entry).replace(str(TOP), "").encode())
    for name in sorted(seen):
        digest.update(str(name.relative_to(TOP) if name.is_relative_to(TOP) else name).encode())
        digest.update(hashlib.sha256(seen[name]).digest())
    return digest.hexdigest()


def changed_files():
    """Files that differ from the commit before, or from HEAD, and untracked ones."""
    names = set()
    for command in (["git", "diff", "--name-only", "HEAD~1"],
                    ["git", "ls-files", "--others", "--exclude-standard"]):
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
        names.update((TOP / line).resolve() for line in done.stdout.splitlines())
    return names


def run_one(path, build):
    started = time.monotonic()
    done = subprocess.run([TIDY, "--quiet", "-p", str(build), str(path)], cwd=TOP,
                          capture_output=True, text=True, check=False)
    # Standard error counts suppressed warnings; it matters only when the compiler itself failed.
    output = done.stdout + (done.stderr if done.returncode and not done.stdout.strip() else "")
    return done.returncode, output, time.monotonic() - started


def select(build, args, common):
    """(path, fingerprint) of what must be looked at, and how many files there are."""
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not path.is_relative_to(TOP):
            continue
        folder = path.relative_to(TOP).parts[0]
        if path.suffix == ".cc" and (folder in PRODUCT or (args.all and folder in ("tests", "bench"))):
            entries[path] = entry
    if args.files:
        wanted = {pathlib.Path(name).resolve() for name in args.files}
        entries = {path: entry for path, entry in entries.items() if path in wanted}
    if args.changed:
        changed = changed_files()
        entries = {path: entry for path, entry in entries.items() if path in changed}
    work = []
    for path, entry in entries.items():
        mark = args.cache / fingerprint(path, entry, common)
        if not mark.exists():
            work.append((path, mark))
    work.sort(key=lambda item: -item[0].stat().st_size)
    return work, len(entries)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/clang")
    parser.add_argument("--cache", type=pathlib.Path, default=TOP / "build/tidy")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--changed", action="store_true", help="only files of the last commit or newer")
    parser.add_argument("--all", action="store_true", help="tests/ and bench/ too")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()

    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + (TOP / ".clang-tidy").read_bytes()
    args.cache.mkdir(parents=True, exist_ok=True)
    work, total = select(args.build.resolve(), args, common)
    print(f"clang-tidy: {total} files, {total - len(work)} known to be clean", flush=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        running = {pool.submit(run_one, path, args.build): (path, mark) for path, mark in work}
        for future in concurrent.futures.as_completed(running):
            path, mark = running[future]
            code, output, seconds = future.result()
            name = path.relative_to(TOP)
            if code == 0:
                mark.touch()
                print(f"  ok   {name} ({seconds:.1f} s)", flush=True)
            else:
                failed += 1
                print(f"  FAIL {name} ({seconds:.1f} s)\n{output.rstrip()}", flush=True)
    print(f"clang-tidy: {failed} files with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
