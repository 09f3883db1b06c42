"""The cache of block types and switches: at once in this process, within a second in others."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from blocks import fresh
from blocks.catalog import get_block, list_blocks
from blocks.errors import UnknownBlock
from blocks.fresh import Fresh
from blocks.models import BlockType


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(fresh.time, "monotonic", lambda: now[0])
    return now


def test_a_value_is_read_once_in_half_a_second(clock: list[float]) -> None:
    reads = iter(range(9))
    cached = Fresh(lambda: next(reads))
    assert [cached.get(), cached.get()] == [0, 0]
    clock[0] += fresh.FRESH_SECONDS
    assert [cached.get(), cached.get()] == [1, 1]
    assert fresh.FRESH_SECONDS <= 1


def test_what_was_read_before_a_change_is_not_kept(clock: list[float]) -> None:
    """A thread reads while another saves: the reader may still see the old row."""
    values = ["old", "new"]

    def read() -> str:
        value = values.pop(0)
        if value == "old":
            cached.clear()  # meanwhile
        return value

    cached: Fresh[str] = Fresh(read)
    assert [cached.get(), cached.get(), cached.get()] == ["old", "new", "new"]


def test_the_last_value_outlives_the_database_but_there_must_be_one(clock: list[float]) -> None:
    answers: list[Any] = [OperationalError(), 1, OperationalError(), 2]

    def read() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    cached = Fresh(read)
    with pytest.raises(OperationalError):
        cached.get()
    seen = []
    for _ in range(3):
        seen.append(cached.get())
        clock[0] += 1
    assert seen == [1, 1, 2]


CHANGES = {
    "save": lambda block: BlockType(pk=block.pk, slug="tale", title="New").save(),
    "update": lambda block: BlockType.objects.filter(pk=block.pk).update(title="New"),
    "create": lambda block: BlockType.objects.create(slug="new", title="New"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_of_a_block_type_applies_at_once(change: Any, clock: list[float]) -> None:
    block = BlockType.objects.create(slug="tale", title="Old")
    assert get_block("tale").title == "Old"
    change(block)
    assert "New" in [block.title for block in list_blocks()]


@pytest.mark.django_db
def test_a_deleted_block_type_is_gone_at_once(clock: list[float]) -> None:
    block = BlockType.objects.create(slug="tale", title="Tale")
    get_block("tale")
    block.delete()
    with pytest.raises(UnknownBlock):
        get_block("tale")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_or_committed_later_is_seen_as_it_is(
    clock: list[float],
) -> None:
    block = BlockType.objects.create(slug="tale", title="Old")
    with transaction.atomic():
        block.title = "New"
        block.save()
        get_block("tale")  # as another thread may do, before the commit
        transaction.on_commit(lambda: seen.append(get_block("tale").title))
        seen: list[str] = []
    assert seen == ["New"]
    with transaction.atomic():
        block.title = "Never"
        block.save()
        transaction.set_rollback(True)
    assert get_block("tale").title == "New"


@pytest.mark.django_db
def test_a_start_reads_no_block_type_that_is_fresh(
    clock: list[float], django_assert_num_queries: Any
) -> None:
    BlockType.objects.create(slug="tale", title="Tale")
    get_block("tale")
    assert connection.vendor
    with django_assert_num_queries(0):
        get_block("tale")
        list_blocks()
