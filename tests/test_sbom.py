"""`scripts/sbom`: the lists of packages name what is locked."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.test_locks import lock_of

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom")
    done = subprocess.run(
        [ROOT / "scripts" / "sbom", folder], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _hashes(component: dict[str, Any]) -> list[str]:
    return [
        each["content"]
        for reference in component["externalReferences"]
        for each in reference["hashes"]
        if each["alg"] == "SHA-256"
    ]


def test_pythons_list_has_every_locked_package_with_its_hashes(folder: Path) -> None:
    listed = json.loads((folder / "python.cdx.json").read_text("utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    locked = {(each.name, each.version) for each in lock_of("requirements.txt")}
    assert {(each["name"], each["version"]) for each in listed["components"]} == locked
    purls = {each["purl"].partition("?")[0] for each in listed["components"]}
    assert purls == {f"pkg:pypi/{name}@{version}" for name, version in locked}
    assert "sha256" in json.dumps(listed).lower().replace("-", "") or "SHA-256" in json.dumps(
        listed
    )


def test_the_pages_list_has_every_locked_package(folder: Path) -> None:
    listed = json.loads((folder / "pages.cdx.json").read_text("utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text("utf-8"))
    locked = {
        (path.rpartition("node_modules/")[2], package["version"])
        for path, package in lock["packages"].items()
        if path
    }
    assert len(locked) > 200
    assert {(each["name"], each["version"]) for each in listed["components"]} == locked
    assert all(each["purl"].startswith("pkg:npm/") for each in listed["components"])
