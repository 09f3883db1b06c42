"""Finding or installing the programs of the tests: Chromium, nginx and PostgreSQL alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.script_copy import FAILS, ROOT, WORKS, Machine, put_program

APT = """#!/usr/bin/env bash
echo "$*" >>"$CALLS"
[ ! -e "$POLICY_RC_D" ] || tail -n 1 "$POLICY_RC_D" >>"$CALLS.policy"
case "$*" in
*postgresql-common) echo "#create_main_cluster = true" >"$CREATECLUSTER" ;;
"install "*)
    mkdir -p "${INSTALLS%/*}"
    printf '#!/usr/bin/env bash\\n' >"$INSTALLS"
    chmod +x "$INSTALLS" ;;
esac
"""
"""An apt-get that records its calls, with the policy for services, and installs $INSTALLS."""


@dataclass(frozen=True)
class Program:
    name: str  # of the script and its function
    title: str
    installs: str  # Debian's program; from the folder that holds the copy of the project
    packages: tuple[str, ...]
    others: tuple[str, ...]  # further places where one is found

    def __str__(self) -> str:
        return self.name


COPY = "a folder with spaces"
CHROMIUM = Program(
    "chromium",
    "Chromium",
    "bin/chromium-headless-shell",
    ("chromium-headless-shell",),
    ("bin/chromium", "bin/chromium-browser", "bin/google-chrome"),
)
NGINX = Program("nginx", "nginx", f"{COPY}/nginx of debian", ("nginx-light",), ("bin/nginx",))
POSTGRES = Program(
    "postgres",
    "PostgreSQL",
    f"{COPY}/debian/15/bin/postgres",
    ("postgresql-common", "postgresql"),
    ("bin/postgres",),
)
PROGRAMS = [CHROMIUM, NGINX, POSTGRES]
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=str)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with none of these programs."""
    machine = Machine.create(tmp_path)
    for name in ("npm", "node"):
        machine.put(name, FAILS)
    put_program(machine.project / ".venv" / "bin" / "python", FAILS)  # one without pgserver
    return machine


def _use(machine: Machine, program: Program, **environment: str) -> CompletedProcess[str]:
    """Run the program's `use_…`, and print `used` if it succeeds."""
    project = machine.project
    settings = {
        "DEBIANS_NGINX": str(project / "nginx of debian"),
        "DEBIANS_POSTGRES": str(project / "debian"),
        "CREATECLUSTER": str(project / "createcluster.conf"),
        "POLICY_RC_D": str(project / "policy"),
        "INSTALLS": str(project.parent / program.installs),
    }
    return machine.call(
        f"use_{program.name}; echo used",
        source=("_pages", f"_{program.name}"),
        **settings,
        **environment,
    )


# --- what all share ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "place"),
    [(program, place) for program in PROGRAMS for place in (program.installs, *program.others)],
    ids=str,
)
def test_an_installed_one_is_enough(machine: Machine, program: Program, place: str) -> None:
    put_program(machine.project.parent / place, WORKS)
    machine.put("apt-get", APT)
    machine.become_root()
    done = _use(machine, program)
    assert (done.stdout, done.stderr, done.returncode) == ("used\n", "", 0)
    assert machine.calls() == []


@every_program
def test_root_on_debian_gets_debians(machine: Machine, program: Program) -> None:
    machine.put("apt-get", APT)
    machine.become_root()
    done = _use(machine, program)
    assert done.stdout == "used\n", done.stderr
    assert f"Installing Debian's {program.title}" in done.stderr
    assert machine.calls() == [
        "update",
        *(f"install -y --no-install-recommends {package}" for package in program.packages),
    ]


@every_program
def test_a_user_who_is_not_root_installs_nothing_and_gets_advice(
    machine: Machine, program: Program
) -> None:
    machine.put("apt-get", APT)
    done = _use(machine, program)
    assert (done.stdout, done.returncode) == ("", 1)
    assert f"sudo apt install {program.packages[-1]}" in done.stderr
    assert machine.calls() == []


@every_program
def test_a_failed_installation_is_reported(machine: Machine, program: Program) -> None:
    machine.put("apt-get", FAILS)
    machine.become_root()
    done = _use(machine, program)
    assert done.returncode == 1
    assert "none could be installed" in done.stderr
    assert not (machine.project / "policy").exists()


@every_program
def test_the_whole_suite_asks_for_it(program: Program) -> None:
    assert f"use_{program.name}" in (ROOT / "scripts" / "test").read_text()


