"""A host: a fresh `startproject` with an installed wheel, and the lines that docs/host.md tells."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.support.servers.harness import SCRIPTS, clean_environment

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "project"
TEMPLATE = "people/templates/host_page.html"
LINES_AT_MOST = 10
START_SECONDS = 60.0

LIVEAI = {
    "AI_MODEL": "scripted:live",
    "AI_SCRIPTS_DIR": str(SCRIPTS),
    "AI_STREAMING_ENABLED": True,
    "CORS_ALLOWED_ORIGINS": ["https://app.example"],
    "STREAM_DRAIN_SECONDS": 1,
}
"""Instead of the documented line, which names a model that must be paid for."""


MIGRATE = """
import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
django.setup()
from django.core.management import call_command
call_command("makemigrations", "people", verbosity=0)
call_command("migrate", verbosity=0)
"""


def documented_lines() -> dict[str, list[str]]:
    """Return the lines to add, by the file that the page names before them."""
    page = (ROOT / "docs" / "host.md").read_text("utf-8")
    found = re.findall(
        r"At the end of (?:`([\w/.]+)`|a template)[^\n]*\n\n```\w+\n(.*?)```", page, re.DOTALL
    )
    return {
        file or TEMPLATE: [line for line in text.splitlines() if line.strip()]
        for file, text in found
    }


_QUIET = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass
class Host:
    """A project's folder, and where the wheel is installed."""

    folder: Path
    site: Path
    more: Mapping[str, str] = field(default_factory=dict)
    """Further variables of its processes."""

    @property
    def environment(self) -> dict[str, str]:
        return {**clean_environment(), "PYTHONPATH": str(self.site), **_QUIET, **self.more}

    def installed(self) -> set[Path]:
        return set(self.site.rglob("*"))

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Python in the project's folder."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip does it, except that hatchling is the installed one."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel_metadata(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        return archive.read(name).decode().splitlines()


@pytest.fixture(scope="module")
def host(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A migrated project. Nothing may be written to where the wheel is installed."""
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("host")
    zipfile.ZipFile(wheel).extractall(site)
    made = Host(folder, site)
    call_command("startproject", "mysite", str(folder))
    shutil.copytree(PROJECT / "people", folder / "people")
    shutil.copytree(PROJECT / "templates", folder / "people" / "templates")
    shutil.copy(PROJECT / "host_api.py", folder)
    for name in ("urls.py", "asgi.py"):
        shutil.copy(PROJECT / name, folder / "mysite")
    settings = folder / "mysite" / "settings.py"
    _append(settings, (PROJECT / "host_settings.py").read_text("utf-8").splitlines())
    added = documented_lines()
    for file, lines in added.items():
        _append(folder / file, [_replaced(line) for line in lines])
    made.run("-c", MIGRATE)
    before = made.installed()
    yield made
    assert made.installed() == before, "something was written to where the wheel is installed"


def _replaced(line: str) -> str:
    return f"LIVEAI = {LIVEAI!r}" if line.startswith("LIVEAI") else line


def _append(path: Path, lines: list[str]) -> None:
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text("\n".join([before, *lines, ""]), "utf-8")
