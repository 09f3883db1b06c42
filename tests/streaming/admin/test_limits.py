"""The admin of limits: what a row must name, and what it means for a user now."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group, User
from django.test import AsyncClient, Client

from streaming.models import Limit
from tests.conftest import MODEL, MakeBlock, StartProcess, scripted

LIMITS = "/admin/streaming/limit/"
NOW = f"{LIMITS}now/"


@pytest.fixture
def staff(db: None) -> Client:
    user = User.objects.create_superuser("root")
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("whose", "names", "words"),
    [
        ("member", {}, "Choose a group."),
        ("together", {}, "Choose a group."),
        ("user", {}, "Choose a user."),
        ("users", {"user": 1}, "Leave this empty"),
        ("all", {"group": 1}, "Leave this empty"),
    ],
)
def test_a_row_names_whom_it_applies_to(
    staff: Client, whose: str, names: dict[str, int], words: str
) -> None:
    ids = {"user": User.objects.get().pk, "group": Group.objects.create(name="7b").pk}
    data = {"whose": whose, "running": 3, **{name: ids[name] for name in names}}
    answer = staff.post(f"{LIMITS}add/", data)
    assert words in answer.content.decode()
    assert not Limit.objects.exists()


def test_a_second_row_for_the_same_is_refused_in_words(staff: Client) -> None:
    for _ in range(2):
        answer = staff.post(f"{LIMITS}add/", {"whose": "all", "running": 3})
    assert "There is a limit for this already." in answer.content.decode()
    assert Limit.objects.count() == 1
    assert "What would happen now" in staff.get(LIMITS).content.decode()


@pytest.mark.parametrize("whose", ["address", "together", "anonymous", "all"])
def test_a_retention_is_for_those_who_own_answers(staff: Client, whose: str) -> None:
    group = Group.objects.create(name="7b").pk if whose == "together" else ""
    data = {"whose": whose, "group": group, "retention_days": 3}
    answer = staff.post(f"{LIMITS}add/", data)
    assert "Leave this empty: answers belong to users and visitors." in answer.content.decode()
    assert not Limit.objects.exists()


@pytest.mark.parametrize(("days", "is_saved"), [("0", True), ("36500", True), ("36501", False)])
def test_a_retention_has_a_bound(staff: Client, days: str, is_saved: bool) -> None:
    staff.post(f"{LIMITS}add/", {"whose": "visitor", "retention_days": days})
    assert Limit.objects.exists() is is_saved


async def test_what_would_happen_to_a_user_now(
    start_process: StartProcess, make_block: MakeBlock, make_browser: Any
) -> None:
    process = await start_process(LIMIT_STARTS_PER_MINUTE=9)
    process.providers.use(MODEL, scripted("one ", {"hang": True}))
    await make_block()
    ada = await make_browser("ada")
    user = await User.objects.aget(username="ada")
    await Limit.objects.acreate(whose=Limit.Whose.USER, user=user, running=1, tokens_per_day=9_000)
    root = await sync_to_async(User.objects.create_superuser)("root")
    client = AsyncClient()
    await client.aforce_login(root)

    async def words(name: str) -> str:
        answer = await client.get(NOW, {"name": name, "block_type": "tale"})
        return " ".join(answer.content.decode().split())

    assert "A start would be accepted" in await words("ada")
    await ada.start_unwatched()
    shown = await words("ada")
    assert "A start would be refused" in shown
    assert "You have 1 answer running." in shown
    for cells in ("starts per minute</td><td>1</td><td>9", "running answers</td><td>1</td><td>1"):
        assert cells in shown
    assert "tokens per day</td><td>0</td>" not in shown
    assert "A start would be accepted" in await words("")
    assert "User not found." in await words("nobody")
    assert "Ended answers are kept forever (as configured)." in await words("ada")
    await Limit.objects.acreate(whose=Limit.Whose.VISITOR, retention_days=1)
    await Limit.objects.filter(user=user).aupdate(retention_days=30)
    assert "Ended answers are kept for 30 days (one user: ada)." in await words("ada")
    assert "Ended answers are kept for 1 day (each anonymous visitor)." in await words("")
    assert "the visitor" in await words("") and "the user" not in await words("")
