"""Every command and code block in README.md and the guides does what the surrounding text says."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from blocks.sample import SAMPLES_DIR
from tests.support.documents import DOCS, GUIDE, shell_of
from tests.support.servers.harness import (
    ENVIRONMENT,
    ROOT,
    Database,
    Server,
    clean_environment,
    running,
)
from tests.support.servers.tokens import add_token
from tests.support.terminal import PROMPT, Terminal

RUN_BELOW = {
    "Ask with curl",
    "Resume after a lost connection",
    "Stop an answer",
    "API tokens",
    "Another model",
    "Export and delete",
    "Ask from a terminal",
}
"""Headings; a test of this file runs each of their commands."""

NOT_RUN = {
    "scripts/run": "installs packages; tests/test_scripts.py runs it in a copy of the project",
    "scripts/test": "is what runs this test",
    "scripts/test --full": "likewise",
    "scripts/test tests/streaming -k cut": "likewise",
    "scripts/check": "installs packages; CI runs it before the tests",
    "scripts/fix": "changes the sources; tests/test_scripts.py has its first steps",
    "scripts/bench": "installs packages; tests/test_scripts.py has its first steps",
    "scripts/bench latency": "takes minutes, and the machine to itself",
    "scripts/docs": "builds the pages, as scripts/check does",
    ".venv/bin/python manage.py check --deploy": "tests/test_checks.py has what it says",
    "scripts/screenshots": "overwrites pictures; tests/frontend/test_pictures.py takes others",
}

SAMPLE = json.loads((SAMPLES_DIR / "pendulum.json").read_text("utf-8"))["steps"][-1]["text"]
SCRIPT = {
    "model": "readme",
    "replies": [
        {
            "when": {"schema_has": "questions"},
            "steps": [
                {
                    "json": {
                        "title": "The Solar System",
                        "questions": [
                            {
                                "question": f"What is number {number}?",
                                "correct": "This",
                                "wrong": ["That", "Neither", "Both"],
                                "explanation": "It says so.",
                            }
                            for number in (1, 2, 3)
                        ],
                    }
                }
            ],
        },
        {
            "when": {"prompt_has": "a very long story"},
            "steps": [{"tokens": ["Once ", "upon ", "a ", "time "], "every_ms": 5}, {"hang": True}],
        },
        {"steps": [{"text": "Blue light is scattered most.", "every_ms": 5}]},
    ],
}

OpenTerminal = Callable[[], Terminal]


@pytest.fixture(scope="module")
def server(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "readme.json").write_text(json.dumps(SCRIPT))
    database = Database(template, folder / "database")
    script = {"AI_MODEL": "scripted:readme", "AI_SCRIPTS_DIR": str(folder)}
    samples = {"AI_SAMPLES": "always"}  # as with the demo model
    with running("serve", database, environment={**script, **samples}) as server:
        yield server
        server.assert_unharmed()


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[OpenTerminal]:
    """Open terminals in a folder of the test."""
    environment = {**clean_environment(), "HOME": str(tmp_path)}
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Terminal(tmp_path, environment))


def _here(text: str, server: Server, filled_in: Mapping[str, str] = {}) -> str:
    """Adapt a block to the port of the test's server, with all placeholders filled in."""
    text = text.replace("http://127.0.0.1:8000", server.url)
    text = text.replace("ws://127.0.0.1:8000", f"ws://127.0.0.1:{server.port}")
    for name, value in filled_in.items():
        text = text.replace(name, value)
    assert not re.search(r"PASTE-|STREAM_ID|:8000", text), text
    return text


def _events(shown: str) -> list[tuple[str, str]]:
    """Return id and type of each event that has an id."""
    return re.findall(r"^id: (\S+)\r?\nevent: (\w+)", shown, re.MULTILINE)


def _tokens(shown: str) -> str:
    data = [json.loads(line) for line in re.findall(r"^data: (.+?)\r?$", shown, re.MULTILINE)]
    return "".join(event["token"] for event in data if event["type"] == "chunk")


