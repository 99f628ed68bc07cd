"""The process wrapper of the harness: what it must notice about a child, with children that are
small scripts."""

import os
import stat
import sys
import tempfile
import unittest

from harness import main
from harness.process import Revcache, own_address

SCRIPT = """#!{python}
import os, signal, socket, sys
def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
assert sys.argv[1:3] == ["serve", "-c"] and os.path.exists(sys.argv[3])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
{before}
notify("STATUS=starting")
notify("READY=1\\nSTATUS=serving")
signal.sigwait([signal.SIGTERM])
{after}
"""


class Children(unittest.TestCase):
    def child(self, before="", after=""):
        handle, path = tempfile.mkstemp(suffix=".py")
        with os.fdopen(handle, "w") as file:
            file.write(SCRIPT.format(python=sys.executable, before=before, after=after))
        os.chmod(path, stat.S_IRWXU)
        self.addCleanup(os.unlink, path)
        child = Revcache(path, ["127.0.0.1:1"])
        self.addCleanup(child.remove)
        return child

    def test_a_child_that_starts_and_stops_cleanly_passes(self):
        with self.child(before="print('started', flush=True)") as child:
            self.assertIn("started", child.log())
        self.assertEqual(child.process.returncode, 0)

    def test_a_child_that_ends_before_it_is_ready_fails(self):
        child = self.child(before="print('no such key'); sys.exit(4)")
        with self.assertRaisesRegex(AssertionError, "(?s)exit status 4.*no such key"):
            child.start()
        child.notifications.close()

    def test_a_nonzero_exit_status_fails(self):
        child = self.child(after="sys.exit(1)").start()
        with self.assertRaisesRegex(AssertionError, "exit status 1"):
            child.stop()

    def test_sanitizer_reports_fail_whatever_the_status(self):
        for report in ("==1==ERROR: AddressSanitizer: heap-use-after-free",
                       "WARNING: ThreadSanitizer: data race", "a.cc:1:2: runtime error: shift"):
            child = self.child(after="print(%r, flush=True)" % report).start()
            with self.assertRaisesRegex(AssertionError, "sanitizer report"):
                child.stop()

    def test_a_second_stop_is_harmless(self):
        child = self.child().start()
        child.stop()
        child.stop()

    def test_each_process_has_an_address_of_its_own(self):
        self.assertRegex(own_address(), r"^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$")


if __name__ == "__main__":
    main.run()
