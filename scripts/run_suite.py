"""All checks and all tests, side by side. `scripts/test` has set up what they need."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / ".venv" / "suite"
"""The results of the parts: logs, coverage, and the names and times of tests."""

MEASURES_COVERAGE = bool(os.environ.get("LIVEAI_FULL"))
"""Only in full runs: on Python 3.11 it doubles the work of the tests that it measures."""

WAITING_AT_ONCE = 4
COMPUTING_AT_ONCE = 2
SLOWEST = 10


class Part:
    """One command in the background. Its output is shown when it has ended.

    Args:
        nice: the niceness. Parts that can wait leave the cores to tests with time limits.
    """

    def __init__(self, name: str, command: Sequence[str], *, nice: int = 0) -> None:
        self.name = name
        self.seconds = 0.0
        self._began = time.monotonic()
        self._log = FOUND / f"{name.replace(' ', '-').lower()}.log"
        with self._log.open("wb") as log:
            self._popen = subprocess.Popen(
                ["nice", "-n", str(nice), *command],
                cwd=ROOT,
                env=os.environ | ({"LIVEAI_COVERAGE": "1"} if MEASURES_COVERAGE else {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def has_passed(self) -> bool:
        return self._popen.returncode == 0

    def has_ended(self) -> bool:
        if self._popen.poll() is None:
            return False
        self.seconds = time.monotonic() - self._began
        return True

    def wait(self) -> None:
        self._popen.wait()

    def interrupt(self) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGINT)

    def show(self) -> None:
        print(f"\n{self.name}, {self.seconds:.0f} s:", flush=True)
        sys.stdout.buffer.write(self._log.read_bytes())
        sys.stdout.flush()


def tests_of(pool: str, workers: int, *launcher: str) -> list[str]:
    command = [sys.executable, *launcher, "-m", "pytest", "-q", f"--pool={pool}"]
    command += ["-n", str(workers), "--dist=loadfile", "--no-loadscope-reorder"]
    # Each pool has a cache of its own; with a shared one they would overwrite each other's.
    return [*command, f"--junitxml={FOUND / pool}.xml", "-o", f"cache_dir=.pytest_cache/{pool}"]


def run_parts() -> list[Part]:
    """Run all parts side by side, and show each when it ends."""
    measure = ["-m", "coverage", "run"] if MEASURES_COVERAGE else []
    computing = tests_of("computing", COMPUTING_AT_ONCE, *measure)
    pages = ["npm", "--prefix=frontend", "run", "--silent", "test"]
    parts = [
        Part("Tests that wait", tests_of("waiting", WAITING_AT_ONCE)),
        Part("Tests that compute", computing),
        Part("Checks", ["scripts/check"], nice=10),
        Part("Tests of the pages", pages),
    ]
    print(f"Running side by side: {', '.join(part.name.lower() for part in parts)}.")
    print(f"Their output goes to {FOUND.relative_to(ROOT)}/*.log meanwhile.", flush=True)
    running = list(parts)
    try:
        while running:
            for part in [part for part in running if part.has_ended()]:
                running.remove(part)
                part.show()
            time.sleep(0.2)
    except BaseException as error:
        for part in running:
            if not isinstance(error, KeyboardInterrupt):  # Ctrl+C has reached them, too
                part.interrupt()
            part.wait()
        raise
    return parts


def show_slowest() -> None:
    """Print the slowest tests, and those that a browser passed only on the second try."""
    times: list[tuple[float, str]] = []
    second_tries: list[str] = []
    for path in FOUND.glob("*.xml"):
        for case in ElementTree.parse(path).iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            times.append((float(case.get("time", 0)), name))
            for found in case.iter("property"):
                if found.get("name") == "second_try":
                    second_tries.append(f"{name}: {found.get('value')}")
    print(f"\nThe {SLOWEST} slowest tests:")
    for seconds, name in sorted(times, reverse=True)[:SLOWEST]:
        print(f"  {seconds:6.1f} s  {name}")
    if second_tries:
        print("\nThese passed only on the second try. Fix them:", *second_tries, sep="\n  ")


def show_coverage() -> bool:
    """Print the coverage; return whether it reaches the minimum in `pyproject.toml`."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], cwd=ROOT, check=False)
    print("\nCoverage of lines and branches:", flush=True)
    done = subprocess.run([*coverage, "report", "--skip-covered"], cwd=ROOT, check=False)
    return done.returncode == 0


def main(set_up_seconds: str) -> int:
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(FOUND, ignore_errors=True)
    FOUND.mkdir(parents=True)
    parts = run_parts()
    show_slowest()
    failed = [part.name for part in parts if not part.has_passed]
    if MEASURES_COVERAGE and not show_coverage():
        failed.append("Coverage")
    seconds = time.monotonic() - began
    verdict = f"FAILED: {', '.join(failed)}" if failed else "All passed"
    print(f"\n{verdict}, in {seconds:.0f} s, after {set_up_seconds} s of preparation.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
