"""Whose limits a start counts towards, and which of the admin's rows apply."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from streaming.access.visitor import Visitor
from streaming.admission.subjects import clear_rules, key_of, subjects_of
from streaming.limits import Allowance, Whose
from streaming.models import Limit

SCHOOL = "203.0.113.7"
ANONYMOUS = Visitor("anonymous:x", None, "x", SCHOOL)

pytestmark = pytest.mark.usefixtures("db", "configured")


@pytest.fixture
def configured(settings: Any) -> None:
    clear_rules()
    settings.LIMIT_STARTS_PER_MINUTE = 30
    settings.LIMIT_RUNNING_PER_OWNER = 6
    settings.LIMIT_TOKENS_PER_DAY = settings.LIMIT_TOKENS_PER_MONTH = 0
    settings.LIMIT_ANONYMOUS_STARTS_PER_HOUR = 60
    settings.LIMIT_ANONYMOUS_TOKENS_PER_DAY = 2_000_000
    settings.LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS = 500_000
    settings.LIMIT_STARTS_PER_MINUTE_PER_ADDRESS = 120
    settings.LIMIT_RUNNING_PER_ADDRESS = 60


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada")


def allowed(visitor: Visitor) -> dict[Whose, Allowance]:
    return {subject.whose: subject.allowance for subject in subjects_of(visitor)}


def of(user: User) -> Visitor:
    return Visitor(f"user:{user.pk}", user.pk, "s", SCHOOL)


def test_the_environment_gives_the_defaults(ada: User) -> None:
    assert allowed(ANONYMOUS) == {
        "owner": Allowance(30, 60, 6),
        "at_address": Allowance(tokens_per_day=500_000),
        "address": Allowance(120, 0, 60),
        "anonymous": Allowance(tokens_per_day=2_000_000),
        "all": Allowance(),
    }
    assert allowed(of(ada)) == {
        "owner": Allowance(30, 0, 6),
        "address": Allowance(120, 0, 60),
        "all": Allowance(),
    }


@pytest.mark.parametrize("secret", ["a" * 50, "b" * 50])
def test_a_key_is_the_same_in_all_processes_with_the_secret(settings: Any, secret: str) -> None:
    settings.SECRET_KEY = secret
    for name in ("address:203.0.113.7", "anonymous:é", "user:1"):
        whole = salted_hmac("liveai.places", name, secret=secret, algorithm="sha256").hexdigest()
        assert key_of(name) == whole[:32]
    assert key_of(None) == ""


def test_a_row_overrides_only_the_figures_that_it_gives() -> None:
    Limit.objects.create(whose=Limit.Whose.VISITOR, running=1, starts_per_hour=0)
    Limit.objects.create(whose=Limit.Whose.AT_ADDRESS, tokens_per_day=0, running=8)
    Limit.objects.create(whose=Limit.Whose.ADDRESS, tokens_per_month=9)
    Limit.objects.create(whose=Limit.Whose.ANONYMOUS, running=7)
    Limit.objects.create(whose=Limit.Whose.ALL, tokens_per_day=5)
    assert allowed(ANONYMOUS) == {
        "owner": Allowance(30, 0, 1),
        "at_address": Allowance(running=8),
        "address": Allowance(120, 0, 60, tokens_per_month=9),
        "anonymous": Allowance(running=7, tokens_per_day=2_000_000),
        "all": Allowance(tokens_per_day=5),
    }


def test_a_users_own_row_wins_then_the_most_generous_group_then_all_users(ada: User) -> None:
    small, large = Group.objects.create(name="small"), Group.objects.create(name="large")
    foreign = Group.objects.create(name="foreign")
    ada.groups.add(small, large)
    Limit.objects.create(
        whose=Limit.Whose.USERS, running=2, tokens_per_day=10, tokens_per_month=100
    )
    Limit.objects.create(whose=Limit.Whose.MEMBER, group=small, tokens_per_day=20, running=0)
    Limit.objects.create(whose=Limit.Whose.MEMBER, group=large, tokens_per_day=30, running=9)
    Limit.objects.create(whose=Limit.Whose.MEMBER, group=foreign, tokens_per_day=99)
    assert allowed(of(ada))["owner"] == Allowance(30, 0, 0, 30, 100)
    Limit.objects.create(whose=Limit.Whose.USER, user=ada, tokens_per_day=5)
    assert allowed(of(ada))["owner"] == Allowance(30, 0, 0, 5, 100)


def test_a_group_that_counts_together_is_a_subject_of_its_own(ada: User) -> None:
    group = Group.objects.create(name="7b")
    Limit.objects.create(whose=Limit.Whose.TOGETHER, group=group, running=30)
    assert "group" not in allowed(of(ada))
    ada.groups.add(group)
    assert allowed(of(ada))["group"] == Allowance(running=30)


def test_without_rows_of_groups_no_query_asks_for_them(
    ada: User, django_assert_num_queries: Any
) -> None:
    subjects_of(of(ada))
    with django_assert_num_queries(0):
        subjects_of(of(ada))


def test_a_subject_has_one_row(ada: User) -> None:
    group = Group.objects.create(name="7b")
    for fields in (
        {"whose": Limit.Whose.ALL},
        {"whose": Limit.Whose.AT_ADDRESS},
        {"whose": Limit.Whose.USER, "user": ada},
        {"whose": Limit.Whose.MEMBER, "group": group},
    ):
        Limit.objects.create(**fields)
        with pytest.raises(IntegrityError), transaction.atomic():
            Limit.objects.create(**fields)