def test_ci_requires_them_all() -> None:
    assert "export LIVEAI_REQUIRE_ALL=1" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("program", [NGINX, POSTGRES], ids=str)
def test_without_it_its_tests_are_skipped(machine: Machine, program: Program) -> None:
    assert "its tests will be skipped" in _use(machine, program).stderr


@pytest.mark.parametrize("program", [CHROMIUM, NGINX], ids=str)
def test_one_that_does_not_run_is_not_enough(machine: Machine, program: Program) -> None:
    machine.put(program.name, FAILS)
    assert _use(machine, program).returncode == 1


# --- nginx and PostgreSQL: no service ----------------------------------------------------


def test_nginx_starts_no_service(machine: Machine) -> None:
    machine.put("apt-get", APT)
    machine.become_root()
    _use(machine, NGINX)
    assert (machine.project / "calls.policy").read_text().splitlines() == ["exit 101"] * 2
    assert not (machine.project / "policy").exists(), "no service could be started any more"


def test_the_machines_own_policy_stays(machine: Machine) -> None:
    machine.put("apt-get", APT)
    machine.become_root()
    (machine.project / "policy").write_text("its own\n")
    assert _use(machine, NGINX).stdout == "used\n"
    assert (machine.project / "policy").read_text() == "its own\n"


def test_postgresql_gets_no_cluster(machine: Machine) -> None:
    machine.put("apt-get", APT)
    machine.become_root()
    _use(machine, POSTGRES)
    conf = machine.project / "createcluster.conf"
    assert conf.read_text() == "create_main_cluster = false\n"


def test_the_package_pgserver_is_enough(machine: Machine) -> None:
    put_program(machine.project / ".venv" / "bin" / "python", WORKS)
    done = _use(machine, POSTGRES)
    assert (done.stdout, done.stderr) == ("used\n", "")


# --- Chromium: the choice, and npm's -----------------------------------------------------


def _chromium(machine: Machine, **environment: str) -> str:
    """Return the Chromium that `use_chromium` chooses."""
    done = _use(machine, CHROMIUM, **environment)
    assert done.returncode == 0, done.stderr
    return (machine.project / "var" / "chromium").read_text().removesuffix("\n")


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_the_machines_own_is_chosen(machine: Machine, name: str) -> None:
    program = machine.put(name)
    assert _chromium(machine) == str(program)


def test_the_one_in_the_environment_wins(machine: Machine, tmp_path: Path) -> None:
    machine.put("chromium")
    mine = tmp_path / "mine"
    put_program(mine, WORKS)
    assert _chromium(machine, CHROMIUM=str(mine)) == str(mine)


def test_the_one_in_the_environment_must_run(machine: Machine) -> None:
    machine.put("chromium")
    done = _use(machine, CHROMIUM, CHROMIUM="/no/such/program")
    assert done.returncode == 1
    assert "CHROMIUM is /no/such/program, which does not run here." in done.stderr


def test_the_one_without_windows_comes_first(machine: Machine) -> None:
    machine.put("chromium")
    shell = machine.put("chromium-headless-shell")
    assert _chromium(machine) == str(shell)


def test_a_stub_that_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.put("chromium", FAILS)
    chrome = machine.put("google-chrome")
    assert _chromium(machine) == str(chrome)


def test_npms_is_unpacked_into_the_project_with_its_libraries(machine: Machine) -> None:
    project = machine.project
    machine.put("npm", f'{WORKS}echo "npm $*" >>"$CALLS"\n')
    put_program(project / "unpacked", f'{WORKS}echo "Chromium, $LD_LIBRARY_PATH"\n')
    machine.put(
        "node", f'{WORKS}cp "{project}/unpacked" "$TMPDIR/unpacked"\necho "$TMPDIR/unpacked"\n'
    )
    machine.put("uname", f"{WORKS}echo Linux\n")
    found = _chromium(machine)
    assert found == f"{project.resolve()}/var/browser/chromium"
    (call,) = machine.calls()
    assert "@sparticuz/chromium@" in call
    assert machine.call(f'"{found}"').stdout.strip().endswith("var/browser/tmp/al2023/lib")


def test_when_nothing_works_it_says_why_and_what_to_do(machine: Machine) -> None:
    done = _use(machine, CHROMIUM)
    assert "none was found, and none could be installed" in done.stderr
    assert "CHROMIUM=/path/to/it scripts/test" in done.stderr
    assert "apt-get: not installed, or this user is not root." in done.stderr
    assert not (machine.project / "var" / "chromium").exists()
