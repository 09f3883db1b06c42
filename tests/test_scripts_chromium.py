"""`scripts/_chromium` finds or installs a Chromium for the browser tests."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import bare_path, copy_project, put_program, run

WORKS = '#!/usr/bin/env bash\necho "Chromium 1.2.3"\n'
FAILS = "#!/usr/bin/env bash\nexit 1\n"

APT = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case $1 in install) printf '#!/usr/bin/env bash\\necho Chromium\\n' >"$BIN/chromium"
    chmod +x "$BIN/chromium" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project on a machine without a Chromium, for a user who is not root."""
    project = copy_project(tmp_path)
    folder = bare_path(tmp_path / "bin")
    (folder / "id").unlink()
    put_program(folder / "id", "#!/usr/bin/env bash\necho 1000\n")
    for name in ("npm", "node"):
        put_program(folder / name, FAILS)
    return project


def _use(project: Path, **environment: str) -> CompletedProcess[str]:
    """Run `use_chromium`, and print what it found."""
    script = (
        f'. "{project}/scripts/_setup"; . scripts/_pages; . scripts/_chromium;'
        ' use_chromium; echo "CHROMIUM=$CHROMIUM"'
    )
    folder = project.parent / "bin"
    settings = {"PATH": str(folder), "BIN": str(folder), "CALLS": str(project / "calls")}
    return run(["bash", "-c", script], project, **settings, **environment)


def _found(done: CompletedProcess[str], project: Path) -> str:
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()[-1].removeprefix("CHROMIUM=")
    assert (project / "var" / "chromium").read_text() == f"{found}\n"
    return found


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_the_machines_own_is_taken(project: Path, name: str):
    program = project.parent / "bin" / name
    put_program(program, WORKS)
    assert _found(_use(project), project) == str(program)


def test_the_one_that_is_named_wins(project: Path, tmp_path: Path):
    put_program(project.parent / "bin" / "chromium", WORKS)
    mine = tmp_path / "mine"
    put_program(mine, WORKS)
    assert _found(_use(project, CHROMIUM=str(mine)), project) == str(mine)


def test_the_one_that_is_named_must_run(project: Path):
    put_program(project.parent / "bin" / "chromium", WORKS)
    done = _use(project, CHROMIUM="/no/such/program")
    assert done.returncode == 1
    assert "CHROMIUM is /no/such/program, which does not run here." in done.stderr


def test_a_stub_that_does_not_run_is_passed_over(project: Path):
    put_program(project.parent / "bin" / "chromium", FAILS)
    put_program(project.parent / "bin" / "google-chrome", WORKS)
    assert _found(_use(project), project).endswith("google-chrome")


def test_root_on_debian_gets_debians(project: Path):
    folder = project.parent / "bin"
    put_program(folder / "apt-get", APT)
    put_program(folder / "id", "#!/usr/bin/env bash\necho 0\n")
    done = _use(project)
    assert _found(done, project) == str(folder / "chromium")
    assert "Installing Debian's Chromium" in done.stderr
    assert (project / "calls").read_text().splitlines() == [
        "update",
        "install -y --no-install-recommends chromium",
    ]


def test_who_is_not_root_installs_nothing_on_the_machine(project: Path):
    put_program(project.parent / "bin" / "apt-get", APT)
    assert _use(project).returncode == 1
    assert not (project / "calls").exists()


def test_npms_is_unpacked_into_the_project_with_its_libraries(project: Path):
    folder = project.parent / "bin"
    put_program(folder / "npm", '#!/usr/bin/env bash\necho "npm $*" >>"$CALLS"\n')
    put_program(project / "unpacked", '#!/usr/bin/env bash\necho "Chromium, $LD_LIBRARY_PATH"\n')
    unpack = (
        "#!/usr/bin/env bash\n"
        f'cp "{project}/unpacked" "$TMPDIR/unpacked"\necho "$TMPDIR/unpacked"\n'
    )
    put_program(folder / "node", unpack)
    put_program(folder / "uname", "#!/usr/bin/env bash\necho Linux\n")
    found = _found(_use(project), project)
    assert found == f"{project.resolve()}/var/browser/chromium"
    assert "@sparticuz/chromium@" in (project / "calls").read_text()
    libraries = run([found], project).stdout
    assert libraries.strip().endswith("var/browser/tmp/al2023/lib")


def test_when_nothing_works_it_says_why_and_what_to_do(project: Path):
    done = _use(project)
    assert done.returncode == 1
    assert "none was found, and none could be installed" in done.stderr
    assert "CHROMIUM=/path/to/it scripts/test" in done.stderr
    assert "apt-get: not here, or not for this user." in done.stderr
    assert not (project / "var" / "chromium").exists()
