from __future__ import annotations

import pytest

from blocks.catalog import get_block, list_blocks
from blocks.errors import UnknownBlock
from blocks.inputs import check_input
from blocks.models import BlockType

pytestmark = pytest.mark.usefixtures("first_blocks")


def test_a_new_installation_has_the_four_blocks_in_order() -> None:
    assert [block.slug for block in list_blocks()] == [
        "ask-question",
        "explain-eli10",
        "quiz",
        "diagram",
    ]


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
