"""The pages in Chromium, under a path of a host, behind the nginx of `deploy/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frontend.conftest import RunPages, over_one
from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX
from tests.support.faults.path_site import running_under_a_path

SCRIPTS = Path(__file__).parent / "scripts"

pytestmark = pytest.mark.timeout(660)  # a whole file of tests, each with its own limit


@over_one("sse")
def test_everything_works_below_the_path(
    run_pages: RunPages, transport: str, template: Path, tmp_path: Path
) -> None:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    environment = {
        "AI_MODEL": "scripted:pages",
        "AI_SCRIPTS_DIR": str(SCRIPTS),
        "STREAMING_BACKEND": transport,
    }
    # nginx removes the path in one of the two runs.
    is_removed = transport == "websocket"
    with running_under_a_path(
        tmp_path, template, is_removed=is_removed, environment=environment
    ) as site:
        run_pages(
            "under-a-path", LIVEAI_NGINX_PORT=str(site.port), LIVEAI_PATH_PORT=str(site.server.port)
        )
        site.server.assert_unharmed()
