"""A process holds our templates: a new version may replace the files under it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers.harness import ROOT, clean_environment

SERVE_THEN_LOSE_THE_FILES = """
import liveai.project_asgi
from django.template import engines
from django.template.loaders.filesystem import Loader

def gone(self, origin):
    raise AssertionError(f"{origin} is read from the disk")

Loader.get_contents = gone
for name in ("404.html", "admin/base_site.html", "operating/dashboard.html", "frontend/page.html"):
    engines["django"].get_template(name)
print("held")
"""


def test_none_of_ours_is_read_after_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE_THEN_LOSE_THE_FILES],
        cwd=ROOT,
        env={**clean_environment(), "DJANGO_DEBUG": "false"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.stdout == "held\n", done.stderr
