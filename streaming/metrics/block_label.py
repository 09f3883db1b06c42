"""The label `block`: a block type's slug, as long as there are not too many."""

from __future__ import annotations

BLOCKS_AT_MOST = 50
"""How many slugs get a label of their own, in the order in which they come. Each makes dozens of
time series in Prometheus."""

OTHER = "other"


class BlockLabel:
    def __init__(self, *, at_most: int = BLOCKS_AT_MOST) -> None:
        self._at_most = at_most
        self._known: set[str] = set()

    def of(self, slug: str) -> str:
        """Return the label's value for a block type."""
        if slug not in self._known:
            if len(self._known) >= self._at_most:
                return OTHER
            self._known.add(slug)
        return slug


block_label = BlockLabel().of
