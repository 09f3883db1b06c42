"""A saver that saves only on command."""

from __future__ import annotations

import pytest

from streaming.generating import saver as savers


@pytest.fixture
def no_clockwork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable periodic saving: the saver saves only on command and at ends."""
    monkeypatch.setattr(savers, "SAVE_SECONDS", 3_600.0)
