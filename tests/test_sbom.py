"""`scripts/sbom`: the lists of packages are valid CycloneDX and name what is locked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.test_locks import lock_of

ROOT = Path(__file__).resolve().parent.parent
ADDED = ("social", "otel", "model")
"""The words of `deploy/build/packages` for what runs on a site. Node only builds the pages."""

LOCKS = {"python": "requirements.txt"} | {
    f"python-{word}": f"requirements-{word}.txt" for word in ADDED
}
DEVELOPMENT = {"name": "cdx:npm:package:development", "value": "true"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sbom")
    done = subprocess.run(
        [ROOT / "scripts" / "sbom", folder], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _packages(listed: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["name"], each["version"]) for each in listed["components"]}


def _read(folder: Path, name: str) -> dict[str, Any]:
    listed: dict[str, Any] = json.loads((folder / f"{name}.cdx.json").read_text("utf-8"))
    return listed


def test_each_list_is_valid_cyclonedx(folder: Path) -> None:
    names = {path.name.removesuffix(".cdx.json") for path in folder.iterdir()}
    assert names == {*LOCKS, "pages"}
    for name in names:
        text = (folder / f"{name}.cdx.json").read_text("utf-8")
        version = SchemaVersion.from_version(json.loads(text)["specVersion"])
        validator = JsonStrictValidator(version)
        assert validator.validate_str(text) is None, name
        assert validator.validate_str(text.replace('"purl"', '"pirl"')) is not None


@pytest.mark.parametrize("name", LOCKS)
def test_pythons_lists_have_every_locked_package_with_its_hashes(folder: Path, name: str) -> None:
    listed = _read(folder, name)
    locked = {(each.name, each.version) for each in lock_of(LOCKS[name])}
    assert locked and _packages(listed) == locked
    purls = {each["purl"].partition("?")[0] for each in listed["components"]}
    assert purls == {f"pkg:pypi/{name}@{version}" for name, version in locked}
    assert all(_has_sha_256(each) for each in listed["components"])


def _has_sha_256(component: dict[str, Any]) -> bool:
    references = component["externalReferences"]
    hashes = [each for reference in references for each in reference.get("hashes", ())]
    return any(re.fullmatch("[0-9a-f]{64}", each["content"]) for each in hashes)


def test_what_a_site_may_add_is_what_its_packages_are_built_from() -> None:
    script = (ROOT / "deploy" / "build" / "packages").read_text("utf-8")
    (words,) = re.findall(r"^    ([\w| ]+)\) locks\+=", script, re.MULTILINE)
    assert set(words.split(" | ")) == {*ADDED, "node"}


def test_the_pages_list_has_every_locked_package_and_marks_the_tools(folder: Path) -> None:
    listed = _read(folder, "pages")
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text("utf-8"))["packages"]
    package = json.loads((ROOT / "frontend" / "package.json").read_text("utf-8"))
    locked = {
        (path.rpartition("node_modules/")[2], each["version"], each.get("dev", False))
        for path, each in lock.items()
        if path
    }
    assert len(locked) > 200
    components = {
        (each["name"], each["version"], DEVELOPMENT in each["properties"])
        for each in listed["components"]
    }
    assert components == locked
    shipped = {(name, version) for name, version, is_tool in components if not is_tool}
    assert shipped >= set(package["dependencies"].items())
    assert not shipped & set(package["devDependencies"].items())
    assert all(each["purl"].startswith("pkg:npm/") for each in listed["components"])
    without = {each["name"] for each in listed["components"] if not each.get("hashes")}
    # Tools for platforms that the registry lacked (decision 048).
    assert all(name.startswith("@yuku-toolchain/") for name in without)
    assert not without & {name for name, _ in shipped}
