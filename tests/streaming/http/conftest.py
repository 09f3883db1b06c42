"""A site of one view, for tests of handed-over responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished

from tests.support.streaming.handing_over import HERE, stage


@pytest.fixture
def one_view(settings: Any) -> Iterator[None]:
    """The site has one view, and `stage` records the calls to Django."""
    settings.ROOT_URLCONF = HERE
    settings.MIDDLEWARE = []
    stage.log = []

    def finished(**_: Any) -> None:
        stage.log.append("finished")

    request_finished.connect(finished)
    yield
    request_finished.disconnect(finished)
