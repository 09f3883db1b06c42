"""Whose limits a start counts towards, and how much each of them may use. Synchronous ORM.

The environment gives the defaults. The admin's rows (`models.Limit`) override them, one figure at a
time: a user's own row before those of the user's groups, of which the most generous counts, before
the row for all users. The plan of a signed token is a group: its row for each member counts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from hmac import HMAC

from django.conf import settings
from django.utils.crypto import salted_hmac

from blocks.fresh import Fresh

from ..access.signed_tokens.claims import Grant
from ..access.visitor import Visitor
from ..errors import Refused
from ..limits import Allowance, Subject, Subjects, Whose
from ..models import Limit
from .groups import group_named, groups_of

KEY_LENGTH = 32

FIGURES = tuple(field.name for field in fields(Allowance))

Figures = dict[str, int]
"""The figures of an allowance by name; those that are missing are configured elsewhere."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The admin's rows."""

    of_kind: dict[str, Figures]
    of_group: dict[int, Figures]  # for each member
    of_groups_together: dict[int, Figures]
    of_user: dict[str, Figures]  # by the primary key as text

    @property
    def name_groups(self) -> bool:
        return bool(self.of_group or self.of_groups_together)


def _read() -> Rules:
    rules = Rules({}, {}, {}, {})
    for row in Limit.objects.all():
        figures = {name: figure for name in FIGURES if (figure := getattr(row, name)) is not None}
        match row.whose:
            case Limit.Whose.USER:
                rules.of_user[str(row.user_id)] = figures
            case Limit.Whose.MEMBER if row.group_id is not None:
                rules.of_group[row.group_id] = figures
            case Limit.Whose.TOGETHER if row.group_id is not None:
                rules.of_groups_together[row.group_id] = figures
            case _:
                rules.of_kind[row.whose] = figures
    return rules


_rules = Fresh(_read)
clear_rules = _rules.clear


def connect_signals() -> None:
    """Clear the cache when this process changes a limit, so that it applies immediately."""
    _rules.follow(Limit)


def key_of(name: str | None) -> str:
    """Return a keyed hash of a name.

    Hashes can be compared. Without the site's secret, nobody can recover an address from its hash,
    not even by trying all addresses.
    """
    if name is None:
        return ""
    keyed = _keyed(settings.SECRET_KEY).copy()
    keyed.update(name.encode())
    return keyed.hexdigest()[:KEY_LENGTH]


@lru_cache(maxsize=1)  # half of the hashing is that of the secret
def _keyed(secret: str) -> HMAC:
    return salted_hmac("liveai.places", "", secret=secret, algorithm="sha256")


def subjects_of(visitor: Visitor) -> Subjects:
    """Return the subjects that a visitor's start counts towards, from the nearest to the widest.

    A visitor without a session counts as their address. One without either, such as a program on
    this machine, counts towards those of everybody only. A user of another site is no member of a
    group, so their usage counts in no group together.

    Raises:
        Refused: `forbidden`: the plan of the visitor's signed token is no group here. The limits of
            users may be wider than those of the plan that is meant.
    """
    rules = _rules.get()
    found = []
    groups = groups_of(visitor.user_id) if rules.name_groups else []
    if own := _own_key(visitor):
        plans = groups if visitor.grant is None else _plan_of(visitor.grant)
        allowance = _of_owner_of(rules, visitor, plans)
        found.append(Subject("owner", own, allowance, is_address=not visitor.has_session))
    if visitor.address is not None:
        key = key_of(f"address:{visitor.address}")
        if visitor.is_anonymous:
            found.append(Subject("at_address", key, _of_visitors_at_address(rules)))
        address = _allowance(_of_address(), rules.of_kind.get(Limit.Whose.ADDRESS))
        found.append(Subject("address", key, address))
    for group in sorted(groups):
        if together := rules.of_groups_together.get(group):
            found.append(Subject("group", f"group:{group}", _allowance({}, together), group))
    if visitor.is_anonymous:
        found.append(_wide("anonymous", _of_all_anonymous(), rules))
    found.append(_wide("all", {}, rules))
    return tuple(found)


