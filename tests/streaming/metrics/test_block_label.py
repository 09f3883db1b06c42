"""However many block types there are, their labels are few."""

from __future__ import annotations

from streaming.metrics.block_label import BLOCKS_AT_MOST, OTHER, BlockLabel


def test_the_first_ones_have_labels_of_their_own_for_good() -> None:
    label = BlockLabel(at_most=2)
    assert [label.of(slug) for slug in ("a", "b", "a", "c", "d", "b")] == [
        "a", "b", "a", OTHER, OTHER, "b",
    ]  # fmt: skip


def test_a_thousand_slugs_make_few_labels() -> None:
    label = BlockLabel()
    assert len({label.of(f"block-{number}") for number in range(1_000)}) == BLOCKS_AT_MOST + 1
