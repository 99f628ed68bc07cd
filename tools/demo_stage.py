"""What the chapters of the demonstration have in common: titles, commands with what they print, and
claims, which are counted when they are not true."""

import shlex
import subprocess

COMMAND_SECONDS_MAX = 20


class Stage:
    def __init__(self):
        self.failures = 0

    def chapter(self, title):
        print(f"\n\033[1m{title}\033[0m")

    def say(self, text):
        """A paragraph for the reader."""
        print("".join(f"   {line}".rstrip() + "\n" for line in text.strip().splitlines()), end="")

    def show(self, text):
        """What a program printed."""
        print("".join(f"  {line}".rstrip() + "\n" for line in text.rstrip().splitlines()), end="")

    def expect(self, claim, truth):
        print(f"  {'ok  ' if truth else 'FAIL'}  {claim}")
        self.failures += not truth

    def verdict(self):
        return (f"{self.failures} claims were not true." if self.failures else
                "Everything was as claimed.")

    def run(self, *command, shown=None, folder=None):
        """Shows a command (in the words of `shown`, else as it is) and all that it printed."""
        words = [str(word) for word in command]
        print(f"  $ {shown or shlex.join(words)}", flush=True)
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, cwd=folder,
                                  timeout=COMMAND_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired:
            self.expect(f"{words[0]} ends within {COMMAND_SECONDS_MAX} s", False)
            return subprocess.CompletedProcess(words, -1, "", "")
        self.show(done.stdout)
        return done
