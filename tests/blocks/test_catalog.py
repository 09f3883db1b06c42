from __future__ import annotations

from typing import Any

import pytest

from blocks.catalog import get_block, list_blocks, models_in_use
from blocks.errors import UnknownBlock
from blocks.inputs import check_input
from blocks.models import BlockType

pytestmark = pytest.mark.usefixtures("first_blocks")


def test_a_new_installation_begins_with_the_first_four_blocks_in_order() -> None:
    first = ["ask-question", "explain-eli10", "quiz", "diagram"]
    assert [block.slug for block in list_blocks()][: len(first)] == first


def test_the_shipped_blocks_pass_the_admin_s_checks_and_take_a_prompt_alone() -> None:
    for block in list_blocks():
        block.full_clean()
        _, options = check_input(block, "Rivers", {})
        if block.slug == "quiz":
            assert options == {"questions": 3, "difficulty": "medium"}


def test_a_new_row_works_at_once() -> None:
    BlockType.objects.create(slug="tale", title="Tale", order=1)
    assert get_block("tale").title == "Tale"
    assert list_blocks()[0].slug == "tale"


@pytest.mark.parametrize("slug", ["", "nope", "QUIZ", "quiz\0", "quiz ", "qu\u0131z", "x" * 5_000])
def test_an_unknown_slug_is_an_unknown_block(slug: str) -> None:
    with pytest.raises(UnknownBlock):
        get_block(slug)


def test_a_disabled_block_is_unknown() -> None:
    BlockType.objects.filter(slug="quiz").update(enabled=False)
    with pytest.raises(UnknownBlock):
        get_block("quiz")
    assert "quiz" not in [block.slug for block in list_blocks()]


def test_the_models_in_use_are_the_project_s_own_and_those_of_enabled_blocks(settings: Any) -> None:
    settings.AI_MODEL = "scripted:own"
    BlockType.objects.create(slug="tale", title="Tale", model="scripted:tale")
    BlockType.objects.create(slug="off", title="Off", model="scripted:off", enabled=False)
    assert models_in_use() == {"scripted:own", "scripted:tale"}
