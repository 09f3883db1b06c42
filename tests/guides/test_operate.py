"""The pages of `docs/operate/`, followed from top to bottom on a machine that runs."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.utils import quote

from tests.support.deploy import SITE
from tests.support.documents import DEPLOY_PAGES, DOCS
from tests.support.faults.client import Service
from tests.support.faults.drive import add_truth, drive, give_verdict
from tests.support.faults.history import StreamHistory
from tests.support.faults.plan import Plan
from tests.support.guides.browser import Person, at_a_browser
from tests.support.guides.machine import FIRST_KEY, OBEY_SECONDS, Machine, running_machine
from tests.support.guides.steps import Click, Command, SectionSteps, Step, filled_in, steps_of
from tests.support.servers.admin_browser import AdminBrowser
from tests.support.servers.tokens import Program, add_token
from tests.support.servers.visitor import START

SEED = 46
OPERATE = DOCS / "operate"

FOLLOWED = {
    *("secret-key", "roll-out", "delete-a-users-data", "switch-streaming"),
    *("add-a-block", "why-answers-failed", "what-a-user-spent", "stop-all"),
}
"""Pages that the tests below follow."""

TYPED = {path.stem for path in DEPLOY_PAGES if path.parent == OPERATE}
"""Pages whose commands tests/faults/test_deploy_commands.py types, or lists with a reason.

Those of `containers` are typed by tests/faults/test_container_commands.py.
"""

VISITOR = "anonymous:a-visitor"
MANY_ANONYMOUS = f"""
from django.utils.timezone import now
from streaming.models import Stream
Stream.objects.bulk_create(
    Stream(id=f"a-visitors-answer-{{n:04}}", owner="{VISITOR}", block_type="ask-question",
           model="x", prompt="Why?", status="complete", mark=1, created_at=now(), ended_at=now())
    for n in range(152)
)
"""
"""Answers of before visitors needed an account: more than a page of the admin's list shows."""

pytestmark = pytest.mark.timeout(450)


