"""`scripts/_postgres` finds or installs a PostgreSQL for the tests."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import ROOT, bare_path, copy_project, put_program, run

WORKS = "#!/usr/bin/env bash\n"
FAILS = "#!/usr/bin/env bash\nexit 1\n"

APT = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$*" in
*postgresql-common) echo "#create_main_cluster = true" >"$CREATECLUSTER" ;;
*postgresql)
    mkdir -p "$DEBIANS_POSTGRES/15/bin"
    printf '#!/usr/bin/env bash\\n' >"$DEBIANS_POSTGRES/15/bin/postgres"
    chmod +x "$DEBIANS_POSTGRES/15/bin/postgres" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project on a machine without a PostgreSQL, for a user who is not root."""
    project = copy_project(tmp_path)
    folder = bare_path(tmp_path / "bin")
    (folder / "id").unlink()
    put_program(folder / "id", "#!/usr/bin/env bash\necho 1000\n")
    put_program(project / ".venv" / "bin" / "python", FAILS)  # one without pgserver
    return project


def _use(project: Path) -> CompletedProcess[str]:
    script = f'. "{project}/scripts/_setup"; . scripts/_postgres; use_postgres; echo used'
    return run(
        ["bash", "-c", script],
        project,
        PATH=str(project.parent / "bin"),
        CALLS=str(project / "calls"),
        DEBIANS_POSTGRES=str(project / "debian"),
        CREATECLUSTER=str(project / "createcluster.conf"),
    )


@pytest.mark.parametrize("program", ["a folder with spaces/debian/15/bin/postgres", "bin/postgres"])
def test_the_machines_own_is_enough(project: Path, program: str) -> None:
    put_program(project.parent / program, WORKS)
    put_program(project.parent / "bin" / "apt-get", APT)
    done = _use(project)
    assert (done.stdout, done.stderr, done.returncode) == ("used\n", "", 0)
    assert not (project / "calls").exists()


def test_the_package_pgserver_is_enough(project: Path) -> None:
    put_program(project / ".venv" / "bin" / "python", WORKS)
    done = _use(project)
    assert (done.stdout, done.stderr) == ("used\n", "")


def test_root_on_debian_gets_debians_programs_and_no_service(project: Path) -> None:
    folder = project.parent / "bin"
    put_program(folder / "apt-get", APT)
    put_program(folder / "id", "#!/usr/bin/env bash\necho 0\n")
    done = _use(project)
    assert done.stdout == "used\n" and "Installing Debian's PostgreSQL" in done.stderr
    assert (project / "calls").read_text().splitlines() == [
        "update",
        "install -y --no-install-recommends postgresql-common",
        "install -y --no-install-recommends postgresql",
    ]
    assert (project / "createcluster.conf").read_text() == "create_main_cluster = false\n"


def test_who_is_not_root_installs_nothing_and_hears_what_to_do(project: Path) -> None:
    put_program(project.parent / "bin" / "apt-get", APT)
    done = _use(project)
    assert done.returncode == 1 and "used" not in done.stdout
    assert "its tests will be skipped" in done.stderr
    assert "sudo apt install postgresql" in done.stderr
    assert not (project / "calls").exists()


def test_an_install_that_fails_is_said(project: Path) -> None:
    folder = project.parent / "bin"
    put_program(folder / "apt-get", FAILS)
    put_program(folder / "id", "#!/usr/bin/env bash\necho 0\n")
    done = _use(project)
    assert done.returncode == 1
    assert "none could be installed" in done.stderr


def test_the_whole_suite_asks_for_it_and_ci_requires_it() -> None:
    assert "use_postgres" in (ROOT / "scripts" / "test").read_text()
    assert "export LIVEAI_REQUIRE_ALL=1" in (ROOT / ".ci" / "run").read_text()