def test_every_command_is_run_by_a_test_or_listed_with_a_reason() -> None:
    shown = {
        command
        for block in GUIDE
        if block.language == "sh" and block.heading not in RUN_BELOW
        for command in block.commands
    }
    assert shown == set(NOT_RUN)


def test_asking_with_curl_shows_a_stream_to_its_end(
    server: Server, open_terminal: OpenTerminal
) -> None:
    answer, quiz = shell_of(GUIDE, "Ask with curl")
    terminal = open_terminal()
    shown = terminal.run(_here(answer.text, server))
    assert _tokens(shown) == "Blue light is scattered most."
    assert [name for _, name in _events(shown)][-1] == "complete"
    shown = terminal.run(_here(quiz.text, server))
    assert [name for _, name in _events(shown)].count("item") == 3  # a title and two questions


def test_an_answer_that_is_cut_with_ctrl_c_goes_on(
    server: Server, open_terminal: OpenTerminal
) -> None:
    first, again = shell_of(GUIDE, "Resume after a lost connection")
    terminal = open_terminal()
    terminal.type(_here(first.text, server))
    shown = "".join(terminal.until("event: chunk") for _ in range(5))
    terminal.press_ctrl_c()
    shown += terminal.until(PROMPT)
    last, _ = _events(shown)[-1]

    rest = terminal.run(_here(again.text, server, {"PASTE-THE-ID-HERE": last}))
    stream_id, _, seq = last.partition(":")
    events = _events(rest)
    assert events[0] == (last, "start")
    following = itertools.count(int(seq) + 1)
    assert [event_id for event_id, _ in events[1:]] == [
        f"{stream_id}:{number}" for _, number in zip(events[1:], following, strict=False)
    ]
    assert events[-1][1] == "complete"
    assert _tokens(shown) + _tokens(rest) == SAMPLE

    path = f"/api/streams/{stream_id}/events"
    shown = terminal.run(f"curl -N -b jar {server.url}{path}")
    assert _tokens(shown) == SAMPLE


def test_an_answer_is_stopped_from_another_terminal(
    server: Server, open_terminal: OpenTerminal
) -> None:
    start, stop = shell_of(GUIDE, "Stop an answer")
    one, other = open_terminal(), open_terminal()
    one.type(_here(start.text, server))
    _, found = one.until_match(r"^id: ([\w-]+):\d+\r?\nevent: chunk")
    for command in start.commands:
        if command.startswith(("site=", "token=")):
            other.run(_here(command, server))
    shown = other.run(_here(stop.text, server, {"STREAM_ID": found[1]}))
    assert json.loads(shown)["status"] == "cancelled"
    assert one.until(PROMPT).count("event: cancelled") == 1


def test_a_token_asks_with_curl(server: Server, open_terminal: OpenTerminal) -> None:
    (command,) = shell_of(GUIDE, "API tokens")
    terminal = open_terminal()
    terminal.run(f"TOKEN={add_token(server.database)}")
    shown = terminal.run(_here(command.text, server))
    assert _events(shown)[-1][1] == "complete"


def test_all_answers_are_exported_and_deleted_with_curl(
    server: Server, open_terminal: OpenTerminal, tmp_path: Path
) -> None:
    (ask,) = shell_of(GUIDE, "API tokens")
    (block,) = shell_of(GUIDE, "Export and delete")
    export, delete = block.commands
    terminal = open_terminal()
    terminal.run(f"TOKEN={add_token(server.database)}")
    terminal.run(_here(ask.text, server))
    terminal.run(_here(export, server))
    (file,) = tmp_path.glob("liveai-*.md")
    text = file.read_text()
    assert "\n> Blue light is scattered most.\n" in text
    shown = json.loads(terminal.run(_here(delete, server)))
    assert shown["complete"] is True
    assert shown["deleted"] == text.count("\n## ") > 0


