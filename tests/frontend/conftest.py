"""A site with pages, using a build made for the tests, and one without."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django_vite.core.asset_loader import DjangoViteAssetLoader

from frontend.build import ENTRY
from tests.support.frontend import pages
from tests.support.sizes import IS_FULL

SCRIPT = "assets/main-DkY3hX_9.js"
CHUNK = "assets/react-B1-x2y3z.js"
STYLE = "assets/main-C0ffee12.css"
FONT = "assets/literata-latin-wght-normal-Zq3_aB1-.woff2"

MANIFEST = {
    ENTRY: {
        "file": SCRIPT,
        "name": "main",
        "src": ENTRY,
        "isEntry": True,
        "imports": ["_react-B1-x2y3z.js"],
        "css": [STYLE],
    },
    "_react-B1-x2y3z.js": {"file": CHUNK, "name": "react"},
}

UseDist = Callable[[Path], None]
RunPages = Callable[..., None]


TRANSPORTS = ["sse", "websocket"]

over_each = pytest.mark.parametrize("transport", TRANSPORTS)
"""For long files: two workers can share them."""


def over_one(transport: str) -> pytest.MarkDecorator:
    """For the longest files: a push runs them over this transport alone, a full run over each."""
    return pytest.mark.parametrize("transport", TRANSPORTS if IS_FULL else [transport])


@pytest.fixture
def run_pages(template: Path, record_property: Callable[[str, object], None]) -> RunPages:
    """Run a file of the pages' tests in Chromium. `scripts/test` names second tries at its end."""

    def run(file: str, transport: str = "", **environment: str) -> None:
        for name in pages.run_pages(file, transport, template, **environment):
            record_property("second_try", name)

    return run


@pytest.fixture
def use_dist(settings: Any, tmp_path: Path) -> Iterator[UseDist]:
    """Make the site read a folder as its build, as the start of a process does."""

    def use(dist: Path) -> None:
        settings.FRONTEND_DIST = dist
        settings.FRONTEND_FAILURE = tmp_path / "frontend-failure"
        settings.DJANGO_VITE = {
            "default": {
                **settings.DJANGO_VITE["default"],
                "manifest_path": dist / "manifest.json",
            }
        }
        settings.STATICFILES_DIRS = [("ai", dist)] if dist.is_dir() else []
        finders.get_finder.cache_clear()
        DjangoViteAssetLoader._instance = None

    yield use
    finders.get_finder.cache_clear()
    DjangoViteAssetLoader._instance = None


@pytest.fixture
def built(use_dist: UseDist, tmp_path: Path) -> Path:
    """A site with built pages: the folder with the build."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    for name in (SCRIPT, CHUNK, STYLE, FONT):
        (dist / name).write_text(f"/* {name} */")
    (dist / "manifest.json").write_text(json.dumps(MANIFEST))
    use_dist(dist)
    return dist


@pytest.fixture
def unbuilt(use_dist: UseDist, tmp_path: Path) -> Path:
    """A site without built pages: the folder where the build would be."""
    dist = tmp_path / "no-dist"
    use_dist(dist)
    return dist
