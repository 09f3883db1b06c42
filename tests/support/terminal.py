"""A real terminal with an interactive bash, for the actions of a person at one."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROMPT = "ready for the next one> "
LIMIT_SECONDS = 60.0


class Terminal:
    """Types into a shell and reads its output; the input is not echoed.

    Args:
        folder: the shell's initial folder.
        environment: the complete environment.
        limit_seconds: how long a command may be silent about what is awaited.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._limit_seconds = limit_seconds
        self._master, slave = os.openpty()
        mode = termios.tcgetattr(slave)
        mode[3] &= ~termios.ECHO
        mode[1] &= ~termios.ONLCR
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        # A test run in the background ignores Ctrl+C, and its children would, too.
        fresh = ["env", "--default-signal=INT,QUIT", "setsid", "--ctty"]
        self._shell = subprocess.Popen(
            [*fresh, "bash", "--norc", "--noprofile", "--noediting", "-i"],
            cwd=folder,
            env={**environment, "PS1": PROMPT, "PS2": "", "TERM": "dumb", "HISTFILE": ""},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._unread = ""
        self.until(PROMPT)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def press_ctrl_c(self) -> None:
        self.type("\x03")

    def until(self, words: str) -> str:
        """Return the output up to and including the next occurrence of some words.

        Raises:
            AssertionError: they do not appear within the limit; the message contains the output.
        """
        return self.until_match(re.escape(words))[0]

    def until_match(self, pattern: str) -> tuple[str, re.Match[str]]:
        """Do the same for a regular expression; also return its match."""
        deadline = time.monotonic() + self._limit_seconds
        while (found := re.search(pattern, self._unread, re.MULTILINE)) is None:
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert ready, f"no {pattern!r} in {self._limit_seconds:.0f} s:\n{self._unread}"
            self._unread += os.read(self._master, 65536).decode("utf-8", "replace")
        shown, self._unread = self._unread[: found.end()], self._unread[found.end() :]
        return shown, found

    def run(self, command: str, answers: Sequence[tuple[str, str]] = ()) -> str:
        """Type a command, wait for its end, and return its output.

        Args:
            answers: prompts of the command, and the input typed then.

        Raises:
            AssertionError: its exit status is not 0.
        """
        self.type(command.rstrip("\n") + "\n")
        shown = ""
        for question, answer in answers:
            shown += self.until(question)
            self.type(answer + "\n")
        shown += self.until(PROMPT).removesuffix(PROMPT)
        self.type("echo $?\n")
        status = self.until(PROMPT).removesuffix(PROMPT).strip()
        assert status == "0", f"{command}\nended with {status}:\n{shown}"
        return shown

    def close(self) -> None:
        """Hang up like a closed window, which ends running programs. Idempotent."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.send_signal(signal.SIGKILL)
            self._shell.wait()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