def _own_key(visitor: Visitor) -> str:
    if visitor.has_session or visitor.address is None:
        return key_of(visitor.counts_as)
    # Another key than the address's: others there have sessions, and count for themselves.
    return key_of(f"alone:{visitor.address}")


def counts_addresses() -> bool:
    """Whether addresses have a limit of tokens. Otherwise what they use is not stored."""
    figures = _rules.get().of_kind.get(Limit.Whose.ADDRESS, {})
    return bool(figures.get("tokens_per_day") or figures.get("tokens_per_month"))


def counts_visitors_of_addresses() -> bool:
    """Whether the anonymous visitors of an address have a limit of tokens. As above."""
    allowed = _of_visitors_at_address(_rules.get())
    return bool(allowed.tokens_per_day or allowed.tokens_per_month)


def groups_together() -> list[int]:
    """Return the groups whose members share limits."""
    return list(_rules.get().of_groups_together)


def keys_of(subjects: Iterable[Subject]) -> dict[Whose, str]:
    """Return the keys by whose they are, without those of groups."""
    return {subject.whose: subject.key for subject in subjects if subject.whose != "group"}


def _wide(whose: Whose, configured: Figures, rules: Rules) -> Subject:
    return Subject(whose, whose, _allowance(configured, rules.of_kind.get(whose)))


def _plan_of(grant: Grant) -> list[int]:
    if grant.plan is None:
        return []
    group = group_named(grant.plan)
    if group is None:
        raise Refused("forbidden", "The plan of this token doesn’t exist here.")
    return [group]


def _of_owner_of(rules: Rules, visitor: Visitor, groups: Collection[int]) -> Allowance:
    if visitor.is_anonymous:
        visitors = rules.of_kind.get(Limit.Whose.VISITOR)
        hourly: Figures = {"starts_per_hour": settings.LIMIT_ANONYMOUS_STARTS_PER_HOUR}
        return _allowance(_of_owner() | hourly, visitors)
    plans = [rules.of_group[group] for group in groups if group in rules.of_group]
    return _allowance(
        _of_owner(),
        rules.of_kind.get(Limit.Whose.USERS),
        _most_generous(plans),
        rules.of_user.get(str(visitor.user_id)),
    )


def _most_generous(plans: Iterable[Figures]) -> Figures:
    """Return the largest of each figure that a plan gives; 0, no limit, is the largest of all."""
    found: Figures = {}
    for name, figure in (given for plan in plans for given in plan.items()):
        found[name] = max(figure, found.get(name, figure), key=lambda given: given or math.inf)
    return found


def _allowance(*layers: Figures | None) -> Allowance:
    """Join layers, of which later ones override earlier ones."""
    joined: Figures = {}
    for layer in layers:
        joined |= layer or {}
    return Allowance(**joined)


def _of_owner() -> Figures:
    return {
        "starts_per_minute": settings.LIMIT_STARTS_PER_MINUTE,
        "running": settings.LIMIT_RUNNING_PER_OWNER,
        "tokens_per_day": settings.LIMIT_TOKENS_PER_DAY,
        "tokens_per_month": settings.LIMIT_TOKENS_PER_MONTH,
    }


def _of_address() -> Figures:
    return {
        "starts_per_minute": settings.LIMIT_STARTS_PER_MINUTE_PER_ADDRESS,
        "running": settings.LIMIT_RUNNING_PER_ADDRESS,
    }


def _of_visitors_at_address(rules: Rules) -> Allowance:
    configured: Figures = {"tokens_per_day": settings.LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS}
    return _allowance(configured, rules.of_kind.get(Limit.Whose.AT_ADDRESS))


def _of_all_anonymous() -> Figures:
    return {"tokens_per_day": settings.LIMIT_ANONYMOUS_TOKENS_PER_DAY}
