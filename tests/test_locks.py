"""`locks/`: every package that requirements*.txt lead to, with its version and hashes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path.name for path in ROOT.glob("requirements*.txt"))
ENTRY = re.compile(
    r"([a-z0-9-]+)==([\w.]+)(?: ; ([^\\\n]+))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
LEFT_OUT = ["rfc3987-syntax"]
"""`scripts/lock` says why."""

WITHOUT_DEPENDENCIES = "requirements-model.txt"

MACHINES = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
]
Environment = dict[str, str]
HERE: Environment = {name: str(value) for name, value in default_environment().items()}
ENVIRONMENTS = [
    {
        **HERE,
        **machine,
        "platform_machine": processor,
        "python_version": version,
        "python_full_version": f"{version}.5",
    }
    for machine, processor, version in itertools.product(
        MACHINES, ("x86_64", "arm64"), ("3.11", "3.12", "3.13")
    )
]
OLD_PYTHON = {**HERE, "python_version": "3.11", "python_full_version": "3.11.0"}
WINDOWS = {**HERE, "sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}


@dataclass(frozen=True)
class Locked:
    name: str
    version: str
    marker: str

    def is_for(self, environment: Environment) -> bool:
        return not self.marker or Marker(self.marker).evaluate(dict(environment))


@cache
def lock_of(source: str) -> tuple[Locked, ...]:
    text = (ROOT / "locks" / source).read_text("utf-8")
    assert ENTRY.sub("", text) == "", "something that is no package with hashes"
    return tuple(Locked(name, version, marker) for name, version, marker, _ in ENTRY.findall(text))


def asked_by(source: str) -> Iterator[Requirement]:
    """Yield what a file asks for, with what the files in it ask for."""
    for line in (ROOT / source).read_text("utf-8").splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            yield from asked_by(words.removeprefix("-r "))
        elif words:
            yield Requirement(words)


@cache
def needed_by(name: str) -> list[Requirement]:
    """Return what an installed package says that it needs; nothing if it is not installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return []
    return [Requirement(line) for line in found.requires or []]


def is_locked(wanted: Requirement, source: str, environment: Environment) -> bool:
    """Whether a lock has one suitable version of something wanted."""
    found = [
        locked
        for locked in lock_of(source)
        if locked.name == canonicalize_name(wanted.name) and locked.is_for(environment)
    ]
    return len(found) == 1 and wanted.specifier.contains(found[0].version, prereleases=True)


def is_wanted(wanted: Requirement, environment: Environment, extras: Iterable[str] = ()) -> bool:
    if wanted.marker is None:
        return True
    return any(wanted.marker.evaluate({**environment, "extra": each}) for each in ("", *extras))


def all_wanted(source: str, environment: Environment) -> Iterator[tuple[str, Requirement]]:
    """Yield what a lock must contain in one environment, and who wants it."""
    queue = [(source, wanted) for wanted in asked_by(source) if is_wanted(wanted, environment)]
    seen = set()
    while queue:
        by, wanted = queue.pop()
        if (key := str(wanted)) in seen:
            continue
        seen.add(key)
        yield by, wanted
        for needed in needed_by(wanted.name):
            if needed.name not in LEFT_OUT and is_wanted(needed, environment, wanted.extras):
                queue.append((wanted.name, needed))


def test_each_file_of_requirements_has_a_lock_and_the_other_way_round() -> None:
    assert len(SOURCES) > 5
    assert sorted(path.name for path in (ROOT / "locks").iterdir()) == SOURCES


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_asked_for_is_locked_at_that_version_everywhere(source: str) -> None:
    asked = list(asked_by(source))
    assert asked
    for requirement in asked:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        for environment in ENVIRONMENTS:
            if is_wanted(requirement, environment):
                assert is_locked(requirement, source, environment), (requirement, environment)


@pytest.mark.parametrize("source", [name for name in SOURCES if name != WITHOUT_DEPENDENCIES])
def test_what_the_packages_need_is_locked_too_on_every_platform(source: str) -> None:
    for environment in ENVIRONMENTS:
        wanted = list(all_wanted(source, environment))
        for by, requirement in wanted:
            assert is_locked(requirement, source, environment), (by, requirement, environment)
    if source == "requirements.txt":  # what this test reads is there
        assert {"cffi", "multidict"} <= {requirement.name for _, requirement in wanted}


def test_nothing_is_locked_that_nobody_needs() -> None:
    source = "requirements.txt"  # all of it is installed, so all that it needs is known
    needed = {
        canonicalize_name(requirement.name)
        for environment in [*ENVIRONMENTS, OLD_PYTHON, WINDOWS]
        for _, requirement in all_wanted(source, environment)
    }
    assert {locked.name for locked in lock_of(source)} <= needed


def test_the_locks_agree_with_each_other() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for source in SOURCES:
        for locked in lock_of(source):
            for environment in ENVIRONMENTS:
                if locked.is_for(environment):
                    place = environment["sys_platform"] + environment["python_version"]
                    versions.setdefault((locked.name, place), set()).add(locked.version)
    assert {key: each for key, each in versions.items() if len(each) > 1} == {}


def test_the_tests_run_with_what_is_locked() -> None:
    differing = []
    for locked in lock_of("requirements-dev.txt"):
        if locked.is_for(HERE):
            try:
                installed = distribution(locked.name).version
            except PackageNotFoundError:
                installed = "missing"
            if installed != locked.version:
                differing.append(f"{locked.name}: {installed}, locked {locked.version}")
    assert differing == []
