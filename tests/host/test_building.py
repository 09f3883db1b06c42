"""The build of the package in a checkout without built pages, and of its sdist."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    *("pyproject.toml", "hatch_build.py", ".gitignore", "LICENSE", "frontend/package.json"),
    *("requirements.txt", "requirements-otel.txt", "requirements-social.txt"),
    "specs/050-live-ai-interaction/contracts/stream-schema.yaml",
]
BUILT = "frontend/dist/manifest.json"
NODE = """#!/bin/sh
[ -z "$PYTHONPATH" ] || exit 1
echo v{version}
"""
NPM = """#!/bin/sh
[ -z "$PYTHONPATH" ] || exit 1
echo "$@" >> asked
case $1 in ci) exit {ci};; esac
mkdir dist && echo {{}} > dist/manifest.json
"""
"""Instead of the real ones, which need the network and a minute. Like Node from PyPI, they don't
run in the environment that pip makes for a build."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A fresh clone with little code."""
    made = tmp_path / "checkout"
    for name in FILES:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes((ROOT / name).read_bytes())
    (made / "liveai").mkdir()
    (made / "liveai" / "__init__.py").touch()
    return made


def put_node(folder: Path, version: str, *, ci: int = 0) -> None:
    """Put programs with the names of Node's on PATH."""
    texts = {"node": NODE.format(version=version), "npm": NPM.format(ci=ci)}
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def built(kind: str, folder: Path, programs: Path | None) -> subprocess.CompletedProcess[str]:
    """Build a wheel or an sdist into the folder itself."""
    path = "" if programs is None else f"{programs}:/usr/bin:/bin"
    return subprocess.run(
        [sys.executable, "-c", f"from hatchling.build import build_{kind} as b; b('.')"],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(folder / "of-pip")},
        capture_output=True,
        text=True,
    )


def names_in(folder: Path) -> list[str]:
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_a_fresh_clone_builds_its_pages_once(checkout: Path, tmp_path: Path) -> None:
    put_node(tmp_path, "22.12.0")
    for _ in range(2):
        done = built("wheel", checkout, tmp_path)
        assert done.returncode == 0, done.stderr
    assert BUILT in names_in(checkout)
    asked = (checkout / "frontend" / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["ci", "run"] and asked[1] == "run build"


def test_an_sdist_has_the_pages_and_its_wheel_needs_no_node(checkout: Path, tmp_path: Path) -> None:
    put_node(tmp_path, "24.0.0")
    done = built("sdist", checkout, tmp_path)
    assert done.returncode == 0, done.stderr
    (packed,) = checkout.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.glob("liveai-*")
    done = built("wheel", folder, None)
    assert done.returncode == 0, done.stderr
    assert BUILT in names_in(folder)


@pytest.mark.parametrize(
    ("version", "ci", "words"),
    [
        (None, 0, "needs Node 22.12 or newer with npm on PATH; there is none."),
        ("22.11.0", 0, "needs Node 22.12 or newer with npm on PATH; v22.11.0 is there."),
        ("22.12.0", 7, "npm ci --include=dev --no-audit --no-fund ended with 7."),
    ],
)
def test_pages_that_can_not_be_built_are_a_sentence(
    checkout: Path, tmp_path: Path, version: str | None, ci: int, words: str
) -> None:
    if version is not None:
        put_node(tmp_path, version, ci=ci)
    done = built("wheel", checkout, None if version is None else tmp_path)
    last = done.stderr.strip().splitlines()[-1]
    assert "The pages are not built" in last and words in last
    assert not list(checkout.glob("*.whl"))
