"""`scripts/_nginx` finds or installs an nginx for the tests, and not as a service."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import ROOT, bare_path, copy_project, put_program, run

WORKS = "#!/usr/bin/env bash\n"
FAILS = "#!/usr/bin/env bash\nexit 1\n"
ROOT_USER = "#!/usr/bin/env bash\necho 0\n"

APT = """#!/usr/bin/env bash
echo "$* ($([ -e "$POLICY_RC_D" ] && cat "$POLICY_RC_D" | tail -n 1))" >>"$CALLS"
case "$*" in
*nginx-light)
    printf '#!/usr/bin/env bash\\n' >"$DEBIANS_NGINX"
    chmod +x "$DEBIANS_NGINX" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project on a machine without nginx, for a user who is not root."""
    project = copy_project(tmp_path)
    folder = bare_path(tmp_path / "bin")
    (folder / "id").unlink()
    put_program(folder / "id", "#!/usr/bin/env bash\necho 1000\n")
    return project


def _use(project: Path) -> CompletedProcess[str]:
    script = f'. "{project}/scripts/_setup"; . scripts/_nginx; use_nginx; echo used'
    return run(
        ["bash", "-c", script],
        project,
        PATH=str(project.parent / "bin"),
        CALLS=str(project / "calls"),
        DEBIANS_NGINX=str(project / "nginx of debian"),
        POLICY_RC_D=str(project / "policy"),
    )


@pytest.mark.parametrize("program", ["a folder with spaces/nginx of debian", "bin/nginx"])
def test_the_machines_own_is_enough(project: Path, program: str) -> None:
    put_program(project.parent / program, WORKS)
    put_program(project.parent / "bin" / "apt-get", APT)
    done = _use(project)
    assert (done.stdout, done.stderr, done.returncode) == ("used\n", "", 0)
    assert not (project / "calls").exists()


def test_one_that_does_not_run_is_not(project: Path) -> None:
    put_program(project.parent / "bin" / "nginx", FAILS)
    assert _use(project).returncode == 1


def test_root_on_debian_gets_debians_and_no_service(project: Path) -> None:
    folder = project.parent / "bin"
    put_program(folder / "apt-get", APT)
    put_program(folder / "id", ROOT_USER)
    done = _use(project)
    assert done.stdout == "used\n" and "Installing Debian's nginx" in done.stderr
    assert (project / "calls").read_text().splitlines() == [
        "update (exit 101)",
        "install -y --no-install-recommends nginx-light (exit 101)",
    ]
    assert not (project / "policy").exists(), "no service could be started any more"


def test_a_policy_that_the_machine_has_stays(project: Path) -> None:
    folder = project.parent / "bin"
    put_program(folder / "apt-get", APT)
    put_program(folder / "id", ROOT_USER)
    (project / "policy").write_text("its own\n")
    assert _use(project).stdout == "used\n"
    assert (project / "policy").read_text() == "its own\n"


def test_who_is_not_root_installs_nothing_and_hears_what_to_do(project: Path) -> None:
    put_program(project.parent / "bin" / "apt-get", APT)
    done = _use(project)
    assert done.returncode == 1 and "used" not in done.stdout
    assert "its tests will be skipped" in done.stderr
    assert "sudo apt install nginx-light" in done.stderr
    assert not (project / "calls").exists()


def test_an_install_that_fails_is_said_and_leaves_no_policy(project: Path) -> None:
    folder = project.parent / "bin"
    put_program(folder / "apt-get", FAILS)
    put_program(folder / "id", ROOT_USER)
    done = _use(project)
    assert done.returncode == 1
    assert "none could be installed" in done.stderr
    assert not (project / "policy").exists()


def test_the_whole_suite_asks_for_it() -> None:
    assert "use_nginx" in (ROOT / "scripts" / "test").read_text()
