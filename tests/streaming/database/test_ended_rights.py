"""A revoked API token takes its running streams along, where the setting says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from liveai.api_tokens.making import make_token
from streaming.access.tokens import find_token, visitor_of_token
from streaming.models import Stream
from tests.support.streaming.admin import put


@pytest.mark.django_db
@pytest.mark.parametrize(("rule", "intents"), [("cancel", ["owner", ""]), ("continue", ["", ""])])
def test_a_revoked_token_cancels_what_it_has_started(
    settings: Any, rule: str, intents: list[str]
) -> None:
    settings.STREAM_ON_RIGHT_END = rule
    ada = User.objects.create(username="ada")
    rows = [find_token(make_token(ada.pk, name=name, scope="ask", days=9)[1]) for name in "ab"]
    streams = []
    for row in rows:
        visitor = visitor_of_token(row)
        stream = put(
            owner=visitor.owner,
            user=ada,
            session=visitor.started_by,
            status="running",
            ended_at=None,
        )
        streams.append(stream.pk)
    rows[0].delete()
    found = Stream.objects.in_bulk(streams)
    assert [found[pk].cancel_intent for pk in streams] == intents
