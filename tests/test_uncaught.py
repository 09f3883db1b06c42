"""What nobody catches is a record of the log, like all else, without its text."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

from liveai.uncaught import log_the_uncaught
from tests.support.servers.harness import ROOT, clean_environment

FAIL = """
import threading, warnings
import django; django.setup()
from streaming.loop.log_ids import of_request

class Odd:
    def __del__(self): raise ValueError("A " + "PROMPT")

def fail(): raise ValueError("A " + "PROMPT")
def leave(): raise SystemExit

del (odd := [Odd()])[:]
for run in (fail, leave):
    thread = threading.Thread(target=run); thread.start(); thread.join()
with of_request("r-1"): warnings.warn("A " + "PROMPT")
warnings.warn("Nobody's")
"""


def test_failures_of_threads_and_finalizers_and_warnings_are_lines_without_texts() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "liveai.settings", "LOG_FORMAT": "json"}
    done = subprocess.run(
        [sys.executable, "-c", FAIL],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    ignored, thread, warning, other = [json.loads(line) for line in done.stderr.splitlines()]
    assert (ignored["level"], thread["level"], warning["level"]) == ("error", "error", "warning")
    assert ignored["event"] == "A failure was ignored in Odd.__del__."
    assert thread["event"] == "A thread failed."
    for line in (ignored, thread):
        assert line["exception"]["type"] == "ValueError" and "message" not in line["exception"]
        assert "[text withheld]" in line["exception"]["traceback"]
    assert warning["event"].endswith(": UserWarning") and warning["request_id"] == "r-1"
    assert "UserWarning: Nobody's" in other["event"]
    assert "A PROMPT" not in done.stderr


def test_hooks_that_another_program_has_set_stay() -> None:
    hooks = threading.excepthook, sys.unraisablehook
    assert hooks != (threading.__excepthook__, sys.__unraisablehook__)  # pytest's
    log_the_uncaught()
    assert (threading.excepthook, sys.unraisablehook) == hooks
