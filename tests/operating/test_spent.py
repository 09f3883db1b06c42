"""What a user spent: found by name, address or owner; by day and block; beside the limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from operating.models import ModelPrice
from streaming.access.owners import user_owner
from streaming.admission.subjects import clear_rules, key_of
from streaming.admission.usage import day_of
from streaming.models import Limit, TokenUse
from tests.operating.rows import answer
from tests.support.streaming.admin import SECRET

SPENT = "/admin/spent/"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create(username="ada", email="Ada@Example.org")


def shown(client: Client, who: str) -> Any:
    response = client.get(SPENT, {"who": who})
    assert response.status_code == 200
    return response.context


def problem(client: Client, who: str) -> str:
    context = shown(client, who)
    assert "spans" not in context
    return " ".join(context["form"].errors["who"])


def test_a_user_is_found_by_name_address_or_owner(operator: Client, ada: User) -> None:
    for who in ("ada", " ada ", "ada@example.org", user_owner(ada.pk)):
        assert shown(operator, who)["whom"].user == ada


def test_an_owner_without_an_account_is_found_by_its_key(operator: Client, ada: User) -> None:
    for owner in ("anonymous:abc", "jwt:https://host.example:7", "jwt-hash:abc"):
        answer(owner=owner, output_tokens=7)
        context = shown(operator, owner)
        assert context["whom"].user is None
        assert dict(context["spans"])["Today"].output_tokens == 7
    hashed = answer(owner="user-hash:abc", user=ada)
    assert shown(operator, hashed.owner)["whom"].user == ada
    hashed.delete()
    gone = user_owner(ada.pk)
    answer(owner=gone)
    ada.delete()
    assert shown(operator, gone)["whom"].user is None


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("nobody", "User not found."),
        ("user:999999", "This owner has no answers."),
        ("user:" + "9" * 60, "This owner has no answers."),
        ("user:x", "This owner has no answers."),
        ("anonymous:nobody", "This owner has no answers."),
        ("", "This field is required."),
        ("x" * 255, "at most 254 characters"),
    ],
)
def test_who_is_not_found_is_named_at_the_field(operator: Client, who: str, words: str) -> None:
    assert words in problem(operator, who)


def test_an_address_of_several_users_is_no_answer(operator: Client, ada: User) -> None:
    User.objects.create(username="other", email="ada@example.org")
    assert "Several users have this address." in problem(operator, "ada@example.org")
    assert shown(operator, "ada")["whom"].user == ada


def test_tokens_and_cost_by_day_and_block(operator: Client, ada: User) -> None:
    ModelPrice.objects.create(model="openai:a", input_price=0, output_price=1)
    now = timezone.now()
    first = now.replace(day=1, hour=0, minute=0)
    owner = {"owner": user_owner(ada.pk), "model": "openai:a"}
    million = {"input_tokens": 0, "output_tokens": 10**6}
    answer(at=now, block_type="tale", **owner, **million)
    answer(at=first - timedelta(days=1), block_type="poem", **owner, **million)
    answer(at=first - timedelta(days=40), **owner, **million)  # too long ago
    answer(at=now, owner="user:0", model="openai:a", **million)
    context = shown(operator, "ada")
    assert {title: usage.cost_words for title, usage in context["spans"]} == {
        "Today": "1.00 USD",
        "This month": "1.00 USD",
        "Last month": "1.00 USD",
    }
    assert {row.name: row.usage.tokens for row in context["blocks"]} == {
        "tale": 10**6,
        "poem": 10**6,
    }
    spent = [day for day in context["days"] if day.usage.answers]
    assert len(spent) == 2
    assert spent[-1] is context["days"][-1]
    for link in (spent[-1].url, *(row.url for row in context["blocks"])):
        assert f"owner=user%3A{ada.pk}" in link


def test_the_limits_that_hold_and_what_counts_for_them(operator: Client, ada: User) -> None:
    plan = Group.objects.create(name="gold")
    ada.groups.add(plan)
    Limit.objects.create(whose=Limit.Whose.MEMBER, group=plan, tokens_per_day=500)
    Limit.objects.create(whose=Limit.Whose.ALL, tokens_per_day=900)
    clear_rules()
    now = timezone.now()
    key = key_of(user_owner(ada.pk))
    for writer, tokens in ((1, 30), (2, 12)):
        TokenUse.objects.create(subject=key, day=day_of(now), writer=writer, tokens=tokens)
    context = shown(operator, "ada")
    gauges = [(gauge.what, gauge.used, gauge.limit) for _, gauge, _ in context["gauges"]]
    assert ("tokens per day", 42, 500) in gauges
    assert not any(limit == 900 for _, _, limit in gauges)
    assert context["days"][-1].counted == 42  # its answers are deleted
    page = operator.get(SPENT, {"who": "ada"}).content.decode()
    assert "42 of 500" in page and "What would happen to the next start" in page


def test_the_page_shows_nothing_that_the_user_wrote(operator: Client, ada: User) -> None:
    answer(owner=user_owner(ada.pk), text=SECRET, prompt=SECRET)
    assert SECRET not in operator.get(SPENT, {"who": "ada"}).content.decode()


def test_the_page_is_for_those_who_may_view_streams(staff: Any, ada: User, client: Client) -> None:
    assert client.get(SPENT, {"who": "ada"}).status_code == 302
    somebody = staff("view_user", "view_limit")
    assert somebody.get(SPENT, {"who": "ada"}).status_code == 403