def test_the_python_program_asks_over_a_websocket(server: Server, tmp_path: Path) -> None:
    heading = "Ask over WebSocket"
    (block,) = [block for block in GUIDE if (block.language, block.heading) == ("python", heading)]
    (tmp_path / "ask.py").write_text(_here(block.text, server))
    done = subprocess.run(
        [sys.executable, "ask.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "Blue light is scattered most." in done.stdout
    assert "'type': 'complete'" in done.stdout


def _python_of(heading: str) -> list[str]:
    blocks = [block for block in GUIDE if (block.language, block.heading) == ("python", heading)]
    return [block.text for block in blocks]


def test_the_programs_of_the_python_client_do_what_they_say(server: Server, tmp_path: Path) -> None:
    token = add_token(server.database)
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT), "LIVEAI_TOKEN": token}
    ask, read = _python_of("Ask")
    (resume,) = _python_of("Resume, stop, look back")
    expected = {
        ask: "Blue light is scattered most.\n complete {'input_tokens': ",
        read: "What is number 1? [",
        resume: "cancelled Once upon a time \n[2, 3, 4]\n",
    }
    for number, (program, words) in enumerate(expected.items()):
        (tmp_path / f"{number}.py").write_text(_here(program, server))
        done = subprocess.run(
            [sys.executable, f"{number}.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert words in done.stdout


def test_a_block_is_asked_from_a_terminal(server: Server, template: Path, tmp_path: Path) -> None:
    here, there = shell_of(GUIDE, "Ask from a terminal")
    script = {"AI_MODEL": "scripted:readme", "AI_SCRIPTS_DIR": str(server.database.folder.parent)}
    database = {"DATABASE_URL": Database(template, tmp_path).url}  # no site runs on it
    token = {"PASTE-A-TOKEN-HERE": add_token(server.database)}
    with Terminal(ROOT, {**clean_environment(), **ENVIRONMENT, **script, **database}) as terminal:

        def run(command: str) -> str:
            command = command.replace(".venv/bin/python", sys.executable)
            return terminal.run(_here(command, server, token))

        text, quiz = here.commands
        assert run(text) == "Blue light is scattered most.\n"
        events = [json.loads(line) for line in run(quiz).splitlines()]
        assert len(events[-1]["result"]["questions"]) == 2
        export, ask = there.commands
        run(export)
        assert run(ask) == "Blue light is scattered most.\n"


def test_each_way_to_name_another_model_is_read(tmp_path: Path) -> None:
    for block in shell_of(GUIDE, "Another model"):
        text = block.text.replace("sk-...", "sk-a-key-of-this-test")
        (tmp_path / ".env").write_text(text)
        program = (
            "import json, os, pathlib; from liveai.dotenv import load_dotenv;"
            "load_dotenv(pathlib.Path('.env'), os.environ);"
            "from liveai import settings;"
            f"print(json.dumps([[n, getattr(settings, n)] for n in {_names(block.text)}]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**clean_environment(), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        written = [line.split("=", 1) for line in text.splitlines()]
        assert json.loads(done.stdout) == written


def _names(text: str) -> list[str]:
    return [line.partition("=")[0] for line in text.splitlines()]


def test_each_piece_of_typescript_is_an_example_that_is_compiled() -> None:
    """`npm run typecheck` and `examples.test.tsx` check its content."""
    examples = [path.read_text("utf-8") for path in (ROOT / "frontend" / "examples").iterdir()]
    for block in GUIDE:
        if block.language in ("ts", "tsx"):
            assert any(_flat(block.text) in _flat(example) for example in examples), block.text


def _flat(code: str) -> str:
    """Remove the indentation."""
    return "\n".join(line.strip() for line in code.strip().splitlines())


def test_a_lost_password_is_set_again(server: Server, tmp_path: Path) -> None:
    text = (DOCS / "start.md").read_text("utf-8")
    (command,) = re.findall(r"`(\.venv/bin/python manage\.py changepassword admin)`", text)
    environment = {**clean_environment(), **ENVIRONMENT, "DATABASE_URL": server.database.url}
    command = command.replace(".venv/bin/python", sys.executable)
    with Terminal(ROOT, environment) as terminal:
        password = "another-password-4711"
        shown = terminal.run(command, [("Password: ", password), ("(again): ", password)])
        assert "changed successfully" in shown
