#!/usr/bin/env python3
"""docs/logs.md and the source name the same events, at the same levels, with the same fields.

Reads each call of metrics::Log in the product: event and keys are literals there. What is not read,
since it is no such call (FORWARDING), is read in a way of its own.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("admin", "base", "cache", "config", "http", "metrics", "net", "pki", "proxy", "revocation")
CALL = re.compile(r"\b\w*log\w*(?:\(\))?(?:\.|->)(debug|info|warning|error|record|write)\s*\(")
LITERAL = r'"((?:[^"\\]|\\.)*)"'
LEVEL = re.compile(r"LogLevel::(\w+)")
# These carry a level of their own choice, and the line of a request.
FORWARDING = {"metrics/spdlog_log.cc", "metrics/access_log.cc", "proxy/request_log_lines.cc"}


def balanced(text, start):
    """From `start`, which is behind "(", up to the matching ")"."""
    depth, at = 1, start
    while depth > 0:
        if text[at] == '"':
            at = re.compile(LITERAL).match(text, at).end()
            continue
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
    return text[start:at - 1]


def calls(text):
    """(level or None, events, keys) of each call."""
    for match in CALL.finditer(text):
        call = balanced(text, match.end())
        brace = re.search(r"\{\s*\{", call)
        head = call[:brace.start()] if brace else call
        events = re.findall(LITERAL, re.sub(r'"\s+"', "", head))
        if not events:
            continue
        keys = set(re.findall(r'\{\s*"(\w+)"\s*,', call[len(head):]))
        word = match.group(1)
        level = {"record": "info", "write": None}.get(word, word)
        yield level, events, keys


def of_requests(text):
    return set(re.findall(r'line\.add\("(\w+)"', text)) | \
        set(re.findall(r'string_view\("(\w+)"\)', text))


def in_source():
    """{event: (levels, keys)}; no level: decided when it is written."""
    found = {}

    def take(level, event, keys):
        levels, all_keys = found.setdefault(event, (set(), set()))
        levels.update({level} if level else set())
        all_keys.update(keys)

    for module in MODULES:
        for path in sorted((TOP / module).glob("*.cc")):
            if str(path.relative_to(TOP)) in FORWARDING:
                continue
            text = re.sub(r"^\s*//[^\n]*", "", path.read_text(), flags=re.MULTILINE)
            for level, events, keys in calls(text):
                for event in events:
                    take(level, event, keys)
    requests = (TOP / "metrics/access_log.cc").read_text()
    split = requests.index("void AccessLog::report")
    take("info", "request", of_requests(requests[:split]))
    take("warning", "requests suppressed", of_requests(requests[split:]))
    own = (TOP / "metrics/spdlog_log.cc").read_text()
    for event, pattern in (("events suppressed", r'\{"(\w+)", '), ("log lines dropped", r'line\.add\("(\w+)"')):
        if f'"{event}"' in own:
            take("warning", event, set(re.findall(pattern, own)))
    return found


def in_document():
    """{event: (levels, keys)} of the tables of docs/logs.md."""
    rows = {}
    text = (TOP / "docs/logs.md").read_text()
    for event, levels, keys in re.findall(r"^\| `([^`]+)` \| ([a-z, ]+) \| ([^|]*) \|", text, re.MULTILINE):
        if event in rows:
            raise SystemExit(f"docs/logs.md has {event!r} twice")
        rows[event] = (set(levels.replace(" ", "").split(",")), set(re.findall(r"`(\w+)`", keys)))
    return rows


def differences():
    source, document = in_source(), in_document()
    for event in sorted(source.keys() | document.keys()):
        if event not in document:
            yield f"{event!r}: not in docs/logs.md; fields: {sorted(source[event][1])}"
        elif event not in source:
            yield f"{event!r}: in docs/logs.md, but nothing writes it"
        else:
            (levels, keys), (told_levels, told_keys) = source[event], document[event]
            if keys != told_keys:
                yield f"{event!r}: writes {sorted(keys)}, docs/logs.md says {sorted(told_keys)}"
            if levels and not levels <= told_levels:
                yield f"{event!r}: level {sorted(levels)}, docs/logs.md says {sorted(told_levels)}"


def main():
    if "--list" in sys.argv:
        for event, (levels, keys) in sorted(in_source().items()):
            print(f"| `{event}` | {', '.join(sorted(levels)) or '?'} | "
                  f"{', '.join(f'`{key}`' for key in sorted(keys))} | |")
        return 0
    found = list(differences())
    for line in found:
        print(line)
    print(f"{len(in_source())} events, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
