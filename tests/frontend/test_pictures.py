"""The README's pictures can be taken anew from the real pages."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.support.frontend.node import FRONTEND, node_environment

ROOT = FRONTEND.parent
PAPER = {"light": (0xF3, 0xF6, 0xF6), "dark": (0x0D, 0x18, 0x1F)}
"""The colour of the page, and so of the first pixel."""


def _size_and_first_pixel(png: bytes) -> tuple[tuple[int, int], tuple[int, ...]]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert png[24:26] in (b"\x08\x02", b"\x08\x06"), "eight bits, in colour"
    begin = png.index(b"IDAT") + 4
    # After the byte that names the filter; no filter changes the first pixel.
    row = zlib.decompressobj().decompress(png[begin:], 4)
    return (width, height), tuple(row[1:4])


@pytest.mark.timeout(300)
def test_the_pictures_are_taken_from_a_sample_in_mid_answer(template: Path, tmp_path: Path) -> None:
    environment = node_environment(LIVEAI_PYTHON=sys.executable, LIVEAI_TEMPLATE=str(template))
    node = shutil.which("node", path=environment["PATH"])
    assert node, "Node is missing: scripts/test installs it."
    done = subprocess.run(
        [node, "pictures/run.mjs", tmp_path],
        cwd=FRONTEND,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    committed = ROOT / "docs" / "pictures"
    names = {f"answer-{theme}.png" for theme in PAPER}
    assert {path.name for path in tmp_path.iterdir()} == names
    for theme, paper in PAPER.items():
        taken = (tmp_path / f"answer-{theme}.png").read_bytes()
        kept = (committed / f"answer-{theme}.png").read_bytes()
        assert _size_and_first_pixel(taken)[1] == paper
        assert _size_and_first_pixel(taken) == _size_and_first_pixel(kept)
        assert len(kept) < 300_000, "a newcomer loads it with the README"


def test_the_script_takes_them_in_the_same_way_and_the_readme_shows_them() -> None:
    script = (ROOT / "scripts" / "screenshots").read_text()
    assert 'node pictures/run.mjs "$folder"' in script
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = set(re.findall(r'(?:src|srcset)="(docs/pictures/[^"]+)"', readme))
    assert shown == {f"docs/pictures/answer-{theme}.png" for theme in PAPER}
