"""The number of descriptors that connections may use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streaming.serving.descriptors import are_exhausted, connections_at_most
from tests.support.servers.harness import ROOT


@pytest.mark.parametrize(
    ("wanted", "descriptors", "expected"),
    [
        (5000, 1_048_576, 5000),
        (5000, -1, 5000),
        (0, -1, 0),
        (5000, 1024, 1024 - 128 - 200),
        (100, 1024, 100),
        (0, 1024, 1024 - 128 - 200),
        (5000, 256, 128),
    ],
)
def test_some_are_kept_for_all_else(wanted: int, descriptors: int, expected: int) -> None:
    assert connections_at_most(wanted, descriptors=descriptors, running=200) == expected


def test_the_limit_is_raised_and_its_end_is_noticed() -> None:
    script = (
        "import os, resource\n"
        "from streaming.serving.descriptors import raise_limit, are_exhausted\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 100))\n"
        "assert raise_limit() == 100 == resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
        "assert not are_exhausted()\n"
        "try:\n"
        "    while True: os.dup(2)\n"
        "except OSError: pass\n"
        "assert are_exhausted()\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    assert not are_exhausted()
