"""`scripts/sbom`: the lists of packages name what is locked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

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


def test_the_pages_list_has_what_the_pages_are_made_from_and_no_tool(folder: Path) -> None:
    listed = json.loads((folder / "pages.cdx.json").read_text("utf-8"))
    assert listed["bomFormat"] == "CycloneDX"
    versions = {each["name"]: each["version"] for each in listed["components"]}
    package = json.loads((ROOT / "frontend" / "package.json").read_text("utf-8"))
    for name, version in package["dependencies"].items():
        assert versions[name] == version
    tools = set(package["devDependencies"]) - set(package["dependencies"])
    assert not tools & set(versions)
    assert all(re.fullmatch(r"[\w.+-]+", version) for version in versions.values())
