#!/usr/bin/env python3
"""Each rule of tools/check_includes.py must catch a bad sample, and let a good one pass."""

import pathlib
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))
sys.dont_write_bytecode = True
import check_includes  # noqa: E402  (found through the path above)


def rules(path, text):
    return sorted({rule for _, rule, _ in check_includes.check_source(path, text)})


HEADER = "#pragma once\n"


class Includes(unittest.TestCase):
    def test_a_module_may_include_itself_and_what_is_below_it(self):
        for path, target in [
            ("http/uri.cc", "http/uri.h"), ("http/uri.cc", "base/result.h"),
            ("net/listener.cc", "metrics/metrics.h"), ("cache/tiered_cache.cc", "net/timers.h"),
            ("revocation/admission.cc", "pki/crl.h"), ("config/load.cc", "cache/options.h"),
            ("config/load.cc", "http/parser.h"), ("proxy/worker.cc", "config/config.h"),
            ("proxy/admin_port.cc", "admin/server.h"), ("proxy/main.cc", "commands/config.h"),
        ]:
            self.assertEqual(rules(path, f'#include "{target}"\n'), [], (path, target))

    def test_a_module_may_not_include_what_is_above_or_beside_it(self):
        for path, target in [
            ("base/error.cc", "metrics/log.h"), ("http/uri.cc", "net/stream.h"),
            ("pki/crl.cc", "http/uri.h"), ("metrics/log.cc", "http/date.h"),
            ("net/listener.cc", "http/parser.h"), ("cache/memory_tier.cc", "pki/crl.h"),
            ("cache/memory_tier.cc", "config/config.h"), ("revocation/publisher.cc", "proxy/worker.h"),
            ("config/load.cc", "cache/memory_tier.h"), ("proxy/connection.cc", "commands/config.h"),
            ("admin/server.cc", "proxy/worker.h"), ("commands/config.cc", "proxy/worker.h"),
        ]:
            self.assertEqual(rules(path, f'#include "{target}"\n'), ["includes"], (path, target))

    def test_cache_and_revocation_see_only_the_interfaces_of_net(self):
        for module in ("cache", "revocation"):
            self.assertEqual(rules(f"{module}/a.cc", '#include "net/tcp_stream.h"\n'), ["includes"])
            self.assertEqual(rules(f"{module}/a.cc", '#include "net/background_work.h"\n'), [])

    def test_an_include_is_named_from_the_top(self):
        self.assertEqual(rules("http/uri.cc", '#include "uri.h"\n'), ["includes"])
        self.assertEqual(rules("http/uri.cc", '#include "../base/error.h"\n'), ["includes"])


class Names(unittest.TestCase):
    def test_libuv_stays_in_net(self):
        self.assertEqual(rules("proxy/worker.cc", "uv_close(handle, nullptr);\n"), ["uv"])
        self.assertEqual(rules("proxy/worker.cc", "#include <uv.h>\n"), ["uv"])
        self.assertEqual(rules("net/listener.cc", "#include <uv.h>\nuv_close(handle, nullptr);\n"), [])
        self.assertEqual(rules("proxy/worker.cc", '// as uv_close does\nlog("uv_close");\n'), [])

    def test_nobody_reads_a_clock_or_draws_a_random_number(self):
        for line in ["auto t = std::chrono::steady_clock::now();", "int r = rand();",
                     "std::random_device seed;", "auto t = time(nullptr);", "auto t = std::time(0);",
                     "clock_gettime(CLOCK_MONOTONIC, &spec);"]:
            self.assertEqual(rules("cache/a.cc", line + "\n"), ["clock"], line)
        for line in ["auto t = clock.wall();", "operand(1);", "stored.response_time(0);",
                     "// never calls ::now()"]:
            self.assertEqual(rules("cache/a.cc", line + "\n"), [], line)
        self.assertEqual(rules("base/clock.cc", "std::chrono::system_clock::now();\n"), [])

    def test_code_after_a_comment_or_a_raw_string_is_still_looked_at(self):
        self.assertEqual(rules("cache/a.cc", "/* a\n b */ int r = rand();\n"), ["clock"])
        self.assertEqual(rules("cache/a.cc", 'auto s = R"(" rand()")"; int r = rand();\n'), ["clock"])
        self.assertEqual(rules("cache/a.cc", 'auto s = R"(" rand()")";\n'), [])
        self.assertEqual(rules("cache/a.cc", "int n = 1'000; int r = rand(); char c = 'x';\n"), ["clock"])

    def test_a_todo_names_its_issue(self):
        self.assertEqual(rules("cache/a.cc", "// TODO" + ": later\n"), ["todo"])
        self.assertEqual(rules("tests/cache/a_test.cc", "// TODO" + ": later\n"), ["todo"])
        self.assertEqual(rules("cache/a.cc", "// TODO(#12): later\n"), [])


class Files(unittest.TestCase):
    def test_a_product_file_ends_at_400_lines(self):
        self.assertEqual(rules("http/a.cc", "int a;\n" * 400), [])
        self.assertEqual(rules("http/a.cc", "int a;\n" * 401), ["length"])

    def test_a_header_has_pragma_once(self):
        self.assertEqual(rules("http/a.h", "int a;\n"), ["pragma"])
        self.assertEqual(rules("http/a.h", "// #pragma once\nint a;\n"), ["pragma"])
        self.assertEqual(rules("http/a.h", HEADER + "int a;\n"), [])

    def test_there_is_no_drawer_for_everything(self):
        self.assertEqual(rules("tests/util/a.h", HEADER), ["place"])


if __name__ == "__main__":
    unittest.main()
