"""Collects the licences of everything that the site serves, for `/licenses`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import files, packages_distributions
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

PAGES_NOTICES = "licenses.txt"
"""The licences of the bundle, written by the build of the pages (frontend/bundle/notices.ts)."""

LICENCE_FILE = re.compile(
    # No code and no compressed copies (.gz). "script.js.LICENSE.txt" is webpack's naming.
    r"(.+\.)?(licen[cs]es?|copying|notices?)([-_]\w+)?(\.(txt|md|rst|python))?",
    re.IGNORECASE,
)
RULE = f"\n{'=' * 80}\n"


@cache
def notices_text(dist: Path) -> str:
    """Return the licences of the project, its pages, and the packages whose static files it serves.

    Args:
        dist: the folder of the built pages; without a build, their licences are missing.

    Cached per folder, because these files do not change while the process runs.
    """
    sections = [
        ("Live AI Blocks", settings.BASE_DIR / "LICENSE"),
        ("The pages", dist / PAGES_NOTICES),
        *_package_licences(),
        *_static_licences(),
    ]
    return RULE.join(
        f"{title}\n\n{path.read_text(encoding='utf-8', errors='replace').strip()}\n"
        for title, path in sections
        if path.is_file()
    )


def _package_licences() -> Iterator[tuple[str, Path]]:
    """Yield the licences of packages whose apps have static files."""
    distributions = packages_distributions()
    serving = {
        name
        for app in apps.get_app_configs()
        if (Path(app.path) / "static").is_dir()
        for name in distributions.get(app.name.partition(".")[0], ())
    }
    for name in sorted(serving, key=str.lower):
        for file in files(name) or ():
            # `_static_licences` adds the licences of individual static files.
            if ".dist-info" in file.parts[0] and LICENCE_FILE.fullmatch(file.name):
                yield f"{name}: {file.name}", Path(str(file.locate()))


def _static_licences() -> Iterator[tuple[str, Path]]:
    """Yield the licence files among the static files, such as those of jQuery and Swagger UI."""
    for finder in get_finders():
        for path, storage in finder.list([]):
            name = Path(path).name
            if LICENCE_FILE.fullmatch(name) and name != PAGES_NOTICES:
                prefix = f"{storage.prefix}/" if getattr(storage, "prefix", None) else ""
                yield f"{settings.STATIC_URL}{prefix}{path}", Path(storage.path(path))
