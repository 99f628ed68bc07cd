#!/usr/bin/env python3
"""Rules of the tree that a compiler does not know; run as the ctest test `style.includes`.

  includes   which module may name which (docs/architecture.md has the table in words)
  uv         names of libuv stay in net/
  clock      nobody reads a clock or draws a random number but the places named below
  length     a product file has at most 400 lines
  pragma     a header begins with #pragma once
  todo       a TODO names the number of its issue
  place      no util/, no common/

Usage: check_includes.py [--root DIR]. Prints file:line: rule: text; exits 1 if anything is found.
"""

import argparse
import pathlib
import re
import sys

LINES_MAX = 400

# Module -> modules whose headers it may include, besides its own.
ALLOWED = {
    "base": set(),
    "metrics": {"base"},
    "http": {"base"},
    "pki": {"base"},
    "net": {"base", "metrics"},
    "cache": {"base", "metrics", "http"},
    "revocation": {"base", "metrics", "http", "pki", "cache"},
    "config": {"base"},
    "proxy": {"base", "metrics", "http", "pki", "net", "cache", "revocation", "config", "admin"},
    "admin": {"base", "metrics", "http", "pki", "net", "cache", "revocation", "config"},
    "commands": {"base", "metrics", "http", "pki", "net", "cache", "revocation", "config"},
}

# The interfaces of net: what cache and revocation may see of it, so that they run in simulation.
NET_INTERFACES = {"background_work.h", "executor.h", "resolver.h", "stream.h", "timers.h",
                  "transport.h"}
ONLY_INTERFACES_OF_NET = {"cache", "revocation"}

# config fills the settings of every module below it: their options, and the value types that
# options are made of.
OPTIONS_HEADERS = {"http/message.h", "http/parser.h", "http/uri.h"}

# Files that may name what is otherwise kept in one place.
CLOCK_FILES = re.compile(r"^(base/clock|base/random_seed|net/(event_loop|uv_event_loop|uv_timers))\.(h|cc)$")
# proxy/main.cc starts the process; commands sits beside proxy.
SAME_RANK = {("proxy/main.cc", "commands")}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
UV_NAME = re.compile(r"\buv_[a-z]\w*|<uv\.h>")
CLOCK_READ = re.compile(
    r"::now\s*\(|\b(?:s?rand|rand_r|random|drand48|gettimeofday|clock_gettime|std::time)\s*\("
    r"|\brandom_device\b|(?<![\w.>:])time\s*\(\s*(?:nullptr|NULL|0|&)")
TODO = re.compile(r"\bTODO\b(?!\(#\d+\))")


def without_comments_and_strings(text):
    """The code of a file, line by line: comments and the insides of literals become spaces."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'
        r'|"(?:\\.|[^"\\\n])*"|(?<![\w])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return pattern.sub(blank, text)


def include_problem(module, path, target):
    """Why `path` in `module` may not include `target` ("net/stream.h"), or None."""
    parts = target.split("/")
    if len(parts) < 2 or parts[0] not in ALLOWED:
        return f'"{target}" is no header of a module; name it from the top: "module/file.h"'
    wanted = parts[0]
    if wanted == module or wanted in ALLOWED[module] or (path, wanted) in SAME_RANK:
        return None
    if module in ONLY_INTERFACES_OF_NET and wanted == "net":
        if parts[1] in NET_INTERFACES:
            return None
        return f'{module} sees only the interfaces of net, not "{target}"'
    if module == "config" and (target in OPTIONS_HEADERS or parts[-1].endswith("options.h")):
        return None
    return f'{module} may not include "{target}"'


def check_source(path, text):
    """Findings for one C++ file as (line number, rule, text). `path` is relative to the top."""
    findings = []
    module = path.split("/")[0]
    product = module in ALLOWED
    lines = text.splitlines()
    code = without_comments_and_strings(text).splitlines()

    if product and len(lines) > LINES_MAX:
        findings.append((len(lines), "length", f"{len(lines)} lines, at most {LINES_MAX}"))
    if path.endswith(".h") and not any(line.strip() == "#pragma once" for line in code):
        findings.append((1, "pragma", "a header needs #pragma once"))
    if {"util", "utils", "common"} & set(path.split("/")[:-1]):
        findings.append((1, "place", "a helper lives with its only user, or in base/"))

    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line)
        if include and product:
            problem = include_problem(module, path, include.group(1))
            if problem:
                findings.append((number, "includes", problem))
        if TODO.search(line):
            findings.append((number, "todo", "write TODO(#number), or do it"))
    if not product:
        return findings
    for number, (line, raw) in enumerate(zip(code, lines), 1):
        if module != "net" and (UV_NAME.search(line) or "<uv.h>" in raw):
            findings.append((number, "uv", "names of libuv stay in net/"))
        if not CLOCK_FILES.match(path) and CLOCK_READ.search(line):
            findings.append((number, "clock", "time and chance are injected (base/clock.h)"))
    return findings


def sources(root):
    folders = sorted(ALLOWED) + ["tests", "bench"]
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file():
                yield path


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    count = 0
    found = 0
    for path in sources(root):
        name = path.relative_to(root).as_posix()
        count += 1
        for number, rule, text in check_source(name, path.read_text(encoding="utf-8")):
            found += 1
            print(f"{name}:{number}: {rule}: {text}")
    if count == 0:
        print(f"no sources below {root}", file=sys.stderr)
        return 2
    print(f"{count} files, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