@pytest.fixture(scope="module")
def machine(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running_machine(template, tmp_path_factory.mktemp("machine")) as machine:
        yield machine


def _page(name: str) -> SectionSteps:
    return steps_of((OPERATE / f"{name}.md").read_text("utf-8"))


def _follow(
    steps: Iterable[Step], machine: Machine, person: Person | None = None, **words: str
) -> None:
    """Type and click each step. `words`: placeholder, with `_` for `-` → the reader's own words."""
    values = {placeholder.replace("_", "-"): word for placeholder, word in words.items()}
    for step in (filled_in(step, values) for step in steps):
        if isinstance(step, Command):
            machine.type(step)
        else:
            assert person is not None, f"nobody clicks: {step}"
            person.do(step)


def _count(machine: Machine, question: str, *values: str) -> int:
    with closing(sqlite3.connect(machine.database.path, timeout=30)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {question}", values).fetchone()
    return int(count)


def test_each_page_with_steps_is_followed_by_a_test() -> None:
    with_steps = {path.stem for path in OPERATE.glob("*.md") if _page(path.stem)}
    assert with_steps <= FOLLOWED | TYPED
    assert with_steps >= FOLLOWED


async def test_a_version_is_rolled_out_while_people_read_and_ask(
    machine: Machine, tmp_path: Path
) -> None:
    admin = await AdminBrowser.log_in(machine.ports[0], site=SITE)
    service = Service(machine.ports, admin.cookies, SITE)
    held = [Plan(f"held-{n}", tokens=40, hold=1, after=5, seed=n) for n in range(8)]
    short = [Plan(f"short-{n}", tokens=20, every_ms=50, seed=n) for n in range(16)]

    def driving(plans: list[Plan], **more: float) -> asyncio.Task[list[StreamHistory]]:
        return asyncio.create_task(
            drive(service, plans, seed=SEED, drops=1, deadline_seconds=240, **more)
        )

    reading = driving(held)
    before = {unit: machine.units.pid(unit) for unit in machine.units.all()}
    (steps,) = _page("roll-out").values()
    *steps, restart = steps
    await asyncio.to_thread(_follow, steps, machine, VERSION="v0.2.0")
    asking = driving(short, over_seconds=8)
    await asyncio.to_thread(_follow, [restart], machine)
    for plan in held:
        machine.upstream.release(plan.key)
    histories = [*await reading, *await asking]
    for history in histories:
        history.recoveries = 2  # both workers were replaced, too
    await add_truth(service, histories, machine.upstream)
    give_verdict(histories, seed=SEED, folder=tmp_path)
    assert {history.row["status"] for history in histories if history.row} == {"complete"}
    assert (machine.folder / "opt/liveai/only-in-the-second-version").is_file()
    assert len(before) == 4
    assert all(machine.units.pid(unit) != pid for unit, pid in before.items())
    ways = {c.ended_by for h in histories for v in h.viewings for c in v.connections}
    assert "reconnect" in ways, "no process was replaced under a viewer"


async def test_a_new_key_signs_nobody_out_and_a_leaked_one_everybody(machine: Machine) -> None:
    *rotation, leaked = _page("secret-key").values()
    admin = await AdminBrowser.log_in(machine.ports[0], site=SITE)
    async with await admin.ask(Plan("before-the-key", tokens=5).prompt) as client:
        await client.until_end()
    keys: list[tuple[str, str]] = []
    for step in itertools.chain(*rotation):
        assert isinstance(step, Command)
        await asyncio.to_thread(machine.type, step)
        if step.text.startswith("deploy/rolling-restart"):
            settings = machine.settings
            keys.append(
                (settings["DJANGO_SECRET_KEY"], settings.get("DJANGO_SECRET_KEY_FALLBACKS", ""))
            )
            if len(keys) == 3:
                break  # two weeks later: the sessions of the old key are gone
            for port in machine.ports:
                admin.port = port
                assert (await admin.page("/admin/"))[1] == "/admin/"
                status, page = await admin.call("GET", "/api/streams")
                assert (status, page["results"][0]["status"]) == (200, "complete")
    new = keys[0][1]
    assert len(new) > 50
    assert keys == [(FIRST_KEY, new), (new, FIRST_KEY), (new, "")]
    admin = await AdminBrowser.log_in(machine.ports[0], site=SITE)
    await asyncio.to_thread(_follow, leaked, machine)
    machine.wait()
    assert machine.settings["DJANGO_SECRET_KEY"] not in (new, FIRST_KEY)
    assert "login" in (await admin.page("/admin/"))[1]


def test_what_a_user_and_a_visitor_asked_is_deleted(machine: Machine) -> None:
    new_user = "from django.contrib.auth.models import User; User.objects.create_user('ada')"
    machine.manage("shell", "-v0", "-c", new_user)
    machine.manage("shell", "-v0", "-c", MANY_ANONYMOUS)

    with_account, without = _page("delete-a-users-data").values()
    _wait_for(machine, asyncio.run(_asked(machine, Plan("to-delete", tokens=3), "ada")), "complete")
    of_ada = "streaming_stream WHERE user_id = (SELECT id FROM auth_user WHERE username = 'ada')"
    of_visitor = f"streaming_stream WHERE owner = '{VISITOR}'"
    assert (_count(machine, of_ada), _count(machine, of_visitor)) == (1, 152)
    with at_a_browser(machine.url) as person:
        _follow(with_account, machine, person, USER_NAME="ada")
        _follow(without, machine, person, STREAM_ID="a-visitors-answer-0000", OWNER=VISITOR)
    assert _count(machine, "auth_user WHERE username = ?", "ada") == 0
    assert (_count(machine, of_ada), _count(machine, of_visitor)) == (0, 0)


def test_streaming_and_its_transport_are_switched_and_both_processes_obey(machine: Machine) -> None:
    with at_a_browser(machine.url) as person:
        for steps in _page("switch-streaming").values():
            _follow(steps, machine, person)
    with closing(sqlite3.connect(machine.database.path)) as connection:
        (row,) = connection.execute("SELECT enabled, backend FROM streaming_streamingsettings")
    assert row == (None, "")


async def _asked(machine: Machine, plan: Plan, username: str = "admin") -> str:
    """Ask as a user, without watching; return the stream's id."""
    token = add_token(machine.database, username=username)
    who = Program(machine.ports[0], token, site=SITE)
    as_json = {"Accept": "application/json"}
    deadline = time.monotonic() + OBEY_SECONDS
    while True:
        status, stream = await who.call("POST", START, {"prompt": plan.prompt}, as_json)
        if status == 201:
            break
        assert stream["code"] == "paused" and time.monotonic() < deadline, stream
        await asyncio.sleep(0.1)  # a switch that another process took announces nothing
    stream_id: str = stream["stream_id"]
    return stream_id


def _meanwhile(coroutine: Coroutine[Any, Any, str]) -> str:
    """Run it in a thread of its own: a browser may be open, whose loop is this thread's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def _held(machine: Machine, plan: Plan) -> str:
    """Ask until an answer has begun: a process that still obeys the old switch cancels it."""
    deadline = time.monotonic() + OBEY_SECONDS
    while True:
        stream_id = _meanwhile(_asked(machine, plan))
        row = "streaming_stream WHERE id = ? AND "
        while not _count(machine, row + "status = 'cancelled'", stream_id):
            if _count(machine, row + "text != ''", stream_id):
                return stream_id
            assert time.monotonic() < deadline, f"{stream_id} does not begin"
            time.sleep(0.05)  # another process writes the row


def _wait_for(machine: Machine, stream_id: str, status: str) -> None:
    deadline = time.monotonic() + 30
    while _count(machine, "streaming_stream WHERE id = ? AND status = ?", stream_id, status) == 0:
        assert time.monotonic() < deadline, f"{stream_id} is not {status}"
        time.sleep(0.05)  # another process writes the row


def test_the_reason_of_yesterdays_failures_is_three_clicks_away(machine: Machine) -> None:
    plan = Plan("fails", fault="401")
    stream_id = asyncio.run(_asked(machine, plan))
    _wait_for(machine, stream_id, "error")
    with closing(sqlite3.connect(machine.database.path, timeout=30)) as connection, connection:
        for column in ("created_at", "started_at", "ended_at"):
            connection.execute(
                f"UPDATE streaming_stream SET {column} = datetime({column}, '-1 day') WHERE id = ?",
                (stream_id,),
            )
    (steps,) = _page("why-answers-failed").values()
    assert sum(isinstance(step, Click) for step in steps) == 3
    with at_a_browser(machine.url) as person:
        _follow(steps, machine, person, REASON="provider_rejected", PROMPT=plan.prompt)
        assert quote(stream_id) in person.page.url


def test_what_a_user_spent_is_shown_with_its_cost(machine: Machine) -> None:
    new_user = "from django.contrib.auth.models import User; User.objects.create_user('eve')"
    machine.manage("shell", "-v0", "-c", new_user)
    stream_id = asyncio.run(_asked(machine, Plan("spends", tokens=40), "eve"))
    _wait_for(machine, stream_id, "complete")
    with at_a_browser(machine.url) as person:
        for steps in _page("what-a-user-spent").values():
            _follow(steps, machine, person, USER_NAME="eve", MODEL="planned")


def test_one_switch_stops_everything_and_refuses_starts(machine: Machine) -> None:
    running = asyncio.run(_asked(machine, Plan("endless", hold=1, after=1)))
    stop, go_on, stop_running = _page("stop-all").values()
    with at_a_browser(machine.url) as person:
        _follow(stop, machine, person)
        _wait_for(machine, running, "cancelled")
        _follow(go_on, machine, person)
        running = _held(machine, Plan("endless-again", hold=1, after=1))
        _follow(stop_running, machine, person)
    _wait_for(machine, running, "cancelled")


def test_a_block_is_previewed_before_it_is_saved_and_then_has_its_page(machine: Machine) -> None:
    (steps,) = _page("add-a-block").values()
    with at_a_browser(machine.url) as person:
        _follow(steps, machine, person, QUESTION=Plan("preview", tokens=5).prompt)
    assert _count(machine, "blocks_blocktype WHERE slug = ?", "in-one-line") == 1
    assert _count(machine, "streaming_stream WHERE block_type = ?", "in-one-line") == 0
