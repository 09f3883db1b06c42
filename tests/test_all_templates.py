"""A process holds its templates: a new version may replace the files under it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers.harness import ROOT, clean_environment

SERVE_THEN_LOSE_THE_FILES = """
import liveai.asgi
from django.forms.renderers import get_default_renderer
from django.template import engines
from django.template.loaders.filesystem import Loader

def gone(self, origin):
    raise AssertionError(f"{origin} is read from the disk")

Loader.get_contents = gone
for name in ("404.html", "admin/index.html", "account/login.html", "frontend/page.html"):
    engines["django"].get_template(name)
ours = engines["django"].get_template("admin/base_site.html").template
engines["django"].engine.find_template("admin/base_site.html", skip=[ours.origin])  # Django's
get_default_renderer().get_template("django/forms/widgets/text.html")
print("held")
"""


def test_no_template_is_read_after_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVE_THEN_LOSE_THE_FILES],
        cwd=ROOT,
        env={**clean_environment(), "DJANGO_DEBUG": "false"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.stdout == "held\n", done.stderr
