"""The client can be imported where there is no Django."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers.harness import ROOT, clean_environment

PROGRAM = """
import sys
import liveai.client
ours = {"django", "streaming", "blocks", "frontend", "operating", "msgspec"}
print(sorted(ours & {name.partition(".")[0] for name in sys.modules}))
print(all(hasattr(liveai.client, name) for name in liveai.client.__all__))
"""


def test_importing_it_loads_no_django_and_nothing_else_of_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("[]\nTrue\n", "")
