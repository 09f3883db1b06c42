"""`manage.py ask`: in its own process, and at the address of a server."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing

from tests.support.servers.harness import ENVIRONMENT, ROOT, Database, clean_environment, running
from tests.support.servers.tokens import add_token


def begin(
    database: Database, *words: str, environment: Mapping[str, str] = {}
) -> subprocess.Popen[str]:
    given = {**clean_environment(), **ENVIRONMENT, "DATABASE_URL": database.url, **environment}
    pipe = subprocess.PIPE
    command = [sys.executable, "manage.py", "ask", *words]
    return subprocess.Popen(
        command, cwd=ROOT, env=given, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def ask(
    database: Database, *words: str, stdin: str = "", environment: Mapping[str, str] = {}
) -> tuple[int, str, str]:
    """Return the exit code, and what it printed to both."""
    asking = begin(database, *words, environment=environment)
    out, err = asking.communicate(stdin, timeout=60)
    return asking.returncode, out, err


def test_a_text_is_printed_and_a_prompt_may_come_from_standard_input(database: Database) -> None:
    code, out, err = ask(database, "ask-question", "-", "--user", "admin", stdin="speak briefly")
    assert (code, out, err) == (0, "tick " * 20 + "\n", "")


def test_json_is_an_event_a_line_with_options_and_one_end(database: Database) -> None:
    code, out, _ = ask(database, "quiz", "Planets", "--option", "questions=3", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [event["type"] for event in events].count("complete") == 1
    numbers = [event["seq"] for event in events if event["type"] != "status"]
    assert numbers == list(range(numbers[-1] + 1))
    assert len(events[-1]["result"]["questions"]) == 3


def assert_ctrl_c_stops(database: Database, *where: str, token: str = "") -> None:
    words = ["ask-question", "speak for ever", *where]
    asking = begin(database, *words, environment={"LIVEAI_TOKEN": token})
    assert asking.stdout is not None
    assert asking.stdout.read(3) == "on "
    asking.send_signal(signal.SIGINT)
    out, err = asking.communicate(timeout=60)
    assert (asking.returncode, err) == (130, "Cancelled.\n")
    assert set(out.split()) <= {"on", "and"}
    assert out.endswith("\n")


def _statuses(database: Database) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database.path)) as connection:
        return connection.execute("SELECT status, owner FROM streaming_stream").fetchall()


def test_ctrl_c_stops_the_model(database: Database) -> None:
    assert_ctrl_c_stops(database)
    [(status, owner)] = _statuses(database)
    assert status == "cancelled"
    assert owner.startswith("anonymous:")


def test_a_reader_that_has_gone_stops_the_model(database: Database) -> None:
    with begin(database, "ask-question", "speak for ever") as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        assert asking.stdout.read(3) == "on "
        asking.stdout.close()
        assert (asking.stderr.read(), asking.wait(60)) == ("", 1)
    assert _statuses(database)[0][0] == "cancelled"


def test_ctrl_c_stops_the_model_of_a_server(database: Database) -> None:
    with running("serve", database) as server:
        assert_ctrl_c_stops(database, "--url", server.url, token=add_token(database))
        server.assert_unharmed()
    [(status, owner)] = _statuses(database)
    assert status == "cancelled"
    assert owner.startswith("user:")


def test_a_failure_is_said_with_its_code(database: Database) -> None:
    code, out, err = ask(database, "no-such-block", "Hello")
    assert (code, out, err) == (1, "", "unknown_block: This block doesn’t exist.\n")
