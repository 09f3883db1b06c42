"""Every document: its code can be read by what it is written for, and its links lead somewhere.

Sphinx checks the links inside `docs/` (`scripts/check`); here are the documents outside it.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.documents import DOCS, FENCE
from tests.support.frontend.node import node_environment
from tests.support.servers.harness import ROOT

OUTSIDE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")]
PAGES = [*sorted(DOCS.rglob("*.md")), *OUTSIDE]


def _assert_shell(code: str) -> None:
    done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def _assert_settings(code: str) -> None:
    assert all(re.fullmatch(r"[A-Z_]+=.*", line) for line in code.splitlines())


def _assert_module(code: str) -> None:
    environment = node_environment()
    node = shutil.which("node", path=environment["PATH"])
    assert node, "Node is missing: scripts/test installs it."
    command = [node, "--input-type=module", "--check"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


CHECKS: dict[str, Callable[[str], object]] = {
    "sh": _assert_shell,
    "js": _assert_module,
    "python": ast.parse,
    "json": json.loads,
    "yaml": yaml.safe_load,
    "ini": _assert_settings,
}
NOT_CHECKED = {
    "ts": "tests/test_readme.py compares it with a file that is compiled",
    "tsx": "likewise",
    "text": "a drawing, a tree, or a table for people",
    "js": "tests/guides/test_other_sites.py runs it",
    "ruby": "tests/guides/test_other_sites.py compares it with the other recipes",
    "html": "tests/host puts it into a page",
    "console": "tests/guides/test_operate.py compares it with what a command prints",
    "{toctree}": "Sphinx reads it",
    "{include}": "likewise",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_code_can_be_read_by_what_it_is_written_for(page: Path) -> None:
    text = page.read_text("utf-8")
    fences = FENCE.findall(text)
    assert 2 * len(fences) == len(re.findall(r"^ *```", text, re.MULTILINE)), "without a language"
    for language, code in fences:
        assert language in CHECKS or language in NOT_CHECKED, language
        if check := CHECKS.get(language):
            check(textwrap.dedent(code))


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", OUTSIDE, ids=_name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in _anchors(target), f"{path}#{anchor}"


def test_readme_is_a_landing_page() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
